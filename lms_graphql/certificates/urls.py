"""URLs of certificates: the PDF below the URL of this service, the verification page below that of the front end."""


def pdf_path(code: str) -> str:
    """Return the path of the PDF, which this service serves."""
    return f"/certificates/{code}.pdf"


def verification_path(code: str) -> str:
    """Return the path of the front end's verification page, which calls `verifyCertificate`.

    The QR code on a certificate leads there.
    """
    return f"/verify/{code}"
