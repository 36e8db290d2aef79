"""Mail templates of accounts, rendered when the mail is sent."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.accounts import email_addresses
from lms_graphql.accounts.models import TokenPurpose, User
from lms_graphql.accounts.services.credentials import make_token
from lms_graphql.mail.messages import Button, RenderedMail, greeting_line, render
from lms_graphql.mail.models import Mail
from lms_graphql.mail.templates import SiteUrls

IGNORE_IF_NOT_YOU = "If you did not request this, ignore this mail."


def verify_email_template(session: Session, mail: Mail, urls: SiteUrls) -> RenderedMail | None:
    user = session.get(User, mail.user_id)
    if user is None or user.email is None or user.is_verified:
        return None
    token = make_token(session, user.id, TokenPurpose.VERIFY_EMAIL)
    return render(
        user.email,
        "Confirm your email address",
        greeting_line(""),  # no name: a registration could use it to send a text of its choice to any address
        ["please confirm that this email address is yours. The link is valid for 24 hours.", IGNORE_IF_NOT_YOU],
        Button("Confirm the email address", urls.to("/verify-email", token=token)),
    )


def reset_password_template(session: Session, mail: Mail, urls: SiteUrls) -> RenderedMail | None:
    """Render the mail to the account's registered address, not to the address that was entered."""
    user = session.scalar(select(User).where(User.email_key == email_addresses.normalize_email(mail.address or "")))
    if user is None or user.email is None:
        return None
    token = make_token(session, user.id, TokenPurpose.RESET_PASSWORD)
    return render(
        user.email,
        "Choose a new password",
        greeting_line(user.full_name),
        [
            "a new password was requested for your account. The link is valid for one hour and can be used once.",
            IGNORE_IF_NOT_YOU,
        ],
        Button("Choose a new password", urls.to("/reset-password", token=token)),
    )


def password_changed_template(session: Session, mail: Mail, urls: SiteUrls) -> RenderedMail | None:
    user = session.get(User, mail.user_id)
    if user is None or user.email is None:
        return None
    return render(
        user.email,
        "Your password was changed",
        greeting_line(user.full_name),
        [
            "the password of your account was changed, and all your devices were logged out.",
            "If this was not you, reset the password now. Also check who else can read your mail.",
        ],
        Button("Reset the password", urls.to("/reset-password")),
    )
