"""Conversion of texts of other systems to Markdown: HTML, plain text, and Moodle's mixture of both."""

import html
import re
from enum import StrEnum
from urllib.parse import unquote

from lms_graphql.assessment.formats.parsed_questions import MAX_QUOTED_LENGTH, listed, quoted


class TextFormat(StrEnum):
    MARKDOWN = "markdown"
    HTML = "html"
    PLAIN = "plain"
    MOODLE = "moodle"


EMBEDDED = "in the text"
# Tags and attributes stop at the next angle bracket, and quantifiers are possessive, so that matching is linear.
_TOKEN = re.compile(r"<!--|-->|<(/?)([a-zA-Z][a-zA-Z0-9]*+)([^<>]*+)>")
_ATTRIBUTE = re.compile(r"""\b(src|href|alt)\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'>]++))""", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_TAGS = "p|br|div|span|img|b|i|u|em|strong|pre|code|ul|ol|li|table|tbody|thead|tr|td|th|h[1-6]|a|sub|sup|font|hr"
_LOOKS_LIKE_HTML = re.compile(
    rf"</?(?:{_TAGS})(?=[\s/>])[^<>]*+>|&(?:nbsp|lt|gt|amp|quot|apos|#\d{{1,7}}|#x[0-9a-f]{{1,6}});", re.IGNORECASE
)
_PLUGIN_FILE = re.compile(r"@@PLUGINFILE@@/([^\s\"'<>)#?]{1,300})")
_MARKDOWN = re.compile(
    r"[`*]|\\(?=[!-/:-@\[-`{-~])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|<(?=[A-Za-z/!?])|\](?=[(\[])|&(?=#?\w{1,32};)"
)
_LINE_START = re.compile(
    r"^[ \t]*+(?=#{1,6}(?:\s|$)|>|[-+](?:\s|$)|-{3}|~{3}|={3})|^[ \t]*+\d{1,9}(?=[.)](?:\s|$))", re.MULTILINE
)
_BLOCKS = {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "hr"}
_INLINE = {"br", "span", "font", "li", "tr", "td", "th", "tbody", "thead", "html", "body", "img", "a"}
_WITHOUT_LOSS = _BLOCKS - {"pre", "table"} | _INLINE
_HIDDEN = {"<!--": "-->", "script": "/script", "style": "/style"}
"""Beginnings of what HTML does not show, each with its end."""


class TextConverter:
    """Converts the texts of one question to Markdown, and remembers what they lose."""

    def __init__(self) -> None:
        self.pictures: dict[str, None] = {}
        self._lost_tags: dict[str, None] = {}

    def convert(self, text: str, text_format: TextFormat) -> str:
        self.pictures.update(dict.fromkeys(map(unquote, _PLUGIN_FILE.findall(text))))
        if text_format is TextFormat.PLAIN:
            return escape_markdown(text, is_line_start=True).strip()
        is_html_in_text = text_format is TextFormat.MOODLE and _LOOKS_LIKE_HTML.search(text)
        if text_format is TextFormat.HTML or is_html_in_text:
            return self._from_html(text, keep_lines=text_format is TextFormat.MOODLE)
        return text.strip(" \t\r\n")

    def notes(self, picture_problem: str) -> list[str]:
        """Return a note for each kind of loss. `picture_problem` says what is wrong with pictures."""
        notes = [f"The picture {_short(name)} {picture_problem}" for name in list(self.pictures)[:20]]
        if self._lost_tags:
            notes.append(f"Formatting in HTML is left out: {listed(self._lost_tags)}.")
        return notes

    def _from_html(self, text: str, keep_lines: bool) -> str:
        parts: list[str] = []
        ends = _last_ends(text)
        hidden_by, position, link, is_pre = "", 0, "", False
        for match in _TOKEN.finditer(text):
            part, tag, is_end = match[0], (match[2] or "").lower(), match[1] == "/"
            if hidden_by:
                if _HIDDEN[hidden_by] == (f"/{tag}" if is_end else part):
                    hidden_by, position = "", match.end()
                continue
            _add_text(parts, text[position : match.start()], keep_lines or is_pre)
            position = match.end()
            beginning = "" if is_end else tag or part
            if beginning in _HIDDEN and match.start() < ends[beginning]:
                hidden_by = beginning
            elif not tag:
                _add_text(parts, part, keep_lines)
            else:
                is_pre = not is_end if tag == "pre" else is_pre
                link = self._add_tag(parts, tag, is_end, match[3], link)
        _add_text(parts, text[position:], keep_lines or is_pre)
        return _join(parts)

    def _add_tag(self, parts: list[str], tag: str, is_end: bool, attributes: str, link: str) -> str:
        """Add what a tag stands for. Return the URL of the link that is open, or an empty text."""
        if tag == "br":
            parts.append("\n")
        elif tag in _BLOCKS:
            parts.append("\n\n")
        elif tag in {"tr", "li"} and not is_end:
            parts.append("\n- " if tag == "li" else "\n")
        elif tag in {"td", "th"} and is_end:
            parts.append(" ")
        elif tag == "img" and not is_end:
            parts.append(self._picture(_attributes_of(attributes)))
        elif tag == "a":
            parts.append(f" <{link}>" if is_end and link else "")
            link = "" if is_end else _web_url(_attributes_of(attributes).get("href", ""))
        if tag not in _WITHOUT_LOSS and not is_end:
            self._lost_tags[tag] = None
        return link

    def _picture(self, attributes: dict[str, str]) -> str:
        source, alternative = attributes.get("src", ""), " ".join(attributes.get("alt", "").split())
        if url := _web_url(source):
            return f"![{escape_markdown(alternative)}]({url})"
        if "@@PLUGINFILE@@" not in source:
            self.pictures[source if source and not source.startswith("data:") else EMBEDDED] = None
        return escape_markdown(alternative)


def escape_markdown(text: str, is_line_start: bool = False) -> str:
    """Return Markdown that shows the plain text literally."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", text)
    return _LINE_START.sub(r"\g<0>\\", escaped) if is_line_start else escaped


def decode_entities(text: str) -> str:
    """Replace HTML entities. Very long numbers stay, because Python refuses to convert them."""
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _last_ends(text: str) -> dict[str, int]:
    """Return the last position of the end of each beginning in `_HIDDEN`. Without one, nothing is hidden or lost."""
    lower = text.lower()
    return {begin: lower.rfind(end if end == "-->" else f"<{end}>") for begin, end in _HIDDEN.items()}


def _add_text(parts: list[str], text: str, keep_lines: bool) -> None:
    plain = decode_entities(text).replace("\xa0", " ")
    if not keep_lines:
        plain = re.sub(r"[ \t\r\n]+", " ", plain)
    if plain:
        parts.append(escape_markdown(plain, is_line_start=not parts or parts[-1].endswith("\n")))


def _join(parts: list[str]) -> str:
    lines = [line.rstrip() for line in "".join(parts).strip().split("\n")]
    lines = [line.removeprefix(" ") for line in lines]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _attributes_of(text: str) -> dict[str, str]:
    matches = _ATTRIBUTE.finditer(text[:5_000])
    return {match[1].lower(): decode_entities(match[2] or match[3] or match[4] or "") for match in matches}


def _web_url(url: str) -> str:
    """Return the URL in a form that can stand in Markdown; empty if it is not one of the web."""
    url = url.strip()
    is_web = url.lower().startswith(("http://", "https://")) and not re.search(r"[\s<>\\]", url)
    return url.replace("(", "%28").replace(")", "%29") if is_web else ""


def _short(name: str) -> str:
    return name if 0 < len(name) <= MAX_QUOTED_LENGTH and name.isprintable() else quoted(name)
