"""Colors that all PDFs share."""

from reportlab.lib.colors import HexColor

NAVY = HexColor("#16264A")
GOLD = HexColor("#AE8A3A")
PALE_GOLD = HexColor("#E4D6B1")
PALEST_GOLD = HexColor("#F5EEDD")
PAPER = HexColor("#FEFDFA")
INK = HexColor("#2A2D36")
GREY = HexColor("#6D6F78")
