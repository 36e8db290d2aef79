"""The machinery of mutations: refusals become the payload's errors, doors are top-level, faults are masked."""

import asyncio
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Standard

from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from lms_graphql.core.errors import DomainError, DomainErrors, ErrorCode
from lms_graphql.graph import error_formatting
from lms_graphql.graph.schema.builder import build_schema
from lms_graphql.graph.schema.fields import field, input_type, object_type
from lms_graphql.graph.schema.mutations import UserError, mutation
from lms_graphql.graph.schema.permissions import IsInstructor


@object_type
class NumberPayload:
    """What came of it."""

    number: int | None = field("The number.", default=None)
    errors: list[UserError] = strawberry.field(description="What was refused.", default_factory=list)


@input_type()
class NumberInput:
    """A number."""

    number: int = field("The number.")


@strawberry.type
class Query:
    nothing: int = 1


@strawberry.type
class Mutation:
    @mutation()
    async def open_to_all(self, input: NumberInput) -> NumberPayload | None:
        """Refuses what is below nought."""
        if input.number < -1:
            refused = [("first",), ("items", "1", "full_name")]
            raise DomainErrors([DomainError(ErrorCode.REQUIRED, "Say it.", path) for path in refused])
        if input.number < 0:
            raise DomainError(ErrorCode.OUT_OF_RANGE, "Give a number from 0.", ("number",))
        if input.number > 99:
            raise LookupError("a secret")
        return NumberPayload(number=input.number)

    @mutation(IsInstructor)
    async def for_instructors(self, input: NumberInput) -> NumberPayload | None:
        """Behind a door."""
        return NumberPayload(number=input.number)


schema = build_schema(Query, Mutation)._schema


class Asking:
    def __init__(self, actor: Actor) -> None:
        self.actor = actor


def ask(field: str, number: int, actor: Actor = ANONYMOUS) -> ExecutionResult:
    text = f"mutation {{ {field}(input: {{number: {number}}}) {{ number errors {{ code message path }} }} }}"

    async def run() -> ExecutionResult:
        result: Any = execute(schema, parse(text), context_value=Asking(actor), executor_class=Standard)
        return result if isinstance(result, ExecutionResult) else await result

    return asyncio.run(run())


def test_what_works_has_no_errors() -> None:
    assert ask("openToAll", 5).data == {"openToAll": {"number": 5, "errors": []}}


def test_a_refusal_is_data_with_the_way_to_the_input_field() -> None:
    result = ask("openToAll", -1)
    error = {"code": "OUT_OF_RANGE", "message": "Give a number from 0.", "path": ["input", "number"]}
    assert result.errors is None
    assert result.data == {"openToAll": {"number": None, "errors": [error]}}


def test_all_refusals_come_at_once_and_their_paths_are_in_camel_case() -> None:
    data = ask("openToAll", -2).data
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
def test_a_door_answers_at_the_top_level(actor: Actor, code: str | None) -> None:
    result = ask("forInstructors", 1, actor)
    codes = [error_formatting.from_field_error(error).extensions["code"] for error in result.errors or ()]  # type: ignore[index]
    assert codes == ([] if code is None else [code])


def test_what_nobody_foresaw_is_masked() -> None:
    result = ask("openToAll", 100)
    assert result.errors is not None
    shown = error_formatting.from_field_error(result.errors[0]).formatted
    assert shown["extensions"]["code"] == "INTERNAL_ERROR"
    assert "secret" not in str(shown)
