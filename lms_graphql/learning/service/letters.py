"""The mails about learning, worded when they are sent."""

from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.learning.addresses import pdf_path, verification_path
from lms_graphql.learning.models import Certificate
from lms_graphql.mail.letters import Button, Letter, compose, hello
from lms_graphql.mail.models import Mail
from lms_graphql.mail.openings import Links


def certificate_issued(session: Session, mail: Mail, links: Links) -> Letter | None:
    """Nobody is written to whose account was deleted, or whose certificate was taken back meanwhile."""
    user = session.get(User, mail.user_id)
    certificate = session.get(Certificate, mail.data["certificate"])
    if user is None or user.email is None or certificate is None or certificate.revoked_at is not None:
        return None
    code = certificate.verification_code
    return compose(
        user.email,
        "Your certificate is ready",
        hello(user.full_name),
        [
            f"you have completed “{certificate.course_title}”. Congratulations: here is your certificate, to be"
            " printed and hung up.",
            f"Whoever you show it to can check it at {links.to(verification_path(code))}",
        ],
        Button("Open the certificate", links.to(pdf_path(code))),
    )
