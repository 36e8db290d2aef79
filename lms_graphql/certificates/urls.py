"""Where certificates are found on the web, below the public address."""


def pdf_path(code: str) -> str:
    """Served by this service."""
    return f"/certificates/{code}.pdf"


def verification_path(code: str) -> str:
    """A page of the front end, which asks `verifyCertificate`. The QR code on a certificate leads there."""
    return f"/verify/{code}"


def join_url(public_url: str, path: str) -> str:
    return public_url.rstrip("/") + path
