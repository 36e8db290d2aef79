"""When two spellings are one mail address."""

import idna


def key_of(address: str) -> str:
    """
    What an address is known by: the local part without case, the domain as the network spells it. Domains that merely
    fold alike (`straße.example` and `strasse.example`) are not one domain, and may be somebody else's.
    """
    local, _, domain = address.strip().rpartition("@")
    try:
        spelled = idna.encode(domain, uts46=True).decode()
    except UnicodeError:  # no name of the network: it is nobody's
        spelled = domain
    return f"{local.casefold()}@{spelled.lower()}"


def mailbox_of(address: str) -> str:
    """The mailbox behind it, in which all addresses with a +tag end."""
    local, _, domain = key_of(address).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
