"""Email addresses: parsing, and a normal form in which all spellings of an address are equal."""

import unicodedata

from email_validator import EmailNotValidError, EmailSyntaxError, ValidatedEmail, validate_email

MAX_PARSED_CHARACTERS = 1_000
"""Several times the length of any valid address. The parser would spend a second on a much longer text."""


def parse_email(email: str) -> ValidatedEmail:
    """Return the parsed address. Raise ValueError if it is invalid.

    It is not checked whether the address can receive mail, and test domains are valid.
    """
    if len(email) > MAX_PARSED_CHARACTERS:
        raise EmailSyntaxError("This text is longer than any email address.")
    return validate_email(email.strip(), check_deliverability=False, test_environment=True)


def normalize_email(email: str) -> str:
    """Return the normal form: the local part without case, the domain in ASCII as the DNS spells it.

    Domains that only case-fold to the same text (`straße.example` and `strasse.example`) stay different, because they
    may belong to different people. A text that is no address has a normal form too, but no account has that one.
    """
    try:
        parsed = parse_email(email)
        local, domain = parsed.local_part, parsed.ascii_domain
    except EmailNotValidError:
        local, _, domain = email[:MAX_PARSED_CHARACTERS].strip().rpartition("@")
    return f"{unicodedata.normalize('NFC', local.casefold())}@{domain.lower()}"


def mailbox_key(email: str) -> str:
    """Return the normal form without a +tag, because all tagged addresses share one mailbox."""
    local, _, domain = normalize_email(email).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
