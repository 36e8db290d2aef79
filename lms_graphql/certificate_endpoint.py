"""`GET /certificates/{code}.pdf`: the PDF of a certificate, public to everyone who knows its code."""

from sqlalchemy.orm import Session

from lms_graphql.certificates import urls
from lms_graphql.certificates.pdf.document import DESIGN_VERSION, CertificateContent, render_pdf
from lms_graphql.certificates.reads import CertificateRow, certificates_by_code
from lms_graphql.certificates.validity import CertificateStatus
from lms_graphql.core.actor import ANONYMOUS
from lms_graphql.core.urls import join_url
from lms_graphql.pdf_endpoint import Gone, PdfFile, PdfKind
from lms_graphql.settings import Settings


def find_certificate(session: Session, settings: Settings, code: str) -> PdfFile | Gone | None:
    certificate = certificates_by_code(session, ANONYMOUS, [code]).get(code)
    if certificate is None:
        return None
    if certificate.status is CertificateStatus.REVOKED:
        return Gone("This certificate was revoked.")
    content = certificate_content(certificate, settings)
    return PdfFile(f"certificate-{content.serial}.pdf", content, render_pdf, DESIGN_VERSION)


CERTIFICATES = PdfKind(find_certificate, "There is no certificate with this code. Check the code.")


def certificate_content(certificate: CertificateRow, settings: Settings) -> CertificateContent:
    """Return the texts of the PDF. Names and titles are those at issue; the platform's name and URL are today's."""
    code = certificate.verification_code
    return CertificateContent(
        issuer=settings.site_name,
        serial=certificate.serial,
        code=code,
        title=certificate.title,
        learner_name=certificate.learner_name,
        course_title=certificate.course_title,
        instructor_name=certificate.instructor_name,
        issued_at=certificate.issued_at,
        expires_at=certificate.expires_at,
        verification_url=join_url(settings.public_url, urls.verification_path(code)),
    )
