"""Mutations and their payloads. Domain errors of services become the `errors` of the payload."""

from collections.abc import Callable, Container
from dataclasses import fields as dataclass_fields
from decimal import Decimal
from functools import wraps
from typing import Any, TypeVar

import strawberry
from strawberry.extensions import FieldExtension

from lms_graphql.core import global_ids, metrics
from lms_graphql.core.errors import DomainError, DomainErrors, ErrorCode
from lms_graphql.graph.context import Context, Info
from lms_graphql.graph.error_formatting import clear_tracebacks
from lms_graphql.graph.execution.loaders import BatchRead
from lms_graphql.graph.schema.fields import docstring_description, expose_enum, field, object_type
from lms_graphql.graph.schema.node import Node
from lms_graphql.graph.schema.permissions import IsSignedIn, Permission, require
from lms_graphql.graph.schema.strawberry_internals import StrawberryField, payload_type, to_camel_case

PayloadT = TypeVar("PayloadT")

expose_enum(
    ErrorCode,
    "Reason why a mutation failed. The caller can correct it.",
    INVALID="The value has a wrong form, or does not fit the other values.",
    REQUIRED="The value is missing or blank.",
    TOO_SHORT="The text is too short.",
    TOO_LONG="The text is too long.",
    OUT_OF_RANGE="The number or time is outside of the allowed range.",
    WEAK_PASSWORD="The password is too common, or equals the email address or username.",  # noqa: S106 - a text
    NOT_FOUND="There is no such object, or the viewer may not see it.",
    ALREADY_EXISTS="An object with this value exists already.",
    STALE_VERSION="The object has changed since `expectedVersion`. Load it again.",
    IN_USE="Other objects belong to this object or use it.",
    LIMIT_REACHED="The highest allowed number of objects is reached.",
    INVALID_TRANSITION="The status of the object does not allow this change.",
    NOT_READY="The change would leave a published course or quiz incomplete, or it cannot be published yet.",
    INVALID_CREDENTIALS="The email address or the password is wrong.",
    INVALID_TOKEN="The token is unknown, was used or has expired.",  # noqa: S106 - a text
    ACCOUNT_SUSPENDED="The account is suspended. A super admin can activate it.",
    RATE_LIMITED="There were too many attempts. Try again later.",
    NOT_ENROLLED="The viewer has no access to the course.",
    NOT_PUBLISHED="The course is not published.",
    PAYMENT_REQUIRED="The course has a price and must be bought.",
    OWN_COURSE="The user is the course's instructor and needs no enrollment.",
    FEATURE_DISABLED="The course does not allow this, or the payment method is not available.",
    ATTEMPT_CLOSED="The attempt was submitted, or its time is up.",
    NO_ATTEMPTS_LEFT="The learner has used all attempts at the quiz.",
    PRICE_CHANGED="The price of the course is not `expectedPrice` any more.",
    IDEMPOTENCY_MISMATCH="The idempotency key was used with other input.",
    NOT_REFUNDABLE="The transaction cannot be refunded. The message says why.",
    PAYMENT_FAILED="The payment gateway rejected the request or did not answer. The message says which.",
)


@object_type
class UserError:
    """An error that the caller can correct.

    All other errors (not logged in, no permission, malformed request) are top-level errors with `extensions.code`.
    """

    code: ErrorCode = field("Reason of the error, for programs.")
    message: str = field("Explanation for users: the problem, then what to do.")
    path: list[str] | None = field(
        'Path of the input field, for example ["input", "price"]; null if no single field is wrong.'
    )
    limit: str | None = field(
        "With TOO_SHORT, TOO_LONG, OUT_OF_RANGE and LIMIT_REACHED: the highest or lowest value that is allowed, as a "
        "plain number; null if the bound is not a number, and if a number has too many decimals. With RATE_LIMITED "
        "of a username: the days between two changes.",
        default=None,
    )
    subject_reference: strawberry.Private[tuple[str, int] | None] = None

    @strawberry.field
    def subject(self, info: Info) -> Node | None:
        """With NOT_READY and IN_USE: the object that is in the way, if it is another one than the input names.

        If there are many, such as enrollments, it is null. It is also null if the viewer may not see it.
        """
        reference = self.subject_reference
        return None if reference is None else info.context.node(global_ids.encode(*reference))


def errors_field() -> Any:
    """Return the `errors` field of a payload."""
    return strawberry.field(description="Why the mutation failed; empty if it succeeded.", default_factory=list)


@object_type
class DonePayload:
    """Result of a mutation that returns no object."""

    ok: bool = field("Whether the mutation succeeded.", default=False)
    errors: list[UserError] = errors_field()


@object_type
class DeletePayload:
    """Result of deleting an object: its id, or errors."""

    deleted_id: strawberry.ID | None = field("Id of the deleted object; null if there are errors.", default=None)
    course_key: strawberry.Private[int | None] = None
    errors: list[UserError] = errors_field()


class DomainErrorsExtension(FieldExtension):
    """Field extension that returns domain errors as a payload. Its other fields have their defaults.

    It also notes whether the mutation has saved its change, for errors while the payload is loaded.
    """

    def __init__(self) -> None:
        self._payload_type: Any = None

    def apply(self, field: StrawberryField) -> None:
        self._payload_type = payload_type(field)

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: Any, **kwargs: Any) -> Any:
        context: Context = info.context
        write_count, result = context.write_count, "failed"
        try:
            value = await next_(source, info, **kwargs)
            result = "ok"
            return value
        except (DomainError, DomainErrors) as error:
            clear_tracebacks([error])  # because its frames may refer to the error: see `Context.close`
            errors = error.errors if isinstance(error, DomainErrors) else [error]
            result = errors[0].code.value
            named_ids = _ids_in(kwargs.get("input"))
            return self._payload_type(errors=[_user_error(error, named_ids) for error in errors])
        finally:
            metrics.MUTATIONS.labels(info.field_name, result).inc()
            if context.write_count > write_count:
                context.written_fields.add(info.path.key)


def mutation(
    *permissions: type[Permission], deprecation_reason: str | None = None
) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator for a mutation that requires the permissions, and a logged-in actor.

    Without permissions, the mutation is open to anonymous viewers.
    """

    def decorate(resolver: Callable[..., Any]) -> Any:
        permission_extensions = [require(IsSignedIn, *permissions)] if permissions else []
        return strawberry.mutation(
            resolver=resolver,
            description=docstring_description(resolver),
            extensions=[DomainErrorsExtension(), *permission_extensions],
            deprecation_reason=deprecation_reason,
        )

    return decorate


def run_once(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """Return a resolver of a mutation that returns or raises the outcome that is in the context, if there is one.

    A plan has run the mutation then, and failed afterwards. The executor completes the payload, or reports the error.
    """

    @wraps(resolve)
    async def resolve_once(source: Any, info: Any, **arguments: Any) -> Any:
        outcome = info.context.mutation_outcome
        if outcome is None:
            return await resolve(source, info, **arguments)
        if outcome.error is not None:
            raise outcome.error
        return outcome.payload

    return resolve_once


def _user_error(error: DomainError, named_ids: Container[str]) -> UserError:
    """Return the error for clients, without a subject that the input names anyway."""
    path = ["input", *map(to_camel_case, error.path)] if error.path else None
    limit = None if error.limit is None else f"{Decimal(error.limit):f}"
    is_new = error.subject is not None and global_ids.encode(*error.subject) not in named_ids
    subject = error.subject if is_new else None
    return UserError(code=error.code, message=error.message, path=path, limit=limit, subject_reference=subject)


def _ids_in(input: object) -> set[str]:
    """Return the texts in the input's own fields. Ids are among them."""
    return {value for value in getattr(input, "__dict__", {}).values() if isinstance(value, str)}


async def payload(
    context: Context, payload_type: Callable[..., PayloadT], **fields: tuple[BatchRead, Any]
) -> PayloadT:
    """Return a payload whose fields are loaded after the write, each by its batch read and key.

    A field is null if the object no longer exists or if the viewer may not see it.
    """
    values = {name: await context.load_async(read, key) for name, (read, key) in fields.items()}
    return payload_type(**values)


def provided_fields(input: Any) -> dict[str, Any]:
    """Return the fields that the client has sent, null included, by their Python names."""
    values = ((field.name, getattr(input, field.name)) for field in dataclass_fields(input))
    return {name: value.value for name, value in values if isinstance(value, strawberry.Some)}
