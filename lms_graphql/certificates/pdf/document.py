"""A certificate as a PDF: one sheet, A4, landscape, to be hung up."""

import io
from datetime import datetime
from typing import NamedTuple

import segno
from reportlab import rl_config
from reportlab.lib.colors import white
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from lms_graphql.certificates.pdf import ornaments, typography
from lms_graphql.certificates.pdf.typography import DISPLAY, ITALIC, TEXT, FittedText

rl_config.useA85 = 0  # nobody sends a PDF as text any more, and to write it so takes longer than all the rest

DESIGN_VERSION = 1
"""One more with every change of the picture: what browsers keep of it holds no longer then."""
ISSUER = "Learn with Roko"
SEAL = "LEARN WITH ROKO · CERTIFIED · "
HEADING = "Certificate of Completion"
NO_NAME = "The person named at the address below"
"""In place of a name in a script that the fonts do not have."""
NO_TITLE = "The course named at the address below"
NO_INSTRUCTOR = "Named at the address"
MONTHS = "January February March April May June July August September October November December"
"""Whatever the server's locale."""
WIDTH, HEIGHT = landscape(A4)
MIDDLE = WIDTH / 2
LEFT, RIGHT = 178.0, WIDTH - 178.0
"""The middle of what stands on either side of the seal."""
COLUMN = 210.0
CAPITALS = 0.7
"""How high a capital letter is, at the size of 1."""


class CertificateContent(NamedTuple):
    """What a certificate says."""

    serial: str
    code: str
    title: str
    learner_name: str
    course_title: str
    instructor_name: str
    issued_at: datetime
    expires_at: datetime | None
    address: str
    """Where it is verified."""


def render_pdf(said: CertificateContent) -> bytes:
    """The same bytes for the same certificate."""
    file = io.BytesIO()
    typography.font(TEXT)
    canvas = Canvas(
        file,
        pagesize=(WIDTH, HEIGHT),
        invariant=1,
        pageCompression=1,
        lang="en",
        initialFontName=TEXT,  # type: ignore[arg-type] # the stubs take a number for a name
    )
    canvas.setTitle(said.title)
    canvas.setAuthor(ISSUER)
    canvas.setSubject(f"{said.learner_name} has completed {said.course_title}")
    canvas.setKeywords(said.serial)
    canvas.setCreator(ISSUER)
    ornaments.draw_frame(canvas, WIDTH, HEIGHT)
    ornaments.draw_rosette(canvas, MIDDLE, 322, 200)
    _draw_heading(canvas)
    _draw_learner(canvas, said.learner_name)
    _draw_course(canvas, said.course_title)
    _draw_left(canvas, said)
    ornaments.draw_seal(canvas, MIDDLE, 134, 44, SEAL)
    _draw_right(canvas, said)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def _draw_heading(canvas: Canvas) -> None:
    canvas.setFillColor(ornaments.GOLD)
    typography.draw_spaced(canvas, MIDDLE, 512, ISSUER.upper(), TEXT, 11, 4.5)
    canvas.setFillColor(ornaments.NAVY)
    typography.draw_centred(canvas, MIDDLE, 456, HEADING, DISPLAY, 46)
    ornaments.draw_divider(canvas, MIDDLE, 434, 230)


def _draw_learner(canvas: Canvas, name: str) -> None:
    _draw_phrase(canvas, 402, "This is to certify that")
    text = typography.fit_text(typography.printable(name) or NO_NAME, DISPLAY, 640, 42, 27, 36)
    canvas.setFillColor(ornaments.INK)
    _draw_about(canvas, 364, text)
    canvas.setStrokeColor(ornaments.PALE_GOLD)
    canvas.setLineWidth(0.8)
    canvas.line(MIDDLE - 230, 331, MIDDLE + 230, 331)


def _draw_course(canvas: Canvas, title: str) -> None:
    _draw_phrase(canvas, 306, "has successfully completed the course")
    text = typography.fit_text(typography.printable(title) or NO_TITLE, DISPLAY, 620, 28, 23, 36)
    canvas.setFillColor(ornaments.NAVY)
    _draw_about(canvas, 265, text)


def _draw_about(canvas: Canvas, y: float, text: FittedText) -> None:
    """Its middle at `y`."""
    typography.draw_lines(canvas, MIDDLE, y + text.height / 2 - CAPITALS / 2 * text.size, text, DISPLAY)


def _draw_phrase(canvas: Canvas, y: float, text: str) -> None:
    canvas.setFillColor(ornaments.GREY)
    typography.draw_centred(canvas, MIDDLE, y, text, ITALIC, 13.5)


def _draw_left(canvas: Canvas, said: CertificateContent) -> None:
    _draw_signed(canvas, 150, typography.printable(said.instructor_name) or NO_INSTRUCTOR, "Instructor")
    issued = day(said.issued_at)
    if said.expires_at is None:
        _draw_signed(canvas, 92, issued, "Date of issue")
    else:
        _draw_signed(canvas, 92, f"{issued} – {day(said.expires_at)}", "Date of issue – valid until")


def _draw_signed(canvas: Canvas, y: float, text: str, label: str) -> None:
    """Above a line, what is said; below it, what that is."""
    line = typography.fit_text(text, ITALIC, COLUMN, 14, 9, 18)
    canvas.setFillColor(ornaments.INK)
    typography.draw_lines(canvas, LEFT, y + 7 + line.height, line, ITALIC)
    canvas.setStrokeColor(ornaments.GOLD)
    canvas.setLineWidth(0.7)
    canvas.line(LEFT - COLUMN / 2, y, LEFT + COLUMN / 2, y)
    canvas.setFillColor(ornaments.GREY)
    typography.draw_spaced(canvas, LEFT, y - 12, label.upper(), TEXT, 6.8, 1.4)


def _draw_right(canvas: Canvas, said: CertificateContent) -> None:
    _draw_qr(canvas, RIGHT, 110, 74, said.address)
    canvas.setFillColor(ornaments.INK)
    typography.draw_spaced(canvas, RIGHT, 95, said.code, TEXT, 8, 0.7)
    canvas.setFillColor(ornaments.GREY)
    shown = said.address.partition("://")[2].removesuffix(said.code).rstrip("/")
    address = typography.fit_text(f"Verify at {shown}", TEXT, COLUMN, 7, 5, 8)
    typography.draw_lines(canvas, RIGHT, 83, address, TEXT)
    typography.draw_spaced(canvas, RIGHT, 72 - address.height, f"No. {said.serial}", TEXT, 7, 0.5)


def _draw_qr(canvas: Canvas, x: float, y: float, size: float, text: str) -> None:
    """Its lower edge at `y`. The quiet zone, four modules wide, is part of the size."""
    matrix = segno.make_qr(text, error="m").matrix
    module = size / (len(matrix) + 8)
    left, top = x - size / 2, y + size
    canvas.setFillColor(white)
    canvas.rect(left, y, size, size, stroke=0, fill=1)
    canvas.setFillColor(ornaments.NAVY)
    path = canvas.beginPath()
    for row, modules in enumerate(matrix, start=5):
        for column, is_dark in enumerate(modules, start=4):
            if is_dark:
                path.rect(left + column * module, top - row * module, module, module)
    canvas.drawPath(path, fill=1, stroke=0)


def day(moment: datetime) -> str:
    return f"{moment.day} {MONTHS.split()[moment.month - 1]} {moment.year}"
