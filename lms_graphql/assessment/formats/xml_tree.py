"""XML as a tree of elements with their lines, parsed without DTD and entities, and within limits."""

import re
from dataclasses import dataclass, field
from typing import Any
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler

from defusedxml.common import DTDForbidden
from defusedxml.sax import make_parser

from lms_graphql.assessment.formats.parsed_questions import QuestionFileError

MAX_DEPTH = 50
_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*\?>")
DOCTYPE = "The file has a DOCTYPE, which is refused because it can define entities. Remove it."


@dataclass
class Element:
    name: str
    attributes: dict[str, str]
    line: int
    children: list["Element"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text of the element itself, without that of its children."""
        return "".join(self.texts)

    def first(self, name: str) -> "Element | None":
        return next((child for child in self.children if child.name == name), None)

    def all(self, name: str) -> list["Element"]:
        return [child for child in self.children if child.name == name]


class _TreeBuilder(ContentHandler):
    """Builds the tree. It leaves out the texts of `ignored`, which are large."""

    def __init__(self, parser: Any, ignored: frozenset[str]) -> None:
        super().__init__()
        self.root: Element | None = None
        self._parser = parser
        self._ignored = ignored
        self._open: list[Element] = []

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 - a name of SAX
        if len(self._open) >= MAX_DEPTH:
            raise QuestionFileError(f"The elements nest deeper than {MAX_DEPTH} levels.")
        element = Element(name, dict(attrs.items()), self._parser.getLineNumber() or 1)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def endElement(self, name: str) -> None:  # noqa: N802 - a name of SAX
        self._open.pop()

    def characters(self, content: str) -> None:
        if self._open[-1].name not in self._ignored:
            self._open[-1].texts.append(content)


def parse_xml(text: str, ignored: frozenset[str] = frozenset()) -> Element:
    """Return the root of the document. Raise QuestionFileError if it is not well-formed or has a DOCTYPE.

    The text is decoded already, so its declaration, which may name another encoding, counts as blank lines.
    """
    declaration = _DECLARATION.match(text)
    if declaration:
        text = "\n" * declaration[0].count("\n") + text[declaration.end() :]
    parser = make_parser()
    parser.forbid_dtd = True
    builder = _TreeBuilder(parser, ignored)
    parser.setContentHandler(builder)
    try:
        # The text is fed at once, because expat reads a long token again with each part of it.
        parser.feed(text.encode(errors="replace"))
        parser.close()
    except DTDForbidden:
        raise QuestionFileError(DOCTYPE) from None
    except SAXParseException as error:
        line, column = error.getLineNumber() or 1, (error.getColumnNumber() or 0) + 1
        message = f"The file is not well-formed XML at line {line}, column {column}: {error.getMessage()}."
        raise QuestionFileError(message) from None
    assert builder.root is not None
    return builder.root
