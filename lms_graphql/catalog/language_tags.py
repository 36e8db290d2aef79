"""Language tags of BCP 47, which are equal without case: parsing, and the form in which they are stored."""

import re

MAX_LENGTH = 35
_TAG = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*", re.IGNORECASE | re.ASCII)
_CASE_BY_LENGTH = {2: str.upper, 4: str.title}


def parse_language_tag(text: str) -> str | None:
    """Return the tag in the case that BCP 47 recommends (en, pt-BR, zh-Hant-TW); None if the text is not a tag."""
    tag = text.strip()
    if len(tag) > MAX_LENGTH or not _TAG.fullmatch(tag):
        return None
    language, *subtags = tag.lower().split("-")
    # Subtags after a singleton, as in de-u-co-phonebk, stay in lower case.
    singleton = next((number for number, subtag in enumerate(subtags) if len(subtag) == 1), len(subtags))
    cased = [
        _CASE_BY_LENGTH.get(len(subtag), str)(subtag) if number < singleton else subtag
        for number, subtag in enumerate(subtags)
    ]
    return "-".join([language, *cased])


def primary_language(tag: str) -> str:
    """Return the language without region, script and variants: "en" for "en-US"."""
    return tag.partition("-")[0].lower()


def has_language(tag: str, wanted: str) -> bool:
    """Return whether a tag is the wanted one or begins with it: `en` finds `en-US`, but not the reverse."""
    return tag == wanted or tag.startswith(f"{wanted}-")
