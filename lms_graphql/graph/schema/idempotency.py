"""Idempotency keys of mutations that create an object: a repeated request returns what the first one created."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import strawberry
from sqlalchemy.orm import Session

from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.idempotency import KEY_PATH, IdempotentRequest, run_once
from lms_graphql.graph.context import Context, Info
from lms_graphql.graph.execution.loaders import BatchRead
from lms_graphql.graph.schema.mutations import payload

P = ParamSpec("P")
PayloadT = TypeVar("PayloadT")

IDEMPOTENCY_KEY = (
    "A value that is new for each object to create, such as a UUID (1–200 characters). Repeat a request whose answer "
    "was lost with the same key within 72 hours: the object is created once. With other input the error is "
    "IDEMPOTENCY_MISMATCH. If the object was deleted since then, the error is NOT_FOUND."
)


class IdempotentInput(Protocol):
    """The input of a mutation that creates an object."""

    idempotency_key: str | None


def once(
    info: Info,
    input: IdempotentInput,
    service: Callable[Concatenate[Session, Actor, P], int],
    *,
    look_up: Callable[[Session], object] | None = None,
) -> Callable[Concatenate[Session, Actor, P], int]:
    """Return the service, so that it creates one object for all requests with the key of the input.

    Without a key, return the service itself. `look_up` reads what the service reads by `peek_once`, which must happen
    before the transaction: the key's row is its first lock.
    """
    key = input.idempotency_key
    if key is None:
        return service
    operation, values = info.field_name, _json_value(input)
    del values["idempotency_key"]

    def run(session: Session, actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> int:
        assert actor.key is not None
        if look_up is not None:
            look_up(session)
        request = IdempotentRequest(actor.key, operation, key, values)
        return run_once(session, request, lambda: service(session, actor, *args, **kwargs))

    return run


async def created_payload(
    context: Context,
    input: IdempotentInput,
    payload_type: Callable[..., PayloadT],
    **created: tuple[BatchRead, int],
) -> PayloadT:
    """Return the payload with the created object. Raise NOT_FOUND if the key's object is gone."""
    result = await payload(context, payload_type, **created)
    if input.idempotency_key is not None and any(getattr(result, name) is None for name in created):
        message = "What was created with this key is gone, or you may not see it. Choose a new key to create another."
        raise DomainError(ErrorCode.NOT_FOUND, message, KEY_PATH)
    return result


def _json_value(value: Any) -> Any:
    """Return an input as JSON values, without the fields that are None.

    So a request that is repeated after an upgrade is the same if the upgrade has added an optional field.
    """
    if isinstance(value, strawberry.Some):
        return _json_value(value.value)
    if is_dataclass(value):
        values = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: _json_value(item) for name, item in values.items() if item is not None}
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    return str(value) if isinstance(value, Decimal) else value
