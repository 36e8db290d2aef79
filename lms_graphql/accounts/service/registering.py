"""New accounts, and what an account may look like."""

import re
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lms_graphql.accounts import addresses, audit, passwords, searching, throttling
from lms_graphql.accounts.models import User
from lms_graphql.accounts.service.sessions import Desk, Opened, open_session
from lms_graphql.accounts.service.signing_in import address_limit
from lms_graphql.accounts.throttling import Allowed
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.errors import ErrorCode, Refusal, Refusals
from lms_graphql.core.faults import is_duplicate_of
from lms_graphql.core.forms import Form
from lms_graphql.mail.service import post

LONGEST_EMAIL = 254
SHORTEST_USERNAME, LONGEST_USERNAME = 3, 30
LONGEST_NAME = 100
VERIFY_EMAIL = "verify_email"
"""The kind of mail that shows whether an address is the person's."""
MOST_MAILS = 5
"""Mails of one kind to one address within the window of sign-ins."""
_USERNAME = re.compile(r"[a-z0-9_.-]+\Z", re.IGNORECASE | re.ASCII)


class Person(NamedTuple):
    """What somebody says of themselves, checked and trimmed."""

    email: str
    username: str
    first_name: str
    last_name: str


def checked(email: str, username: str, first_name: str, last_name: str, password: str) -> Person:
    """Refusals with every fault there is."""
    form = Form()
    person = Person(
        email=email_of(form, email),
        username=_username_of(form, username),
        first_name=form.line("first_name", first_name, most=LONGEST_NAME),
        last_name=form.line("last_name", last_name, most=LONGEST_NAME),
    )
    form.add(passwords.faults(password, person.email, person.username))
    form.done()
    return person


def email_of(form: Form, value: str) -> str:
    text = form.line("email", value, most=LONGEST_EMAIL)
    if form.is_faulty("email"):
        return text
    try:
        address = addresses.parsed(text).normalized
        if len(addresses.key_of(address)) <= LONGEST_EMAIL:
            return address
        form.fault(ErrorCode.TOO_LONG, f"Use at most {LONGEST_EMAIL} characters.", "email")
        return address
    except ValueError:
        form.fault(ErrorCode.INVALID, "Give an e-mail address, e.g. jane@example.com.", "email")
        return text


def begin_registration(session: Session, _actor: Actor, desk: Desk, person: Person) -> Refusals | str:
    """
    Tells whether the address or the name is taken, and counts how often somebody is told. The throttle's key, where
    neither is.
    """
    limit = address_limit(desk, "registration")
    if not throttling.count(session, limit):
        return Refusals([_too_often(desk)])
    return Refusals(taken) if (taken := _taken(session, person)) else limit.key


def register(session: Session, actor: Actor, desk: Desk, person: Person, password_hash: str, throttle: str) -> Opened:
    """A learner, signed in, with a mail under way to show that the address is theirs."""
    # What all who register from one address share comes first: after a read it would be stale when it is changed.
    throttling.give_back(session, throttle)
    made = address_limit(desk, "accounts made")._replace(failures=desk.settings.registrations_per_address)
    if not throttling.count(session, made):
        raise _too_often(desk)
    user = add_user(session, person, password_hash, Role.LEARNER)
    box = desk.signer.digest("mailbox", addresses.mailbox_of(person.email))
    if throttling.count(session, Allowed(box, MOST_MAILS, desk.settings.login_window_minutes)):
        post(session, VERIFY_EMAIL, user_id=user.id)
    audit.record(session, "account.registered", actor=user.id, subject=user.id, origin=desk.origin)
    return open_session(session, desk, user.id, user.role)


def create_user(session: Session, actor: Actor, desk: Desk, person: Person, password_hash: str, role: Role) -> int:
    """An account that a super admin makes for somebody. Its key."""
    user = add_user(session, person, password_hash, role)
    post(session, VERIFY_EMAIL, user_id=user.id)
    audit.record(session, "account.created", actor=actor.id, subject=user.id, origin=desk.origin, role=role.value)
    return user.id


def add_user(session: Session, person: Person, password_hash: str, role: Role) -> User:
    if taken := _taken(session, person):
        raise Refusals(taken)
    user = User(**person._asdict(), password_hash=password_hash, role=role)
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:  # somebody else was first, just now
        raise Refusals([_is_taken("username" if is_duplicate_of(error, "username_key") else "email")]) from None
    searching.index(session, user)
    return user


def _taken(session: Session, person: Person) -> list[Refusal]:
    taken = []
    for field, column, key in (
        ("email", User.email_key, addresses.key_of(person.email)),
        ("username", User.username_key, person.username.casefold()),
    ):
        if session.scalar(select(User.id).where(column == key)) is not None:
            taken.append(_is_taken(field))
    return taken


def _too_often(desk: Desk) -> Refusal:
    message = f"Too many accounts from where you are. Wait {desk.settings.login_window_minutes} minutes."
    return Refusal(ErrorCode.RATE_LIMITED, message)


def _is_taken(field: str) -> Refusal:
    message = "There is an account with this address. Sign in, or reset the password."
    if field == "username":
        message = "This user name is taken. Choose another."
    return Refusal(ErrorCode.ALREADY_EXISTS, message, (field,))


def _username_of(form: Form, value: str) -> str:
    text = form.line("username", value, least=SHORTEST_USERNAME, most=LONGEST_USERNAME)
    if not form.is_faulty("username") and not _USERNAME.match(text):
        form.fault(ErrorCode.INVALID, "Use letters a to z, digits, and _ . - alone.", "username")
    return text
