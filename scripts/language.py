#!/usr/bin/env python3
"""Language check: words and sentence forms that the language guide in CONTRIBUTING.md drops.

    .venv/bin/python scripts/language.py [FILE …]

Reads docstrings and comments of Python files, descriptions of GraphQL files, and prose of Markdown files. Without
arguments it reads the whole project. Prints `file:line: problem` for each finding and exits with 1 if there is any.
`tests/architecture/test_language.py` runs it, and so does the pre-commit hook.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
MAX_WORDS = 25
"""Words in a sentence. A code span counts as one word."""

DROPPED = {
    r"whoever|whosoever|somebody|nobody": "name the subject: the actor, the caller, a user",
    r"meanwhile|anew|lately|by now|at hand|all the same|time and again": "leave it out",
    r"of no more use|(?<!there )(?:is|are) (?-i:none)": "say what it is",
    r"tells?|told|telling": "report, return, say",
    r"kept": "stored, cached",
    r"mend(?:s|ed|ing)?": "repair",
    r"(?:give|gives|gave|given|giving) back": "refund, release",
    r"(?:hang|hangs|hung|hanging) (?:on|from|below)": "belong to, extend",
    r"(?:let|lets|letting) in": "grant access",
    r"(?:send|sends|sent|sending) away": "reject",
    r"openings?": "hook",
    r"floors?|shelf|shelves|drawers?": "layer, package, module role",
    r"doors?|doorman": "permission, policy",
    r"equipment": "AppResources",
    r"refusals?": "error, DomainError",
    r"noughts?": "0",
    r"throttl(?:e|es|ed|ing)": "rate limit",
    r"stretch(?:es)?": "range",
    r"allowance": "budget",
    r"envelopes?": "request",
    r"courtesy": "priority",
    r"desk": "AuthContext",
    r"oracle": "access matrix",
}
HEADLESS = re.compile(r"(?:Who|Whom|Whose|What|Whoever|Whatever|Which|Of|Those who|To be|So many|As)\b")
WHETHER = re.compile(r"Whether\b")
GRAPHQL_ROLES = {"types", "queries", "mutations"}
"""Modules whose docstrings are descriptions. There "Whether the course is free." is the usual form for a Boolean."""
DROPPED_WORDS = {
    re.compile(rf"\b(?:{words})\b", re.IGNORECASE): replacement for words, replacement in DROPPED.items()
}
CODE = re.compile(r"`[^`]*`|“[^”]*”|\"[^\"\n]*\"|https?://\S+|\{[^}\s]*\}")
PROSE_BREAK = re.compile(r"\s*(?:[-*+]|\d+\.)\s|\s*[|#>]|\s*\[[^\]]+\]:|\s*!\[|\s*$")
TOOLING = re.compile(r"#\s*(?:type:|noqa|ruff:|pragma|!/|:)")


class Text(NamedTuple):
    line: int
    text: str
    is_description: bool = True
    is_graphql: bool = False


def check(path: Path) -> Iterator[str]:
    """Yield a line for each problem of the file."""
    for text in texts_of(path):
        for problem in problems_of(text):
            yield f"{path.relative_to(ROOT)}:{text.line}: {problem}"


def texts_of(path: Path) -> Iterator[Text]:
    source = path.read_text()
    if path.suffix == ".py":
        is_graphql = bool({*path.relative_to(ROOT).with_suffix("").parts} & GRAPHQL_ROLES)
        yield from (text._replace(is_graphql=is_graphql) for text in _docstrings(source))
        yield from _comments(source)
    elif path.suffix == ".graphql":
        yield from _descriptions(source)
    else:
        yield from _paragraphs(source)


def problems_of(text: Text) -> Iterator[str]:
    for sentence in sentences(text.text):
        plain = CODE.sub("code", sentence)
        for word, replacement in DROPPED_WORDS.items():
            if match := word.search(plain):
                yield f"“{match[0]}”: {replacement}. In: {_short(sentence)}"
        is_headless = HEADLESS.match(plain) or (WHETHER.match(plain) and not text.is_graphql)
        if text.is_description and is_headless and not plain.endswith("?"):
            yield f"sentence without subject or verb: {_short(sentence)}"
        if (count := len(plain.split())) > MAX_WORDS:
            yield f"{count} words, at most {MAX_WORDS}: {_short(sentence)}"


def sentences(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.)\s)|\n(?= {4})", text):
        joined = " ".join(paragraph.split())
        yield from (part for part in re.split(r"(?<=[.!?:;])\s+(?=[\w`“(\"])", joined) if part)


def _docstrings(source: str) -> Iterator[Text]:
    for node in ast.walk(ast.parse(source)):
        for statement in getattr(node, "body", ()) if not isinstance(node, ast.Lambda | ast.IfExp) else ():
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield Text(statement.lineno, _without_examples(value.value))


def _without_examples(text: str) -> str:
    """Return the text without indented blocks, which are code."""
    margin = min((len(line) - len(line.lstrip()) for line in text.splitlines()[1:] if line.strip()), default=0)
    return "\n".join(line for line in text.splitlines() if len(line) - len(line.lstrip()) < margin + 4)


def _comments(source: str) -> Iterator[Text]:
    """Yield comments. Comment lines that follow each other are one text."""
    start, parts, last = 0, list[str](), 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or TOOLING.match(token.string):
            continue
        is_whole_line = token.line.lstrip().startswith("#")
        if parts and is_whole_line and token.start[0] == last + 1:
            parts.append(token.string.lstrip("# "))
        else:
            if parts:
                yield Text(start, " ".join(parts), is_description=False)
            start, parts = token.start[0], [token.string.lstrip("# ")]
        last = token.start[0] if is_whole_line else 0
    if parts:
        yield Text(start, " ".join(parts), is_description=False)


def _descriptions(source: str) -> Iterator[Text]:
    for match in re.finditer(r'"""(.*?)"""', source, re.DOTALL):
        yield Text(source.count("\n", 0, match.start()) + 1, match[1], is_graphql=True)


def _paragraphs(source: str) -> Iterator[Text]:
    """Yield prose and list items of Markdown, without code blocks, tables, headings and link targets."""
    start, lines, in_code = 0, list[str](), False
    for number, line in enumerate([*source.splitlines(), ""], 1):
        in_code ^= line.lstrip().startswith("```")
        is_code = in_code or line.startswith("    ") or line.lstrip().startswith("```")
        if lines and (is_code or PROSE_BREAK.match(line)):
            yield Text(start, re.sub(r"\]\([^)]*\)", "]", " ".join(lines)), is_description=False)
            lines = []
        if is_code or (PROSE_BREAK.match(line) and not re.match(r"\s*(?:[-*+]|\d+\.)\s", line)):
            continue
        if not lines:
            start = number
        lines.append(re.sub(r"^\s*(?:[-*+]|\d+\.)\s", "", line).strip())


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= 90 else f"{sentence[:90]}…"


def all_files() -> list[Path]:
    output = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [ROOT / name for name in output.splitlines() if not name.startswith("frontend/")]
    checked_paths = [path for path in paths if path.suffix in {".py", ".md", ".graphql"} and path.exists()]
    return [path for path in checked_paths if "written" not in path.parts]


def main(arguments: list[str]) -> int:
    paths = [Path(argument).resolve() for argument in arguments] or all_files()
    problems = [problem for path in paths for problem in check(path)]
    print(*problems, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
