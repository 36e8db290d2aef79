"""Mail templates of invitations."""

from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course
from lms_graphql.core.dates import format_date
from lms_graphql.learning.invitation_models import Invitation
from lms_graphql.learning.services.invitations import make_invitation_token
from lms_graphql.mail.messages import Button, Fact, RenderedMail, greeting_line, render
from lms_graphql.mail.models import Mail
from lms_graphql.mail.templates import SiteUrls


def invitation_template(session: Session, mail: Mail, urls: SiteUrls) -> RenderedMail | None:
    """Render the mail to the invited address. Return None if the invitation has ended, or has a newer mail.

    It is the same for addresses with and without an account. The message is a fact, whose lines are indented, so
    that it cannot look like the text of the platform.
    """
    token = make_invitation_token(session, mail.data["invitation"], mail.data["mail_number"])
    invitation = None if token is None else session.get(Invitation, mail.data["invitation"])
    if token is None or invitation is None:
        return None
    course = session.get_one(Course, invitation.course_id)
    instructor = session.get_one(User, course.instructor_id)
    facts = [Fact("Course", course.title)]
    if instructor.deleted_at is None:
        facts.append(Fact("Instructor", instructor.full_name))
    if invitation.access_expires_at is not None:
        facts.append(Fact("Access until", format_date(invitation.access_expires_at)))
    if mail.data["message"] is not None:
        facts.append(Fact("Message", mail.data["message"]))
    return render(
        invitation.email,
        f"Invitation to the course “{course.title}”",
        greeting_line(""),
        [
            "you are invited to take a course. Open the link, and log in or create an account to accept.",
            f"The link is valid until {format_date(invitation.expires_at)} and can be used once.",
            "If you do not know the sender, ignore this mail.",
        ],
        Button("Accept the invitation", urls.to("/invitations", token=token)),
        facts,
    )
