"""Mail templates of accounts, rendered when the mail is sent."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.accounts import email_addresses
from lms_graphql.accounts.models import EmailChange, TokenPurpose, User
from lms_graphql.accounts.services.account_tokens import make_token
from lms_graphql.accounts.services.email_changes import is_taken_by_another, make_email_change_token
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
    """Render the mail to the account's registered address, not to the address that was entered.

    The user is locked, so that a change of the address finds the token and makes it invalid.
    """
    has_email = User.email_key == email_addresses.normalize_email(mail.address or "")
    user = session.scalar(select(User).where(has_email).with_for_update(read=True))
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


def email_change_template(session: Session, mail: Mail, urls: SiteUrls) -> RenderedMail | None:
    """Render the mail to the new address. None if the request is no longer valid, or the address is taken.

    The request is locked, so that no token is added to one that is being replaced.
    """
    change = session.get(EmailChange, mail.data["email_change"], with_for_update={"read": True})
    if change is None or session.scalar(select(User.id).where(is_taken_by_another(change))) is not None:
        return None
    token = make_email_change_token(session, change)
    return render(
        change.email,
        "Confirm your new email address",
        greeting_line(""),  # no name, as in the mail that verifies an address
        [
            "please confirm that this is the new email address of your account. The link is valid for 24 hours and "
            "can be used once. Your other devices will be logged out.",
            IGNORE_IF_NOT_YOU,
        ],
        Button("Confirm the new email address", urls.to("/confirm-email-change", token=token)),
    )


def email_change_notice_template(session: Session, mail: Mail, _urls: SiteUrls) -> RenderedMail | None:
    """Render the mail to the address that the account had at the time of the request. It has no link."""
    user = session.get(User, mail.user_id)
    if user is None or user.deleted_at is not None or mail.address is None:
        return None
    return render(
        mail.address,
        "A new email address was requested",
        greeting_line(user.full_name),
        [
            "another email address was requested for your account, with the right password. It replaces this one as "
            "soon as it is confirmed with the link that was mailed to it.",
            "If this was you, there is nothing to do. If it was not, log in and change your password now. That "
            "cancels the request and logs out all other devices.",
        ],
    )
