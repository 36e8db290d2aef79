"""Commission rates of single instructors, which super admins set. Others have the platform's default."""

from decimal import Decimal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import audit
from lms_graphql.accounts.models import User
from lms_graphql.billing.commission import HUNDREDTH, MAX_RATE
from lms_graphql.billing.ledger_models import InstructorCommission
from lms_graphql.core import global_ids
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.errors import DomainError, ErrorCode, not_found
from lms_graphql.core.statements import execute_dml, insert_ignore
from lms_graphql.core.validation import exceeded_bound

USER_ID, RATE = "user_id", "commission_rate"


def set_commission_rate(session: Session, actor: Actor, user_id: str, rate: Decimal | None) -> int:
    """Set the percentage that an instructor gets of sales from now on. Return the user's key.

    None sets the platform's default. Earlier sales have their stored rate. Raise NOT_FOUND, INVALID for a learner,
    INVALID_TRANSITION for a deleted user, or OUT_OF_RANGE for the rate.
    """
    user = _lock_user(session, global_ids.decode_key("User", user_id))
    if rate is not None and not (0 <= rate <= MAX_RATE and rate == rate.quantize(HUNDREDTH)):
        message = "Use a percentage from 0 to 100, with at most two decimals."
        limit = exceeded_bound(rate, Decimal(0), MAX_RATE)
        raise DomainError(ErrorCode.OUT_OF_RANGE, message, (RATE,), limit=limit)
    if user.deleted_at is not None:
        message = "This account was deleted and cannot be changed."
        raise DomainError(ErrorCode.INVALID_TRANSITION, message, (USER_ID,))
    if user.role is Role.LEARNER:
        message = "Learners have no commission rate. Make the user an instructor first."
        raise DomainError(ErrorCode.INVALID, message, (USER_ID,))
    is_own_rate = InstructorCommission.instructor_id == user.id
    previous = session.scalar(select(InstructorCommission.rate).where(is_own_rate))
    if rate == previous:
        return user.id
    if rate is None:
        execute_dml(session, delete(InstructorCommission).where(is_own_rate))
    elif not execute_dml(session, update(InstructorCommission).where(is_own_rate).values(rate=rate)):
        execute_dml(session, insert_ignore(InstructorCommission).values(instructor_id=user.id, rate=rate))
    rates = {"old": None if previous is None else str(previous), "new": None if rate is None else str(rate)}
    audit.record(session, "commission.changed", actor=actor.key, subject=user.id, **rates)
    return user.id


def _lock_user(session: Session, key: int | None) -> User:
    """Lock the user, so that two changes of the rate run one after the other. Raise NOT_FOUND."""
    unchanged = {"updated_at": User.updated_at}
    if key is None or not execute_dml(session, update(User).where(User.id == key).values(unchanged)):
        raise not_found(USER_ID)
    return session.get_one(User, key, populate_existing=True)
