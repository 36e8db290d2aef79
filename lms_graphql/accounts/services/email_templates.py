"""The mails about accounts, worded when they are sent."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.accounts import email_addresses
from lms_graphql.accounts.models import TokenPurpose, User
from lms_graphql.accounts.services.credentials import make_token
from lms_graphql.mail.messages import Button, RenderedMail, greeting_line, render
from lms_graphql.mail.models import Mail
from lms_graphql.mail.templates import FrontendUrls

IGNORE_IF_NOT_YOU = "If this was not you, there is nothing to do."


def verify_email_template(session: Session, mail: Mail, links: FrontendUrls) -> RenderedMail | None:
    user = session.get(User, mail.user_id)
    if user is None or user.email is None or user.is_verified:
        return None
    token = make_token(session, user.id, TokenPurpose.VERIFY_EMAIL)
    return render(
        user.email,
        "Confirm your e-mail address",
        greeting_line(""),  # whoever registered may have chosen name and address to tell somebody else something
        ["please confirm that this address is yours. The link is good for 24 hours.", IGNORE_IF_NOT_YOU],
        Button("Confirm the address", links.to("/verify-email", token=token)),
    )


def reset_password_template(session: Session, mail: Mail, links: FrontendUrls) -> RenderedMail | None:
    """To the account's own address, as it was registered: not to what somebody typed."""
    user = session.scalar(select(User).where(User.email_key == email_addresses.normalize_email(mail.address or "")))
    if user is None or user.email is None:
        return None
    token = make_token(session, user.id, TokenPurpose.RESET_PASSWORD)
    return render(
        user.email,
        "Choose a new password",
        greeting_line(user.full_name),
        [
            "somebody asked for a new password for this account. The link is good for one hour, and once.",
            IGNORE_IF_NOT_YOU,
        ],
        Button("Choose a new password", links.to("/reset-password", token=token)),
    )


def password_changed_template(session: Session, mail: Mail, links: FrontendUrls) -> RenderedMail | None:
    user = session.get(User, mail.user_id)
    if user is None or user.email is None:
        return None
    told = "the password of your account was changed, and every device was signed out."
    return render(
        user.email,
        "Your password was changed",
        greeting_line(user.full_name),
        [told, "If this was not you, reset it now: who reads your mail may have read more."],
        Button("Reset the password", links.to("/reset-password")),
    )
