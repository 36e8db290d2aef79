"""Layout of receipts and statements: A4 pages with the operator, facts, a table, totals and notes."""

import io
from collections.abc import Sequence
from typing import NamedTuple

from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from lms_graphql.pdf import colors, typography
from lms_graphql.pdf.canvas import Metadata, new_canvas
from lms_graphql.pdf.fonts import DISPLAY, TEXT
from lms_graphql.pdf.printable_text import printable
from lms_graphql.pdf.typography import LEFT, RIGHT

WIDTH, HEIGHT = A4
MARGIN = 56.0
RIGHT_EDGE = WIDTH - MARGIN
BODY_WIDTH = WIDTH - 2 * MARGIN
BOTTOM = 84.0
"""Lowest baseline of the body. The footer is below it."""
TITLE_SIZE, SITE_SIZE, TEXT_SIZE, SMALL_SIZE = 30.0, 13.0, 9.5, 8.0
LINE_HEIGHT, ROW_HEIGHT, FACT_HEIGHT = 13.0, 18.0, 36.0
NOTHING_PRINTABLE = "–"
"""Replaces a text of which no font has a letter."""


class Seller(NamedTuple):
    """The operator of the platform, as the settings describe it."""

    site_name: str
    name: str
    address: Sequence[str]
    tax_note: Sequence[str]


class Column(NamedTuple):
    """A column of a table. `x` is the left or right end of its texts, as `alignment` says.

    Numbers are aligned to the right, and drawn smaller if they are too wide. Texts are cut if `max_lines` is 1.
    """

    label: str
    x: float
    width: float
    alignment: float = LEFT
    max_lines: int = 1


class Document:
    """A PDF that is written from top to bottom. Its table may continue on further pages."""

    def __init__(self, title: str, seller: Seller, reference: str) -> None:
        self._file = io.BytesIO()
        subject = f"{title} {reference} of {seller.name}"
        metadata = Metadata(f"{title} {reference}", seller.name, subject, reference)
        self._canvas: Canvas = new_canvas(self._file, A4, metadata)
        self._footer = f"{seller.name} · {title} {reference}"
        self._page = 1
        self._y = HEIGHT - MARGIN
        self._draw_heading(title, seller)

    def write_facts(self, facts: Sequence[tuple[str, str]]) -> None:
        """Write labels with values below them, in two columns. A value may need two lines."""
        for index, (label, value) in enumerate(facts):
            x = MARGIN + index % 2 * (BODY_WIDTH / 2)
            self._draw(x, self._y, label.upper(), SMALL_SIZE - 1, color=colors.GREY)
            fitted = typography.fit_text(
                printable(value) or NOTHING_PRINTABLE, TEXT, BODY_WIDTH / 2 - 16, TEXT_SIZE + 1, 8, LINE_HEIGHT
            )
            self._canvas.setFillColor(colors.INK)
            typography.draw_lines(self._canvas, x, self._y - LINE_HEIGHT, fitted, TEXT, LEFT)
            if index % 2 or index == len(facts) - 1:
                self._y -= FACT_HEIGHT
        self._y -= 8

    def write_table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Write a table. The head is repeated on each page."""
        self._draw_head(columns)
        for row in rows:
            if self._y < BOTTOM:
                self._begin_page()
                self._draw_head(columns)
            cells = zip(columns, row, strict=True)
            height = max(self._draw_cell(column, printable(text) or NOTHING_PRINTABLE) for column, text in cells)
            self._draw_rule(self._y - height - 6, colors.PALE_GOLD, 0.4)
            self._y -= ROW_HEIGHT + height

    def write_totals(self, totals: Sequence[tuple[str, str]]) -> None:
        """Write labels and amounts below the table, at the right side. The last one stands out."""
        for index, (label, amount) in enumerate(totals):
            self._require_space(ROW_HEIGHT)
            is_last = index == len(totals) - 1
            size = TEXT_SIZE + 1.5 if is_last else TEXT_SIZE
            color = colors.NAVY if is_last else colors.INK
            if is_last:
                self._draw_rule(self._y + ROW_HEIGHT - 6, colors.NAVY, 0.8)
                self._y -= 4
            self._draw(RIGHT_EDGE - 130, self._y, label, size, RIGHT, color)
            self._draw(RIGHT_EDGE, self._y, amount, size, RIGHT, color)
            self._y -= ROW_HEIGHT

    def write_notes(self, lines: Sequence[str]) -> None:
        self._y -= ROW_HEIGHT
        for line in lines:
            self._require_space(LINE_HEIGHT)
            fitted = typography.fit_text(
                printable(line) or NOTHING_PRINTABLE, TEXT, BODY_WIDTH, TEXT_SIZE, 8, LINE_HEIGHT
            )
            self._canvas.setFillColor(colors.GREY)
            typography.draw_lines(self._canvas, MARGIN, self._y, fitted, TEXT, LEFT)
            self._y -= LINE_HEIGHT + fitted.height

    def finish(self) -> bytes:
        self._end_page()
        self._canvas.save()
        return self._file.getvalue()

    def _draw_heading(self, title: str, seller: Seller) -> None:
        """Draw the platform's name and the title at the left side, and the seller at the right side."""
        top = self._y
        site_name = printable(seller.site_name) or NOTHING_PRINTABLE
        self._draw(MARGIN, top - SITE_SIZE, site_name, SITE_SIZE, color=colors.GOLD)
        self._draw(MARGIN, top - 56, title, TITLE_SIZE, color=colors.NAVY, font=DISPLAY)
        y = top - SITE_SIZE
        for number, text in enumerate([seller.name, *seller.address]):
            fitted = typography.fit_text(printable(text) or NOTHING_PRINTABLE, TEXT, BODY_WIDTH / 2, TEXT_SIZE, 6, 0)
            self._canvas.setFillColor(colors.INK if number == 0 else colors.GREY)
            typography.draw_lines(self._canvas, RIGHT_EDGE, y, fitted, TEXT, RIGHT)
            y -= LINE_HEIGHT
        self._y = min(top - 76, y - 2)
        self._draw_rule(self._y, colors.GOLD, 1.2)
        self._y -= 34

    def _draw_cell(self, column: Column, text: str) -> float:
        """Draw a text. Return the distance between its first and last line."""
        max_height = TEXT_SIZE * typography.LEADING * (column.max_lines - 1)
        if column.alignment == LEFT and column.max_lines == 1:
            text = typography.shorten(text, TEXT, TEXT_SIZE, column.width)
        smallest = TEXT_SIZE if column.max_lines > 1 else typography.MIN_SIZE
        fitted = typography.fit_text(text, TEXT, column.width, TEXT_SIZE, smallest, max_height)
        self._canvas.setFillColor(colors.INK)
        typography.draw_lines(self._canvas, column.x, self._y, fitted, TEXT, column.alignment)
        return fitted.height

    def _draw_head(self, columns: Sequence[Column]) -> None:
        for column in columns:
            label = column.label.upper()
            self._draw(column.x, self._y, label, SMALL_SIZE - 1, column.alignment, colors.GREY)
        self._draw_rule(self._y - 6, colors.NAVY, 0.8)
        self._y -= ROW_HEIGHT + 3

    def _draw(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        alignment: float = LEFT,
        color: Color = colors.INK,
        font: str = TEXT,
    ) -> None:
        self._canvas.setFillColor(color)
        typography.draw_aligned(self._canvas, x, y, text, font, size, alignment)

    def _draw_rule(self, y: float, color: Color, width: float) -> None:
        self._canvas.setStrokeColor(color)
        self._canvas.setLineWidth(width)
        self._canvas.line(MARGIN, y, RIGHT_EDGE, y)

    def _require_space(self, height: float) -> None:
        if self._y - height < BOTTOM - LINE_HEIGHT:
            self._begin_page()

    def _begin_page(self) -> None:
        self._end_page()
        self._page += 1
        self._y = HEIGHT - MARGIN

    def _end_page(self) -> None:
        y = MARGIN - 10
        footer = typography.shorten(printable(self._footer) or NOTHING_PRINTABLE, TEXT, SMALL_SIZE, BODY_WIDTH - 80)
        self._draw(MARGIN, y, footer, SMALL_SIZE, color=colors.GREY)
        self._draw(RIGHT_EDGE, y, f"Page {self._page}", SMALL_SIZE, RIGHT, colors.GREY)
        self._canvas.showPage()
