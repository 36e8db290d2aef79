"""The schema of this house: fields hung from above are on their types, descriptions come from docstrings."""

from typing import Any

import strawberry
from graphql import GraphQLObjectType
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from lms_graphql.graph.describing import text_of
from lms_graphql.graph.edges import hung_on
from lms_graphql.graph.scalars import SCALARS


class Schema(strawberry.Schema):
    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        fields = [*type_definition.fields, *hung_on(type_definition.origin)]
        for field in fields:
            if field.description is None and field.base_resolver is not None:
                field.description = text_of(field.base_resolver.wrapped_func)
        return fields


def build(query: type, mutation: type | None = None, types: tuple[Any, ...] = ()) -> Schema:
    config = StrawberryConfig(scalar_map=SCALARS, sort_schema=True)
    schema = Schema(query=query, mutation=mutation, types=types, config=config)
    for kind in schema._schema.type_map.values():
        if isinstance(kind, GraphQLObjectType):
            # Rows serve as objects, and Node.resolve_type says which type a row is: nothing is left to ask.
            kind.is_type_of = None
    return schema
