"""Mail templates of certificates."""

from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.certificates.models import Certificate
from lms_graphql.certificates.urls import pdf_path, verification_path
from lms_graphql.mail.messages import Button, RenderedMail, greeting_line, render
from lms_graphql.mail.models import Mail
from lms_graphql.mail.templates import SiteUrls


def certificate_issued_template(session: Session, mail: Mail, urls: SiteUrls) -> RenderedMail | None:
    """Render the mail to the learner. Return None if the account was deleted or the certificate revoked."""
    user = session.get(User, mail.user_id)
    certificate = session.get(Certificate, mail.data["certificate"])
    if user is None or user.email is None or certificate is None or certificate.revoked_at is not None:
        return None
    code = certificate.verification_code
    return render(
        user.email,
        "Your certificate is ready",
        greeting_line(user.full_name),
        [
            f"Congratulations! You have completed “{certificate.course_title}”, and your certificate is ready to"
            " download and print.",
            f"Anyone you share it with can verify it here: {urls.to(verification_path(code))}",
        ],
        Button("Open the certificate", urls.to_service(pdf_path(code))),
    )
