"""Random payloads of mutations, with rows of a database."""

from dataclasses import fields
from random import Random
from typing import Any

from graphql import GraphQLField, GraphQLSchema, get_named_type, get_nullable_type, is_list_type, is_non_null_type
from sqlalchemy.orm import Session

from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.errors import ErrorCode
from lms_graphql.graph.context import MutationOutcome
from lms_graphql.graph.schema.mutations import UserError
from lms_graphql.graph.schema.strawberry_internals import StrawberryField, payload_type
from lms_graphql.schema import NODE_LOADERS

ADMIN = Actor(1, Role.SUPER_ADMIN)
LEAVES = {"Boolean": True, "ID": "Q291cnNlOjE", "Int": 3, "String": "text"}


def random_outcome(session: Session, schema: GraphQLSchema, mutation: str, random: Random) -> MutationOutcome:
    """Return a payload of the mutation. Rarely it is null, or the mutation has raised an error."""
    if random.random() < 0.1:
        return MutationOutcome(None, random.choice([None, LookupError("the reason")]))
    assert schema.mutation_type is not None
    definition = schema.mutation_type.fields[mutation]
    payload: Any = get_named_type(definition.type)
    by_python_name = {_field(each).python_name: each for each in payload.fields.values()}
    python_type = payload_type(_field(definition))
    values = {
        each.name: _random_value(session, by_python_name[each.name].type, random)
        for each in fields(python_type)
        if each.init and each.name in by_python_name
    }
    return MutationOutcome(python_type(**values), None)


def _field(definition: GraphQLField) -> StrawberryField:
    field: StrawberryField = definition.extensions["strawberry-definition"]
    return field


def _random_value(session: Session, graphql_type: Any, random: Random) -> Any:
    kind = get_nullable_type(graphql_type)
    if is_list_type(kind):
        values = [_random_value(session, kind.of_type, random) for _ in range(random.randint(0, 3))]
        return [value for value in values if value is not None or not is_non_null_type(kind.of_type)]
    if kind.name == "UserError":
        subject = random.choice([None, ("Course", random.randint(1, 8)), ("Lecture", 1)])
        return UserError(code=random.choice(list(ErrorCode)), message="text", path=None, subject_reference=subject)
    if kind.name in LEAVES:
        return LEAVES[kind.name]
    read = NODE_LOADERS.get(kind.name)
    return None if read is None else read(session, ADMIN, [key := random.randint(1, 8)]).get(key)
