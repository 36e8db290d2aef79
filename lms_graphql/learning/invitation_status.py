"""Status of an invitation: one that was not accepted in time reads as EXPIRED at once, whatever status is stored."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, or_

from lms_graphql.core.statements import NOW
from lms_graphql.learning.invitation_models import Invitation, InvitationStatus


def current_status() -> ColumnElement[InvitationStatus]:
    """Return the status of a row now, as a column. Needs `NOW`, like `has_status`."""
    return case((has_expired(), InvitationStatus.EXPIRED), else_=Invitation.status)


def has_status(status: InvitationStatus) -> ColumnElement[bool]:
    """Return the clause "has this status now". It compares the stored status, so that an index serves it."""
    if status is InvitationStatus.PENDING:
        return is_open()
    is_stored = Invitation.status == status
    return or_(is_stored, has_expired()) if status is InvitationStatus.EXPIRED else is_stored


def is_open(now: ColumnElement[datetime] | datetime = NOW) -> ColumnElement[bool]:
    """Return the clause "can still be accepted"."""
    return and_(Invitation.status == InvitationStatus.PENDING, Invitation.expires_at > now)


def has_expired(now: ColumnElement[datetime] | datetime = NOW) -> ColumnElement[bool]:
    """Return the clause "stored as PENDING, but not accepted in time"."""
    return and_(Invitation.status == InvitationStatus.PENDING, Invitation.expires_at <= now)
