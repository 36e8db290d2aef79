"""Registration: validation of new accounts, and their creation by users themselves or by super admins."""

import re
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit, email_addresses, password_policy, rate_limits, search_index
from lms_graphql.accounts.models import User
from lms_graphql.accounts.rate_limits import RateLimit
from lms_graphql.accounts.services.login import client_rate_limit
from lms_graphql.accounts.services.sessions import AuthContext, IssuedSession, create_session
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.db_errors import is_unique_violation
from lms_graphql.core.errors import DomainError, DomainErrors, ErrorCode
from lms_graphql.core.validation import Validator
from lms_graphql.mail.outbox import enqueue

MAX_EMAIL_LENGTH = 254
MIN_USERNAME_LENGTH, MAX_USERNAME_LENGTH = 3, 30
MAX_NAME_LENGTH = 100
VERIFY_EMAIL_MAIL = "verify_email"
"""Kind of the mail with the link that verifies an email address."""
MAX_MAILS_PER_WINDOW = 5
"""Limit of mails of one kind to one mailbox or account within the login window."""
_USERNAME = re.compile(r"[a-z0-9_.-]+\Z", re.IGNORECASE | re.ASCII)


class RegistrationData(NamedTuple):
    """A new account's data, without its password."""

    email: str
    username: str
    first_name: str
    last_name: str


def validate_registration(data: RegistrationData, password: str) -> RegistrationData:
    """Return the data as it is stored. Raise DomainErrors with all problems."""
    validator = Validator()
    valid = RegistrationData(
        email=validate_email_field(validator, data.email),
        username=validate_username_field(validator, data.username),
        first_name=validator.single_line("first_name", data.first_name, max_length=MAX_NAME_LENGTH),
        last_name=validator.single_line("last_name", data.last_name, max_length=MAX_NAME_LENGTH),
    )
    validator.add_errors(password_policy.password_errors(password, valid.email, valid.username))
    validator.raise_errors()
    return valid


def validate_email_field(validator: Validator, value: str, name: str = "email") -> str:
    """Return the email as it is stored, and add an error at `name` to the validator if it is invalid."""
    text = validator.single_line(name, value, max_length=MAX_EMAIL_LENGTH)
    if validator.has_error(name):
        return text
    try:
        email = email_addresses.parse_email(text).normalized
        if len(email_addresses.normalize_email(email)) > MAX_EMAIL_LENGTH:
            message = f"Use at most {MAX_EMAIL_LENGTH} characters."
            validator.add_error(ErrorCode.TOO_LONG, message, name, limit=MAX_EMAIL_LENGTH)
        return email
    except ValueError:
        validator.add_error(ErrorCode.INVALID, "Enter an email address, e.g. jane@example.com.", name)
        return text


def validate_username_field(validator: Validator, value: str | None) -> str:
    """Return the username as it is stored, and add an error to the validator if it is invalid."""
    text = validator.single_line("username", value, min_length=MIN_USERNAME_LENGTH, max_length=MAX_USERNAME_LENGTH)
    if not validator.has_error("username") and not _USERNAME.match(text):
        message = "Use only the letters a to z, digits, underscores, dots and hyphens."
        validator.add_error(ErrorCode.INVALID, message, "username")
    return text


def begin_registration(
    session: Session, _actor: Actor, auth: AuthContext, data: RegistrationData
) -> DomainErrors | str:
    """Return the key of the rate limit, or RATE_LIMITED, or an error for each of email and username that is taken.

    Attempts are limited because these errors disclose who has an account. `register` refunds the key.
    """
    limit = client_rate_limit(auth, "registration")
    if not rate_limits.consume(session, limit):
        return DomainErrors([_too_many_registrations(auth)])
    return DomainErrors(errors) if (errors := _uniqueness_errors(session, data)) else limit.key


def register(
    session: Session, actor: Actor, auth: AuthContext, data: RegistrationData, password_hash: str, limit_key: str
) -> IssuedSession:
    """Create a learner, enqueue the mail that verifies the email address, and return a new session."""
    # The counters that all registrations of one client share come first, because a change after a read would meet
    # stale rows.
    rate_limits.refund(session, limit_key)
    accounts_limit = client_rate_limit(auth, "accounts made")._replace(limit=auth.settings.registrations_per_address)
    if not rate_limits.consume(session, accounts_limit):
        raise _too_many_registrations(auth)
    user = add_user(session, data, password_hash, Role.LEARNER)
    mailbox = auth.signer.digest("mailbox", email_addresses.mailbox_key(data.email))
    if rate_limits.consume(session, RateLimit(mailbox, MAX_MAILS_PER_WINDOW, auth.settings.login_window_minutes)):
        enqueue(session, VERIFY_EMAIL_MAIL, user_key=user.id)
    audit.record(session, "account.registered", actor=user.id, subject=user.id, client_ip=auth.client_ip)
    return create_session(session, auth, user.id, user.role)


def create_user(
    session: Session, actor: Actor, auth: AuthContext, data: RegistrationData, password_hash: str, role: Role
) -> int:
    """Create an account on behalf of a super admin, and return its key."""
    user = add_user(session, data, password_hash, role)
    enqueue(session, VERIFY_EMAIL_MAIL, user_key=user.id)
    audit.record(
        session, "account.created", actor=actor.key, subject=user.id, client_ip=auth.client_ip, role=role.value
    )
    return user.id


def add_user(session: Session, data: RegistrationData, password_hash: str, role: Role) -> User:
    """Insert and index a user. Raise ALREADY_EXISTS errors if the email or the username is taken."""
    if errors := _uniqueness_errors(session, data):
        raise DomainErrors(errors)
    user = User(**data._asdict(), password_hash=password_hash, role=role)
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:  # lost the race: another request inserted the same value
        field = "username" if is_unique_violation(error, "username_key") else "email"
        raise DomainErrors([already_taken(field)]) from None
    search_index.index_user(session, user)
    return user


def _uniqueness_errors(session: Session, data: RegistrationData) -> list[DomainError]:
    errors = []
    for field, column, value in (
        ("email", User.email_key, email_addresses.normalize_email(data.email)),
        ("username", User.username_key, data.username.casefold()),
    ):
        if session.scalar(select(User.id).where(column == value)) is not None:
            errors.append(already_taken(field))
    return errors


def _too_many_registrations(auth: AuthContext) -> DomainError:
    message = f"Too many registrations from your network. Wait {auth.settings.login_window_minutes} minutes."
    return DomainError(ErrorCode.RATE_LIMITED, message)


def already_taken(field: str) -> DomainError:
    message = "An account with this email address exists already. Log in, or reset the password."
    if field == "username":
        message = "This username is taken. Choose another."
    return DomainError(ErrorCode.ALREADY_EXISTS, message, (field,))
