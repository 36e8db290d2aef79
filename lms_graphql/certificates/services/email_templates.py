"""The mails about learning, worded when they are sent."""

from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.certificates.models import Certificate
from lms_graphql.certificates.urls import pdf_path, verification_path
from lms_graphql.mail.messages import Button, RenderedMail, greeting_line, render
from lms_graphql.mail.models import Mail
from lms_graphql.mail.templates import FrontendUrls


def certificate_issued_template(session: Session, mail: Mail, links: FrontendUrls) -> RenderedMail | None:
    """Nobody is written to whose account was deleted, or whose certificate was taken back meanwhile."""
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
            f"you have completed “{certificate.course_title}”. Congratulations: here is your certificate, to be"
            " printed and hung up.",
            f"Whoever you show it to can check it at {links.to(verification_path(code))}",
        ],
        Button("Open the certificate", links.to(pdf_path(code))),
    )
