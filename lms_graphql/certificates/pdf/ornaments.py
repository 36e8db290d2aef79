"""Ornaments of the certificate: the frame, the rosette behind the text, the divider and the seal."""

from collections.abc import Iterator, Sequence
from functools import cache
from math import cos, pi, sin

from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.pathobject import PDFPathObject

from lms_graphql.pdf import fonts, typography
from lms_graphql.pdf.colors import GOLD, NAVY, PALEST_GOLD, PAPER

FRAME_OUTER, FRAME_INNER = 20.0, 42.0
"""Distances of the frame's two borders from the edge of the page."""
SEAL_TEXT_RADIUS, SEAL_TEXT_SIZE = 0.715, 0.142
"""Radius and font size of the text on the rim of a seal, as parts of the seal's radius."""
MAX_SEAL_SHARE = 0.9
"""Part of the rim that the letters may cover."""

Point = tuple[float, float]


def draw_frame(canvas: Canvas, width: float, height: float) -> None:
    """Draw a band of interlaced waves between two lines, with a rosette in each corner."""
    canvas.setFillColor(PAPER)
    canvas.rect(0, 0, width, height, stroke=0, fill=1)
    canvas.setStrokeColor(GOLD)
    canvas.setLineWidth(0.45)
    canvas.drawPath(_wave_path(width, height))
    center = (FRAME_OUTER + FRAME_INNER) / 2
    for x in (center, width - center):
        for y in (center, height - center):
            _draw_corner(canvas, x, y, FRAME_INNER - FRAME_OUTER)
    canvas.setStrokeColor(NAVY)
    for margin, line in ((FRAME_OUTER, 1.8), (FRAME_INNER, 0.7), (FRAME_INNER + 4, 0.3)):
        canvas.setLineWidth(line)
        canvas.rect(margin, margin, width - 2 * margin, height - 2 * margin)


def draw_rosette(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Draw fine lines behind the text, as on a banknote."""
    canvas.setStrokeColor(PALEST_GOLD)
    canvas.setLineWidth(0.5)
    canvas.drawPath(_rosette_path(x, y, radius))


def draw_divider(canvas: Canvas, x: float, y: float, length: float) -> None:
    """Draw two lines that point at a diamond."""
    canvas.setStrokeColor(GOLD)
    canvas.setFillColor(GOLD)
    canvas.setLineWidth(0.8)
    canvas.line(x - length / 2, y, x - 12, y)
    canvas.line(x + 12, y, x + length / 2, y)
    for offset, size in ((0.0, 4.5), (-9.0, 1.8), (9.0, 1.8)):
        _draw_diamond(canvas, x + offset, y, size)


def draw_seal(canvas: Canvas, x: float, y: float, radius: float, text: str) -> None:
    """Draw a gold seal with two ribbons, a text on its rim and a star inside."""
    _draw_ribbons(canvas, x, y, radius)
    canvas.setFillColor(GOLD)
    canvas.setStrokeColor(GOLD)
    canvas.drawPath(_scallop_path(x, y, radius), fill=1, stroke=0)
    canvas.setStrokeColor(PAPER)
    for share, line in ((0.91, 0.9), (0.62, 0.6)):
        canvas.setLineWidth(line)
        canvas.circle(x, y, radius * share)
    canvas.setFillColor(PAPER)
    _draw_circular_text(canvas, x, y, radius * SEAL_TEXT_RADIUS, text, radius * SEAL_TEXT_SIZE)
    star = [_polar(x, y, radius * (0.42 if point % 2 == 0 else 0.17), pi / 2 + point * pi / 5) for point in range(10)]
    _fill_polygon(canvas, star)


def has_place_on_seal(text: str) -> bool:
    rim = 2 * pi * SEAL_TEXT_RADIUS * MAX_SEAL_SHARE
    return sum(typography.text_width(char, fonts.TEXT, SEAL_TEXT_SIZE) for char in text) <= rim


def _draw_ribbons(canvas: Canvas, x: float, y: float, radius: float) -> None:
    canvas.setFillColor(NAVY)
    for side in (-1, 1):
        ends = ((0.05, -0.6), (0.62, -0.5), (0.82, -1.62), (0.52, -1.42), (0.26, -1.7))
        _fill_polygon(canvas, [(x + side * radius * across, y + radius * down) for across, down in ends])


def _draw_circular_text(canvas: Canvas, x: float, y: float, radius: float, text: str, size: float) -> None:
    """Draw letters evenly on the whole circle, clockwise from its top."""
    font = fonts.TEXT
    widths = [typography.text_width(char, font, size) for char in text]
    space = (2 * pi * radius - sum(widths)) / len(text)
    angle = pi / 2
    for char, width in zip(text, widths, strict=True):
        angle -= width / 2 / radius
        canvas.saveState()
        canvas.translate(*_polar(x, y, radius, angle))
        canvas.rotate((angle - pi / 2) * 180 / pi)
        typography.draw_centered(canvas, 0, 0, char, font, size)
        canvas.restoreState()
        angle -= (width / 2 + space) / radius


def _draw_corner(canvas: Canvas, x: float, y: float, size: float) -> None:
    canvas.setFillColor(PAPER)
    canvas.setStrokeColor(NAVY)
    canvas.setLineWidth(0.7)
    canvas.rect(x - size / 2, y - size / 2, size, size, fill=1)
    canvas.setStrokeColor(GOLD)
    canvas.setLineWidth(0.5)
    canvas.drawPath(_petal_path(x, y, size))
    canvas.setFillColor(NAVY)
    _draw_diamond(canvas, x, y, 2.2)


def _draw_diamond(canvas: Canvas, x: float, y: float, size: float) -> None:
    _fill_polygon(canvas, [(x - size, y), (x, y + size), (x + size, y), (x, y - size)])


@cache
def _wave_path(width: float, height: float) -> PDFPathObject:
    """Return the path. Large paths are cached, because building them takes longer than the rest of a certificate."""
    path, center = PDFPathObject(), (FRAME_OUTER + FRAME_INNER) / 2
    for phase in range(4):
        for across in (center, height - center):
            _trace(path, _wave_points(width, across, phase / 4))
        for across in (center, width - center):
            _trace(path, [(x, y) for y, x in _wave_points(height, across, phase / 4)])
    return path


def _wave_points(length: float, across: float, phase: float) -> list[Point]:
    """Return the points of a whole number of waves along one side."""
    run = length - 2 * FRAME_INNER
    waves = round(run / 26)
    shares = [step / waves / 12 for step in range(waves * 12 + 1)]
    return [(FRAME_INNER + run * share, across + 7.5 * sin(2 * pi * (waves * share + phase))) for share in shares]


@cache
def _rosette_path(x: float, y: float, radius: float) -> PDFPathObject:
    path = PDFPathObject()
    for number in range(12):
        _trace(
            path,
            [_polar(x, y, radius * _rosette_radius(angle, number * pi / 6), angle) for angle in _full_circle(540)],
            True,
        )
    return path


def _rosette_radius(angle: float, phase: float) -> float:
    return (0.62 + 0.38 * cos(9 * angle + phase)) * (0.94 + 0.06 * cos(36 * angle))


@cache
def _petal_path(x: float, y: float, size: float) -> PDFPathObject:
    path = PDFPathObject()
    for number in range(6):
        _trace(
            path,
            [
                _polar(x, y, size * (0.24 + 0.17 * cos(6 * angle + number * pi / 3)), angle)
                for angle in _full_circle(72)
            ],
            True,
        )
    return path


@cache
def _scallop_path(x: float, y: float, radius: float) -> PDFPathObject:
    path = PDFPathObject()
    _trace(path, [_polar(x, y, radius * (1 + 0.035 * cos(36 * angle)), angle) for angle in _full_circle(432)], True)
    return path


def _full_circle(steps: int) -> Iterator[float]:
    return (step * 2 * pi / steps for step in range(steps))


def _polar(x: float, y: float, radius: float, angle: float) -> Point:
    return x + radius * cos(angle), y + radius * sin(angle)


def _trace(path: PDFPathObject, points: Sequence[Point], closed: bool = False) -> None:
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    if closed:
        path.close()


def _fill_polygon(canvas: Canvas, points: Sequence[Point]) -> None:
    path = PDFPathObject()
    _trace(path, points, closed=True)
    canvas.drawPath(path, fill=1, stroke=0)
