"""Names that reader and writer of Moodle XML share. Moodle ignores elements that it does not know."""

PREFIX = "lms_"
CREDIT = f"{PREFIX}partial_credit"
EXACT = f"{PREFIX}exact"
MAX_NAME_LENGTH = 60
_NOT_IN_XML = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}


def question_name(prompt: str) -> str:
    """Return the name that Moodle needs: the beginning of the text."""
    return " ".join(carried(prompt).split())[:MAX_NAME_LENGTH].strip()


def carried(text: str) -> str:
    """Return the text as a reader of the XML would see it: without blanks at its ends and without two characters."""
    return text.translate(_NOT_IN_XML).strip(" \t\r\n")
