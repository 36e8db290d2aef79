"""When two spellings are one mail address."""

import unicodedata

from email_validator import EmailNotValidError, EmailSyntaxError, ValidatedEmail, validate_email

MAX_PARSED_CHARACTERS = 1_000
"""Characters: several times what any address has. To find fault with a longer one would take a second."""


def parse_email(address: str) -> ValidatedEmail:
    """ValueError where it is none. Nobody is asked whether it is there; domains for tests are taken, too."""
    if len(address) > MAX_PARSED_CHARACTERS:
        raise EmailSyntaxError("This is longer than any address.")
    return validate_email(address.strip(), check_deliverability=False, test_environment=True)


def normalize_email(address: str) -> str:
    """
    What an address is known by: the local part without case, the domain as the network spells it. Domains that merely
    fold alike (`straße.example` and `strasse.example`) are not one domain, and may be somebody else's.
    """
    try:
        found = parse_email(address)
        local, domain = found.local_part, found.ascii_domain
    except EmailNotValidError:  # so nobody has it
        local, _, domain = address[:MAX_PARSED_CHARACTERS].strip().rpartition("@")
    return f"{unicodedata.normalize('NFC', local.casefold())}@{domain.lower()}"


def mailbox_key(address: str) -> str:
    """The mailbox behind it, in which all addresses with a +tag end."""
    local, _, domain = normalize_email(address).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
