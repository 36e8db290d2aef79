"""Idempotency keys: a request that is repeated with its key has its effect once, and the same answer."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar, cast

import orjson
from sqlalchemy import Index, UniqueConstraint, bindparam, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from lms_graphql.core import clock
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.orm import TABLE_OPTIONS, BigIntKey, Json, TimestampedModel, case_sensitive
from lms_graphql.core.statements import execute_dml, insert_ignore

T = TypeVar("T", int, list[int])

MAX_KEY_LENGTH = 200
KEY_PATH = ("idempotency_key",)


class IdempotencyKey(TimestampedModel):
    """Key of a request, with the keys of the rows that the request created.

    `actor_key` is no foreign key, because an insert would lock the user's row before the rows that come earlier in
    the lock order. The key itself is stored as a digest, because some collations ignore spaces at the end of a text.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("actor_key", "operation", "digest"), Index(None, "created_at"), TABLE_OPTIONS)

    actor_key: Mapped[int] = mapped_column(BigIntKey)
    operation: Mapped[str] = mapped_column(case_sensitive(40))
    digest: Mapped[str] = mapped_column(case_sensitive(64))
    input_digest: Mapped[str] = mapped_column(case_sensitive(64))
    result: Mapped[Any] = mapped_column(Json, nullable=True)


class IdempotentRequest(NamedTuple):
    """A request with a key. `input` holds everything that the client sent with it, as JSON values."""

    actor_key: int
    operation: str
    key: str
    input: Mapping[str, Any]


def run_once(session: Session, request: IdempotentRequest, effect: Callable[[], T]) -> T:
    """Run the effect and return its result, or return the result of an earlier request with the same key.

    Call it first in a transaction, before anything is read. The key is inserted in the transaction of the effect. A
    request that comes at the same time waits for its commit, and then reads its result. If the effect raises, the
    transaction is rolled back and nothing is stored.

    Raise REQUIRED or TOO_LONG for the key, or IDEMPOTENCY_MISMATCH if the earlier request had other input.
    """
    _validate_key(request.key)
    binds = {
        "actor_key": request.actor_key,
        "operation": request.operation,
        "digest": hashlib.sha256(request.key.encode()).hexdigest(),
    }
    input_digest = hashlib.sha256(orjson.dumps(request.input, option=orjson.OPT_SORT_KEYS)).hexdigest()
    now = clock.now()
    values = {**binds, "input_digest": input_digest, "created_at": now, "updated_at": now}
    if execute_dml(session, insert_ignore(IdempotencyKey).values(values)) == 0:
        return cast(T, _earlier_result(session, binds, input_digest))
    result = effect()
    stored = execute_dml(
        session, _STORE_RESULT, {**{f"b_{name}": value for name, value in binds.items()}, "value": result}
    )
    assert stored == 1
    return result


_IS_REQUEST = (
    IdempotencyKey.actor_key == bindparam("b_actor_key"),
    IdempotencyKey.operation == bindparam("b_operation"),
    IdempotencyKey.digest == bindparam("b_digest"),
)
_STORE_RESULT = update(IdempotencyKey).where(*_IS_REQUEST).values(result=bindparam("value"))
_EARLIER = select(IdempotencyKey.input_digest, IdempotencyKey.result).where(*_IS_REQUEST)


def _earlier_result(session: Session, binds: Mapping[str, Any], input_digest: str) -> Any:
    row = session.connection().execute(_EARLIER, {f"b_{name}": value for name, value in binds.items()}).one()
    if row.input_digest != input_digest:
        message = "This key was used with other input. Send the same input, or choose a new key."
        raise DomainError(ErrorCode.IDEMPOTENCY_MISMATCH, message, KEY_PATH)
    return row.result


def _validate_key(key: str) -> None:
    if not key.strip():
        raise DomainError(ErrorCode.REQUIRED, "Send a key that you have not used before, such as a UUID.", KEY_PATH)
    if len(key) > MAX_KEY_LENGTH:
        message = f"A key has at most {MAX_KEY_LENGTH} characters."
        raise DomainError(ErrorCode.TOO_LONG, message, KEY_PATH, limit=MAX_KEY_LENGTH)
