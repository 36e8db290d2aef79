"""Text normalization: folding, sort keys and slugs, with the same result on every database."""

import re
import unicodedata


def fold(text: str) -> str:
    """Return the text without case and accents: "École" and "ECOLE" give the same."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def sort_key(text: str, length: int = 200) -> str:
    """Return the key by which titles and names are sorted: folded, single-spaced, cut to the column's length."""
    return " ".join(fold(text).split())[:length]


def slugify(text: str, length: int = 80) -> str:
    """Return the slug of a title: "C# & .NET, from zero" -> "c-sharp-net-from-zero"."""
    spelled_out = fold(text).replace("c#", "c-sharp").replace("f#", "f-sharp").replace("c++", "cpp")
    return re.sub(r"[^a-z0-9]+", "-", spelled_out).strip("-")[:length].rstrip("-")
