"""Text as it is compared: without case and accents, the same on every database."""

import re
import unicodedata


def fold(text: str) -> str:
    """Case and accents taken away: "École" and "ECOLE" fold alike."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def sort_key(text: str, length: int = 200) -> str:
    """What titles and names are sorted by: folded, spaces as one, cut to the column's length."""
    return " ".join(fold(text).split())[:length]


def slugify(text: str, length: int = 80) -> str:
    """The part of an address made of a title: "C# & .NET, from zero" -> "c-sharp-net-from-zero"."""
    spelled = fold(text).replace("c#", "c-sharp").replace("f#", "f-sharp").replace("c++", "cpp")
    return re.sub(r"[^a-z0-9]+", "-", spelled).strip("-")[:length].rstrip("-")
