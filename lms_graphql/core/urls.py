"""URLs below a base URL."""


def join_url(base_url: str, path: str) -> str:
    """Return the URL of a path that begins with a slash."""
    return base_url.rstrip("/") + path
