"""Mutations: domain errors are in the payload, permission errors are top-level, unexpected exceptions are masked."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute, parse

from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from lms_graphql.core.errors import DomainError, DomainErrors, ErrorCode
from lms_graphql.graph import error_formatting
from lms_graphql.graph.schema.builder import build_schema
from lms_graphql.graph.schema.fields import field, input_type, object_type
from lms_graphql.graph.schema.mutations import UserError, mutation
from lms_graphql.graph.schema.permissions import Permission


@object_type
class NumberPayload:
    """Result: the number, or errors."""

    number: int | None = field("The number.", default=None)
    errors: list[UserError] = strawberry.field(description="Errors.", default_factory=list)


@input_type()
class NumberInput:
    """A number."""

    number: int = field("The number.")


@strawberry.type
class Query:
    nothing: int = 1


class IsInstructor(Permission):
    def allows(self, actor: Actor, source: Any) -> bool:
        return actor.role in {Role.INSTRUCTOR, Role.SUPER_ADMIN}


@strawberry.type
class Mutation:
    @mutation()
    async def open_to_all(self, input: NumberInput) -> NumberPayload | None:
        """Return a number from 0 to 99."""
        if input.number < -1:
            paths = [("first",), ("items", "1", "full_name")]
            raise DomainErrors([DomainError(ErrorCode.REQUIRED, "Give a value.", path) for path in paths])
        if input.number < 0:
            raise DomainError(ErrorCode.OUT_OF_RANGE, "Give a number from 0.", ("number",))
        if input.number > 99:
            raise LookupError("a secret")
        return NumberPayload(number=input.number)

    @mutation(IsInstructor)
    async def for_instructors(self, input: NumberInput) -> NumberPayload | None:
        """Return the number. Requires an instructor."""
        return NumberPayload(number=input.number)


schema = build_schema(Query, Mutation).graphql_schema


def mutate(field: str, number: int, actor: Actor = ANONYMOUS) -> ExecutionResult:
    text = f"mutation {{ {field}(input: {{number: {number}}}) {{ number errors {{ code message path }} }} }}"

    context = SimpleNamespace(actor=actor, write_count=0, written_fields=set(), mutation_outcome=None)

    async def run() -> ExecutionResult:
        result: Any = execute(schema, parse(text), context_value=context)
        return result if isinstance(result, ExecutionResult) else await result

    return asyncio.run(run())


def test_successful_mutation_has_no_errors() -> None:
    assert mutate("openToAll", 5).data == {"openToAll": {"number": 5, "errors": []}}


def test_domain_error_is_returned_in_payload() -> None:
    result = mutate("openToAll", -1)
    error = {"code": "OUT_OF_RANGE", "message": "Give a number from 0.", "path": ["input", "number"]}
    assert result.errors is None
    assert result.data == {"openToAll": {"number": None, "errors": [error]}}


def test_several_domain_errors_have_camel_case_paths() -> None:
    data = mutate("openToAll", -2).data
    assert data is not None
    paths = [error["path"] for error in data["openToAll"]["errors"]]
    assert paths == [["input", "first"], ["input", "items", "1", "fullName"]]


@pytest.mark.parametrize(
    ("actor", "code"),
    [
        (ANONYMOUS, "UNAUTHENTICATED"),
        (Actor(1, Role.LEARNER), "FORBIDDEN"),
        (Actor(1, Role.INSTRUCTOR), None),
        (Actor(1, Role.SUPER_ADMIN), None),
    ],
)
def test_missing_permission_is_a_top_level_error(actor: Actor, code: str | None) -> None:
    result = mutate("forInstructors", 1, actor)
    codes = [error_formatting.from_field_error(error).extensions["code"] for error in result.errors or ()]  # type: ignore[index]
    assert codes == ([] if code is None else [code])


def test_unexpected_exception_is_masked() -> None:
    result = mutate("openToAll", 100)
    assert result.errors is not None
    formatted = error_formatting.from_field_error(result.errors[0]).formatted
    assert formatted["extensions"]["code"] == "INTERNAL_ERROR"
    assert "secret" not in str(formatted)
