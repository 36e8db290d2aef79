"""Fonts of PDFs: which font draws a character, and how its glyphs are embedded."""

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import uharfbuzz  # type: ignore[import-untyped]
from reportlab.pdfbase.pdfdoc import PDFDocument, PDFStream
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont

FOLDER = Path(__file__).parent / "fonts"
DISPLAY, TEXT, ITALIC = "NotoSerifDisplay-Regular", "NotoSerif-Regular", "NotoSerif-Italic"
FALLBACK = "DroidSansFallback"
"""Font for characters that the others do not have: Chinese, Japanese and Korean."""
FONT_RANGES = (
    (0x0530, 0x058F, "NotoSerifArmenian-Regular"),
    (0xFB13, 0xFB17, "NotoSerifArmenian-Regular"),
    (0x0590, 0x05FF, "NotoSerifHebrew-Regular"),
    (0xFB1D, 0xFB4F, "NotoSerifHebrew-Regular"),
    (0x0600, 0x06FF, "NotoNaskhArabic-Regular"),
    (0x0750, 0x077F, "NotoNaskhArabic-Regular"),
    (0x08A0, 0x08FF, "NotoNaskhArabic-Regular"),
    (0xFB50, 0xFDFF, "NotoNaskhArabic-Regular"),
    (0xFE70, 0xFEFE, "NotoNaskhArabic-Regular"),
    (0x0780, 0x07BF, "NotoSansThaana-Regular"),
    (0x0900, 0x097F, "NotoSerifDevanagari-Regular"),
    (0xA8E0, 0xA8FF, "NotoSerifDevanagari-Regular"),
    (0x0980, 0x09FF, "NotoSerifBengali-Regular"),
    (0x0A00, 0x0A7F, "NotoSerifGurmukhi-Regular"),
    (0x0A80, 0x0AFF, "NotoSerifGujarati-Regular"),
    (0x0B00, 0x0B7F, "NotoSansOriya-Regular"),
    (0x0B80, 0x0BFF, "NotoSerifTamil-Regular"),
    (0x0C00, 0x0C7F, "NotoSerifTelugu-Regular"),
    (0x0C80, 0x0CFF, "NotoSerifKannada-Regular"),
    (0x0D00, 0x0D7F, "NotoSerifMalayalam-Regular"),
    (0x0D80, 0x0DFF, "NotoSerifSinhala-Regular"),
    (0x0E00, 0x0E7F, "NotoSerifThai-Regular"),
    (0x0E80, 0x0EFF, "NotoSerifLao-Regular"),
    (0x1000, 0x109F, "NotoSerifMyanmar-Regular"),
    (0x10A0, 0x10FF, "NotoSerifGeorgian-Regular"),
    (0x1C90, 0x1CBF, "NotoSerifGeorgian-Regular"),
    (0x2D00, 0x2D2F, "NotoSerifGeorgian-Regular"),
    (0x1200, 0x139F, "NotoSerifEthiopic-Regular"),
    (0x2D80, 0x2DDF, "NotoSerifEthiopic-Regular"),
    (0x1780, 0x17FF, "NotoSerifKhmer-Regular"),
    (0x2D30, 0x2D7F, "NotoSansTifinagh-Regular"),
)
"""First and last character of the scripts that neither the fonts for Latin letters nor `FALLBACK` have."""
FIRST_SHAPED_CODE = 0xF0000
"""First of the private characters that stand for glyphs. Texts cannot contain them: `printable` drops them."""
LAST_PLAIN_CHAR = "\uffff"
"""Last character that reportlab writes correctly as the text of a glyph."""
_CODE = re.compile("<F[0-9A-F]{4}>")
ZERO_WIDTH_SPACE = "\u200b"
JOINERS = "\u200c\u200d"
"""Invisible characters that change how their neighbors are joined, in Persian and in scripts of India."""


class GlyphFont(TTFont):
    """A font whose glyphs are drawn by number. Text that is copied out of the PDF has the characters they stand for.

    reportlab draws characters. A glyph that is not simply that of its text gets a private character, numbered within
    the document, so that the same content always gives the same bytes.
    """

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(name, path)
        self.harfbuzz = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(path)))
        self.scale = 1000 / self.harfbuzz.face.upem
        """Factor from units of the font to thousandths of the font size, which a PDF uses."""
        self._codes: dict[tuple[int, str], int] = {}

    def char_of(self, glyph: int, text: str) -> str:
        """Return the character that draws the glyph and is copied as the text."""
        if len(text) == 1 and text <= LAST_PLAIN_CHAR and self.face.charToGlyph.get(ord(text)) == glyph:
            return text
        code = self._codes.get((glyph, text))
        if code is None:
            code = self._codes[glyph, text] = FIRST_SHAPED_CODE + len(self._codes)
            self.face.charToGlyph[code] = glyph
            self.face.charWidths[code] = self.harfbuzz.get_glyph_h_advance(glyph) * self.scale
        return chr(code)

    def addObjects(self, doc: PDFDocument) -> None:  # noqa: N802 - reportlab calls it at the end of a document
        """Embed the font, and say which text the private characters stand for. Forget them."""
        texts = {f"<{code:04X}>": _hexadecimal(text) for (_, text), code in self._codes.items()}
        before = set(doc.idToObject)
        super().addObjects(doc)
        for name in doc.idToObject.keys() - before:
            stream = doc.idToObject[name]
            if name.startswith("toUnicodeCMap:") and isinstance(stream, PDFStream):
                stream.content = _CODE.sub(lambda match: texts[match[0]], stream.content)
        for code in self._codes.values():
            del self.face.charToGlyph[code], self.face.charWidths[code]
        self._codes.clear()


@cache
def load_font(name: str) -> GlyphFont:
    """Load and register a font, once a process. Not thread-safe: call it from one thread only."""
    font = GlyphFont(name, FOLDER / f"{name}.ttf")
    registerFont(font)
    return font


def has_glyph(font: str, char: str) -> bool:
    return ord(char) in load_font(font).face.charToGlyph


def has_glyphs(font: str, text: str) -> bool:
    return all(has_glyph(font, char) for char in text)


@lru_cache(maxsize=4_096)
def script_font(char: str) -> str | None:
    """Return the font of the character's script, or None if it needs no font of its own."""
    return next((font for first, last, font in FONT_RANGES if first <= ord(char) <= last), None)


def font_of(char: str, preferred: str) -> str | None:
    """Return the first font that has the character, or None."""
    candidates = (preferred, script_font(char), FALLBACK)
    return next((font for font in candidates if font is not None and has_glyph(font, char)), None)


def is_mark(char: str) -> bool:
    """Return whether the character has no place of its own: it changes the one before."""
    return unicodedata.category(char)[0] == "M"


def _hexadecimal(text: str) -> str:
    """Return a text as the right side of a line in a ToUnicode map."""
    return f"<{(text or ZERO_WIDTH_SPACE).encode('utf-16-be').hex().upper()}>"
