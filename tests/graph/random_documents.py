"""Random queries of a schema: nested fields with aliases, fragments, directives and variables."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from lms_graphql.graph.documents import DocumentCache
from tests.graph.random_inputs import random_input

MAX_DEPTH = 5
MAX_FIELDS = 5
"""Fields of one selection."""
MAX_ALIASES = 80
"""Fields of a document after which only leaves are selected."""
EXCLUDED = {"verifyCertificate"}
"""Fields that write."""


@dataclass
class RandomDocument:
    """A random query with its variables, or the mutation of this name.

    `texts` are values for text and id arguments, by argument name.
    """

    schema: GraphQLSchema
    random: Random
    texts: dict[str, list[str]]
    object_fields: frozenset[str] | None = None
    """Names of the fields that may be selected if they have fields below; None for all."""
    mutation: str = ""
    variables: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    _definitions: list[str] = field(default_factory=list)
    _fragments: list[str] = field(default_factory=list)
    _aliases: int = 0

    def __post_init__(self) -> None:
        query_type, mutation_type = self.schema.query_type, self.schema.mutation_type
        assert query_type is not None
        assert mutation_type is not None
        if self.mutation:
            selection = self._mutation(mutation_type.fields[self.mutation])
        else:
            selection = self._selection(query_type, MAX_DEPTH)
        definitions = f"({', '.join(self._definitions)})" if self._definitions else ""
        kind = "mutation" if self.mutation else "query"
        self.text = "\n".join([f"{kind} Random{definitions} {selection}", *self._fragments])

    def _mutation(self, definition: GraphQLField) -> str:
        payload = self._selection(get_named_type(definition.type), MAX_DEPTH - 1)
        values = {
            name: self._variable(str(argument.type), random_input(argument.type, self.random))
            for name, argument in definition.args.items()
        }
        arguments = f"({', '.join(f'{name}: {value}' for name, value in values.items())})" if values else ""
        return f"{{ {self.mutation}{arguments} {payload} }}"

    def _selection(self, graphql_type: Any, depth: int) -> str:
        fields = {name: definition for name, definition in graphql_type.fields.items() if name not in EXCLUDED}
        leaves = [name for name, definition in fields.items() if is_leaf_type(get_named_type(definition.type))]
        objects = [name for name in fields if name not in leaves]
        if self.object_fields is not None:
            objects = [name for name in objects if name in self.object_fields]
        groups = [leaves, objects if depth > 1 and self._aliases < MAX_ALIASES else []]
        names = [
            self.random.choice(self.random.choice([group for group in groups if group] or [["__typename"]]))
            for _ in range(self.random.randint(1, MAX_FIELDS))
        ]
        parts = [self._field(name, fields.get(name), depth) for name in names]
        if is_abstract_type(graphql_type):
            types = self.random.sample(self.schema.get_possible_types(graphql_type), 2)
            parts += [f"... on {each.name} {self._selection(each, depth - 1)}" for each in types]
        if self.random.random() < 0.2:
            parts = [self._fragment(graphql_type, parts)]
        return f"{{ {' '.join(parts)} {'__typename' if self.random.random() < 0.2 else ''} }}"

    def _fragment(self, graphql_type: Any, parts: list[str]) -> str:
        if self.random.random() < 0.5:
            return f"... {self._directive()} {{ {' '.join(parts)} }}"
        name = f"F{len(self._fragments)}"
        self._fragments.append(f"fragment {name} on {graphql_type.name} {{ {' '.join(parts)} }}")
        return f"...{name} {self._directive()} __typename"

    def _field(self, name: str, definition: GraphQLField | None, depth: int) -> str:
        self._aliases += 1
        alias = f"a{self._aliases}: " if self.random.random() < 0.9 or definition is None or definition.args else ""
        if definition is None:
            return f"{alias}{name}"
        named_type: Any = get_named_type(definition.type)
        below = "" if is_leaf_type(named_type) else self._selection(named_type, depth - 1)
        return f"{alias}{name}{self._arguments(definition)} {self._directive()} {below}"

    def _directive(self) -> str:
        if self.random.random() > 0.1:
            return ""
        name, value = self.random.choice(["skip", "include"]), self.random.random() < 0.5
        if self.random.random() < 0.5:
            return f"@{name}(if: {str(value).lower()})"
        return f"@{name}(if: {self._variable('Boolean!', value)})"

    def _arguments(self, definition: GraphQLField) -> str:
        arguments = []
        for name, argument in definition.args.items():
            is_required = is_non_null_type(argument.type)
            if is_required or (self.random.random() < 0.3 and name != "last"):
                value = self._value(name, get_nullable_type(argument.type))
                if value is not None:
                    arguments.append(f"{name}: {value}")
        return f"({', '.join(arguments)})" if arguments else ""

    def _value(self, name: str, input_type: Any) -> str | None:
        """Return the text of a literal or a variable; None if the argument is left out."""
        if is_list_type(input_type):
            items = [self._value(name.removesuffix("s"), get_nullable_type(input_type.of_type)) for _ in range(3)]
            return f"[{', '.join(item for item in items if item is not None)}]"
        if isinstance(input_type, GraphQLEnumType):
            return self.random.choice(list(input_type.values))
        if input_type.name == "Int":
            number = self.random.randint(1, 4)
            return str(number) if self.random.random() < 0.5 else self._variable("Int", number)
        if input_type.name == "Boolean":
            return self.random.choice(["true", "false"])
        if name not in self.texts:
            return None
        value = self.random.choice(self.texts[name])
        return f'"{value}"' if self.random.random() < 0.5 else self._variable(f"{input_type.name}!", value)

    def _variable(self, type_name: str, value: Any) -> str:
        name = f"v{len(self._definitions)}"
        self._definitions.append(f"${name}: {type_name}")
        self.variables[name] = value
        return f"${name}"


def random_document(
    schema: GraphQLSchema,
    documents: DocumentCache,
    random: Random,
    texts: dict[str, list[str]],
    object_fields: frozenset[str] | None = None,
    mutation: str = "",
) -> RandomDocument:
    """Return a valid document. Two fields of one name may conflict, so a random one may be invalid."""
    while True:
        document = RandomDocument(schema, random, texts, object_fields, mutation)
        if not documents.prepare(document.text).errors:
            return document
