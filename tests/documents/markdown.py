"""Code blocks and links of the project's Markdown documents."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent

BLOCK = re.compile(r"(?:<!-- run(?P<marks>[^>]*) -->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.M | re.S)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced code block. `marks` is the text of the comment `<!-- run … -->` above it, or None without one."""

    language: str
    code: str
    marks: str | None


@dataclass(frozen=True)
class Example:
    """A GraphQL document or a shell command, with what the blocks below it say."""

    source: str
    variables: dict[str, Any]
    expected: dict[str, Any] | None
    viewer: str | None = None
    has_user_errors: bool = False

    @property
    def name(self) -> str:
        match = re.match(r"\s*(?:query|mutation) (\w+)", self.source)
        return match[1] if match else self.source.split("\n", 1)[0]


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks/README.md"])


def links(path: Path) -> list[str]:
    prose = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.M | re.S)
    return LINK.findall(prose)


def headings(path: Path) -> set[str]:
    """Return the anchors of a document, as GitHub makes them of headings."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def blocks(path: Path) -> list[Block]:
    return [Block(match["language"], match["code"], match["marks"]) for match in BLOCK.finditer(path.read_text())]


def graphql_examples(path: Path) -> list[Example]:
    return [example for example, language in _examples(path) if language == "graphql"]


def curl_examples(path: Path) -> list[Example]:
    return [
        example for example, language in _examples(path) if language == "sh" and example.source.startswith("curl")
    ]


def commands(path: Path) -> list[str]:
    """Return the shell commands of a document, one for each line that does not continue another."""
    code = "".join(block.code for block in blocks(path) if block.language == "sh")
    return [line.strip() for line in code.replace("\\\n", " ").splitlines() if line.strip()]


def _examples(path: Path) -> Iterator[tuple[Example, str]]:
    all_blocks = blocks(path)
    for number, block in enumerate(all_blocks):
        variables, expected = dict[str, Any](), None
        for following in all_blocks[number + 1 : number + 3]:
            if following.language != "json":
                break
            value = json.loads(following.code)
            if "data" in value or "errors" in value:
                expected = value
            else:
                variables = value
        marks = block.marks or ""
        viewer = re.search(r"as: (\w+)", marks)
        yield Example(block.code, variables, expected, viewer and viewer[1], "errors" in marks), block.language
