"""New accounts, and what an account may look like."""

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
SHORTEST_USERNAME, LONGEST_USERNAME = 3, 30
MAX_NAME_LENGTH = 100
VERIFY_EMAIL_MAIL = "verify_email"
"""The kind of mail that shows whether an address is the person's."""
MAX_MAILS_PER_WINDOW = 5
"""Mails of one kind to one address within the window of sign-ins."""
_USERNAME = re.compile(r"[a-z0-9_.-]+\Z", re.IGNORECASE | re.ASCII)


class RegistrationData(NamedTuple):
    """What somebody says of themselves, checked and trimmed."""

    email: str
    username: str
    first_name: str
    last_name: str


def validate_registration(
    email: str, username: str, first_name: str, last_name: str, password: str
) -> RegistrationData:
    """Refusals with every fault there is."""
    form = Validator()
    person = RegistrationData(
        email=validate_email_field(form, email),
        username=_username_of(form, username),
        first_name=form.single_line("first_name", first_name, most=MAX_NAME_LENGTH),
        last_name=form.single_line("last_name", last_name, most=MAX_NAME_LENGTH),
    )
    form.add_errors(password_policy.password_errors(password, person.email, person.username))
    form.raise_errors()
    return person


def validate_email_field(form: Validator, value: str) -> str:
    text = form.single_line("email", value, most=MAX_EMAIL_LENGTH)
    if form.has_error("email"):
        return text
    try:
        address = email_addresses.parse_email(text).normalized
        if len(email_addresses.normalize_email(address)) <= MAX_EMAIL_LENGTH:
            return address
        form.add_error(ErrorCode.TOO_LONG, f"Use at most {MAX_EMAIL_LENGTH} characters.", "email")
        return address
    except ValueError:
        form.add_error(ErrorCode.INVALID, "Give an e-mail address, e.g. jane@example.com.", "email")
        return text


def begin_registration(
    session: Session, _actor: Actor, desk: AuthContext, person: RegistrationData
) -> DomainErrors | str:
    """
    Tells whether the address or the name is taken, and counts how often somebody is told. The throttle's key, where
    neither is.
    """
    limit = client_rate_limit(desk, "registration")
    if not rate_limits.consume(session, limit):
        return DomainErrors([_too_often(desk)])
    return DomainErrors(taken) if (taken := _taken(session, person)) else limit.key


def register(
    session: Session, actor: Actor, desk: AuthContext, person: RegistrationData, password_hash: str, throttle: str
) -> IssuedSession:
    """A learner, signed in, with a mail under way to show that the address is theirs."""
    # What all who register from one address share comes first: after a read it would be stale when it is changed.
    rate_limits.refund(session, throttle)
    made = client_rate_limit(desk, "accounts made")._replace(limit=desk.settings.registrations_per_address)
    if not rate_limits.consume(session, made):
        raise _too_often(desk)
    user = add_user(session, person, password_hash, Role.LEARNER)
    box = desk.signer.digest("mailbox", email_addresses.mailbox_key(person.email))
    if rate_limits.consume(session, RateLimit(box, MAX_MAILS_PER_WINDOW, desk.settings.login_window_minutes)):
        enqueue(session, VERIFY_EMAIL_MAIL, user_id=user.id)
    audit.record(session, "account.registered", actor=user.id, subject=user.id, client_ip=desk.client_ip)
    return create_session(session, desk, user.id, user.role)


def create_user(
    session: Session, actor: Actor, desk: AuthContext, person: RegistrationData, password_hash: str, role: Role
) -> int:
    """An account that a super admin makes for somebody. Its key."""
    user = add_user(session, person, password_hash, role)
    enqueue(session, VERIFY_EMAIL_MAIL, user_id=user.id)
    audit.record(
        session, "account.created", actor=actor.key, subject=user.id, client_ip=desk.client_ip, role=role.value
    )
    return user.id


def add_user(session: Session, person: RegistrationData, password_hash: str, role: Role) -> User:
    if taken := _taken(session, person):
        raise DomainErrors(taken)
    user = User(**person._asdict(), password_hash=password_hash, role=role)
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:  # somebody else was first, just now
        raise DomainErrors(
            [_is_taken("username" if is_unique_violation(error, "username_key") else "email")]
        ) from None
    search_index.index_user(session, user)
    return user


def _taken(session: Session, person: RegistrationData) -> list[DomainError]:
    taken = []
    for field, column, key in (
        ("email", User.email_key, email_addresses.normalize_email(person.email)),
        ("username", User.username_key, person.username.casefold()),
    ):
        if session.scalar(select(User.id).where(column == key)) is not None:
            taken.append(_is_taken(field))
    return taken


def _too_often(desk: AuthContext) -> DomainError:
    message = f"Too many accounts from where you are. Wait {desk.settings.login_window_minutes} minutes."
    return DomainError(ErrorCode.RATE_LIMITED, message)


def _is_taken(field: str) -> DomainError:
    message = "There is an account with this address. Sign in, or reset the password."
    if field == "username":
        message = "This user name is taken. Choose another."
    return DomainError(ErrorCode.ALREADY_EXISTS, message, (field,))


def _username_of(form: Validator, value: str) -> str:
    text = form.single_line("username", value, least=SHORTEST_USERNAME, most=LONGEST_USERNAME)
    if not form.has_error("username") and not _USERNAME.match(text):
        form.add_error(ErrorCode.INVALID, "Use letters a to z, digits, and _ . - alone.", "username")
    return text
