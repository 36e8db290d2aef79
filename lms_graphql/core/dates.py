"""Dates as people read them, in English."""

from datetime import datetime

MONTHS = "January February March April May June July August September October November December"
"""English names, because `strftime` depends on the server's locale."""


def format_date(moment: datetime) -> str:
    """Return the day in UTC: `2 November 2026`."""
    return f"{moment.day} {MONTHS.split()[moment.month - 1]} {moment.year}"
