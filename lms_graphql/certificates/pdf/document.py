"""Certificate as a PDF: one page, A4, landscape."""

import io
from datetime import datetime
from typing import NamedTuple

import segno
from reportlab.lib.colors import white
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from lms_graphql.certificates.pdf import ornaments
from lms_graphql.core.dates import format_date
from lms_graphql.pdf import colors, fonts, typography
from lms_graphql.pdf.canvas import Metadata, new_canvas
from lms_graphql.pdf.fonts import DISPLAY, ITALIC, TEXT
from lms_graphql.pdf.printable_text import printable
from lms_graphql.pdf.typography import FittedText

DESIGN_VERSION = 3
"""Part of the ETag. Increase it with every change of the design, so that browsers discard their cached PDFs."""
SEAL = "CERTIFIED · "
SEAL_REPETITIONS = 3
"""Repetitions of `SEAL` on the rim if the issuer's name does not fit there."""
HEADING_WIDTH = 640.0
HEADING = "Certificate of Completion"
NO_NAME = "The person named on the web page below"
"""Replaces a name in a script that the fonts do not cover."""
NO_TITLE = "The course named on the web page below"
NO_INSTRUCTOR = "Named on the web page"
WIDTH, HEIGHT = landscape(A4)
CENTER = WIDTH / 2
LEFT, RIGHT = 178.0, WIDTH - 178.0
"""Centers of the columns on both sides of the seal."""
COLUMN_WIDTH = 210.0
CAPITAL_HEIGHT = 0.7
"""Height of a capital letter at font size 1."""


class CertificateContent(NamedTuple):
    """Texts of a certificate.

    `issuer` is the name of the platform. The QR code contains `verification_url`, the URL of the verification page.
    """

    issuer: str
    serial: str
    code: str
    title: str
    learner_name: str
    course_title: str
    instructor_name: str
    issued_at: datetime
    expires_at: datetime | None
    verification_url: str


def render_pdf(content: CertificateContent) -> bytes:
    """Return the PDF. The same content always gives the same bytes."""
    file = io.BytesIO()
    subject = f"{content.learner_name} has completed {content.course_title}"
    canvas = new_canvas(file, (WIDTH, HEIGHT), Metadata(content.title, content.issuer, subject, content.serial))
    ornaments.draw_frame(canvas, WIDTH, HEIGHT)
    ornaments.draw_rosette(canvas, CENTER, 322, 200)
    _draw_heading(canvas, content.issuer)
    _draw_learner(canvas, content.learner_name)
    _draw_course(canvas, content.course_title)
    _draw_signatures(canvas, content)
    ornaments.draw_seal(canvas, CENTER, 134, 44, seal_text(content.issuer))
    _draw_verification(canvas, content)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def seal_text(issuer: str) -> str:
    """Return the text on the rim of the seal, with the issuer's name if its letters can stand there one by one."""
    text = f"{issuer.upper()} · {SEAL}"
    has_place = fonts.has_glyphs(TEXT, text) and ornaments.has_place_on_seal(text)
    return text if has_place else SEAL * SEAL_REPETITIONS


def _draw_heading(canvas: Canvas, issuer: str) -> None:
    canvas.setFillColor(colors.GOLD)
    _draw_issuer(canvas, issuer)
    canvas.setFillColor(colors.NAVY)
    typography.draw_centered(canvas, CENTER, 456, HEADING, DISPLAY, 46)
    ornaments.draw_divider(canvas, CENTER, 434, 230)


def _draw_issuer(canvas: Canvas, issuer: str) -> None:
    """Draw the name in spaced capitals, or as it is if it is too long or its script joins letters."""
    capitals, size, space = issuer.upper(), 11, 4.5
    can_be_spaced = fonts.has_glyphs(TEXT, capitals)
    if can_be_spaced and typography.spaced_width(capitals, TEXT, size, space) <= HEADING_WIDTH:
        typography.draw_spaced(canvas, CENTER, 512, capitals, TEXT, size, space)
    elif name := printable(issuer):
        typography.draw_lines(canvas, CENTER, 512, typography.fit_text(name, TEXT, HEADING_WIDTH, 14, 3, 0), TEXT)


def _draw_learner(canvas: Canvas, name: str) -> None:
    _draw_phrase(canvas, 402, "This is to certify that")
    text = typography.fit_text(printable(name) or NO_NAME, DISPLAY, 640, 42, 27, 36)
    canvas.setFillColor(colors.INK)
    _draw_centered_at(canvas, 364, text)
    canvas.setStrokeColor(colors.PALE_GOLD)
    canvas.setLineWidth(0.8)
    canvas.line(CENTER - 230, 331, CENTER + 230, 331)


def _draw_course(canvas: Canvas, title: str) -> None:
    _draw_phrase(canvas, 306, "has successfully completed the course")
    text = typography.fit_text(printable(title) or NO_TITLE, DISPLAY, 620, 28, 23, 36)
    canvas.setFillColor(colors.NAVY)
    _draw_centered_at(canvas, 265, text)


def _draw_centered_at(canvas: Canvas, y: float, text: FittedText) -> None:
    """Draw lines whose vertical center is at `y`."""
    typography.draw_lines(canvas, CENTER, y + text.height / 2 - CAPITAL_HEIGHT / 2 * text.size, text, DISPLAY)


def _draw_phrase(canvas: Canvas, y: float, text: str) -> None:
    canvas.setFillColor(colors.GREY)
    typography.draw_centered(canvas, CENTER, y, text, ITALIC, 13.5)


def _draw_signatures(canvas: Canvas, content: CertificateContent) -> None:
    _draw_labeled_line(canvas, 150, printable(content.instructor_name) or NO_INSTRUCTOR, "Instructor")
    issued = format_date(content.issued_at)
    if content.expires_at is None:
        _draw_labeled_line(canvas, 92, issued, "Date of issue")
    else:
        _draw_labeled_line(canvas, 92, f"{issued} – {format_date(content.expires_at)}", "Date of issue – valid until")


def _draw_labeled_line(canvas: Canvas, y: float, text: str, label: str) -> None:
    """Draw a text above a line and its label below."""
    line = typography.fit_text(text, ITALIC, COLUMN_WIDTH, 14, 9, 18)
    canvas.setFillColor(colors.INK)
    typography.draw_lines(canvas, LEFT, y + 7 + line.height, line, ITALIC)
    canvas.setStrokeColor(colors.GOLD)
    canvas.setLineWidth(0.7)
    canvas.line(LEFT - COLUMN_WIDTH / 2, y, LEFT + COLUMN_WIDTH / 2, y)
    canvas.setFillColor(colors.GREY)
    typography.draw_spaced(canvas, LEFT, y - 12, label.upper(), TEXT, 6.8, 1.4)


def _draw_verification(canvas: Canvas, content: CertificateContent) -> None:
    _draw_qr(canvas, RIGHT, 110, 74, content.verification_url)
    canvas.setFillColor(colors.INK)
    typography.draw_spaced(canvas, RIGHT, 95, content.code, TEXT, 8, 0.7)
    canvas.setFillColor(colors.GREY)
    page = content.verification_url.partition("://")[2].removesuffix(content.code).rstrip("/")
    url_text = typography.fit_text(f"Verify at {page}", TEXT, COLUMN_WIDTH, 7, 5, 8)
    typography.draw_lines(canvas, RIGHT, 83, url_text, TEXT)
    typography.draw_spaced(canvas, RIGHT, 72 - url_text.height, f"No. {content.serial}", TEXT, 7, 0.5)


def _draw_qr(canvas: Canvas, x: float, y: float, size: float, text: str) -> None:
    """Draw a QR code with its lower edge at `y`. `size` includes the quiet zone, which is four modules wide."""
    matrix = segno.make_qr(text, error="m").matrix
    module = size / (len(matrix) + 8)
    left, top = x - size / 2, y + size
    canvas.setFillColor(white)
    canvas.rect(left, y, size, size, stroke=0, fill=1)
    canvas.setFillColor(colors.NAVY)
    path = canvas.beginPath()
    for row, modules in enumerate(matrix, start=5):
        for column, is_dark in enumerate(modules, start=4):
            if is_dark:
                path.rect(left + column * module, top - row * module, module, module)
    canvas.drawPath(path, fill=1, stroke=0)
