"""Serials of certificates. They are public, and give no access. The verification code is a secret of the holder."""

import secrets
from datetime import datetime

from lms_graphql.core.codes import RandomChoice, random_groups

SERIAL_GROUPS = 2
MAX_PREFIX_LENGTH = 4
DEFAULT_PREFIX = "CERT"


def new_serial(site_name: str, issued_at: datetime, choose: RandomChoice = secrets.choice) -> str:
    """Return a serial: the platform's initials, the year and random characters, e.g. `LWR-2026-7KXM-3CDF`.

    It does not reveal how many certificates exist or what other serials are.
    """
    return f"{_initials(site_name)}-{issued_at.year}-{random_groups(SERIAL_GROUPS, choose)}"


def _initials(site_name: str) -> str:
    """Return the first letters of the words as capitals, if they are A to Z; `DEFAULT_PREFIX` if none is."""
    initials = [word[0].upper() for word in site_name.split() if word[0].isascii() and word[0].isalpha()]
    return "".join(initials[:MAX_PREFIX_LENGTH]) or DEFAULT_PREFIX
