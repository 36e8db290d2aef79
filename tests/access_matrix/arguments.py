"""What fields are asked with: what must be given, and what might bring out something that should stay hidden."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    ObjectValueNode,
    OperationDefinitionNode,
    ValueNode,
    get_named_type,
    parse,
)

from lms_graphql.schema import NODE_LOADERS
from tests.access_matrix.fixtures.certificates import CODE
from tests.access_matrix.world import World

PAGE = 15
"""Of a list in pages: all that is planted, or the oracle says that it is blind."""
SHORT = 4
"""The same, of lists inside lists, which cost more."""


@dataclass(frozen=True)
class Variant:
    """
    Arguments as they stand in a document. `finds`: the labels that are there to be found, of which exactly those come
    that the viewer sees; None where the table alone is asked.
    """

    text: str
    finds: tuple[str, ...] | None = None
    kind: str | None = None
    """Which type to look for, where the field's own is abstract."""


PLAIN = (Variant(""),)
ONESELF = "oneself"
"""In place of a label: the viewer's own person."""


def variants(world: World) -> dict[str, tuple[Variant, ...]]:
    """By `Type.field`. The first one is asked with everything below it, the others with what they bring alone."""
    return {
        "Query.node": tuple(_node(world)),
        "Query.nodes": tuple(_nodes(world)),
        "Query.me": (Variant("", (ONESELF,)),),
        "Query.category": tuple(_by_slug(world, "Category")),
        "Query.categories": (Variant("", ("root",)),),
        "Query.course": tuple(_by_slug(world, "Course")),
        "Query.courses": tuple(_courses(world)),
        "Query.users": tuple(_users()),
        "Query.verifyCertificate": (Variant(f'code: "{CODE}"'),),
        "Query.instructorApplications": tuple(_applications()),
        "User.courses": tuple(Variant(f"status: {status}") for status in ("DRAFT", "PUBLISHED", "ARCHIVED")),
        "User.enrollments": (Variant(""), Variant("status: COMPLETED")),
        "Course.enrollments": (Variant(""), Variant("status: CANCELLED")),
        "Category.courses": (Variant("orderBy: TITLE"),),
        "PublishProblem.subject": (Variant("", kind="Lecture"),),
        "Lecture.qaQuestions": tuple(_questions()),
        "QAQuestion.answers": (Variant(f"first: {SHORT}"),),
    }


def _gids(world: World) -> Iterable[tuple[str, str, str]]:
    """Of what `node` knows: some ids are for caches alone."""
    known = [planted for planted in world.by_global_id.values() if planted.kind in NODE_LOADERS]
    return [(planted.kind, planted.label, planted.global_id) for planted in known]


def _node(world: World) -> Iterable[Variant]:
    for kind, label, global_id in _gids(world):
        yield Variant(f'id: "{global_id}"', (label,), kind)


def _nodes(world: World) -> Iterable[Variant]:
    for kind in dict.fromkeys(kind for kind, _, _ in _gids(world)):
        these = world.of_kind(kind)
        ids = " ".join(f'"{planted.global_id}"' for planted in these)
        yield Variant(f"ids: [{ids}]", tuple(planted.label for planted in these), kind)


def _by_slug(world: World, kind: str) -> Iterable[Variant]:
    for planted in world.of_kind(kind):
        yield Variant(f'slug: "{planted.canaries[f"{kind}.slug"]}"', (planted.label,))


def _courses(world: World) -> Iterable[Variant]:
    published, drafts, archived = ("published", "orphan"), ("draft", "theirs"), ("archived",)
    yield Variant("", published)
    by_status = {"PUBLISHED": published, "DRAFT": drafts, "ARCHIVED": archived}
    for status, found in by_status.items():
        yield Variant(f"filter: {{status: {status}}}", found)
        yield Variant(f'filter: {{status: {status}}} search: "canary"', found)
        for teacher, theirs in (
            ("teacher", {"published", "draft", "archived"}),
            ("rival", {"theirs"}),
            ("gone", {"orphan"}),
        ):
            sought = tuple(label for label in found if label in theirs)
            yield Variant(f'filter: {{status: {status} instructorId: "{world.global_id(teacher)}"}}', sought)
        yield Variant(f'filter: {{status: {status} categoryId: "{world.global_id("root")}"}}', found)
    everything = 'difficulty: BEGINNER language: "en" isFree: true isFeatured: false currency: "USD" minPrice: 0'
    yield Variant(f"filter: {{status: DRAFT {everything} maxPrice: 0}} orderBy: TITLE", drafts)
    yield Variant('search: "canary draft title"', ())
    yield Variant('filter: {status: DRAFT} search: "canary draft title"', ("draft",))


def _users() -> Iterable[Variant]:
    yield Variant("")
    yield Variant('filter: {search: "canary suspended"}', ("suspended",))
    yield Variant("filter: {role: SUPER_ADMIN isActive: true} orderBy: NAME", ("admin",))
    yield Variant(
        'filter: {isActive: false createdAfter: "2020-01-01T00:00:00Z" createdBefore: "2999-01-01T00:00:00Z"}',
        ("suspended", "gone"),
    )


def _applications() -> Iterable[Variant]:
    yield Variant("", ("waiting", "refused"))
    yield Variant("status: PENDING", ("waiting",))
    yield Variant("status: REJECTED", ("refused",))


def _questions() -> Iterable[Variant]:
    for asked in ("orderBy: OLDEST", "orderBy: MOST_VOTED isAnswered: true", "isAnswered: false"):
        yield Variant(f"first: {SHORT} {asked}")


PAGING = {"first", "after", "last", "before"}


def asked(schema: GraphQLSchema, variants: Mapping[str, tuple[Variant, ...]]) -> set[str]:
    """Every argument, pages aside, and every member of an input, that some variant gives."""
    found = set()
    for coordinate, several in variants.items():
        kind, name = coordinate.split(".")
        definition = _fields(schema)[kind][name]
        for variant in several:
            for argument in _parsed(variant.text):
                if argument.name.value not in PAGING:
                    found.add(f"{coordinate}({argument.name.value})")
                found |= _members(get_named_type(definition.args[argument.name.value].type), argument.value)
    return found


def offered(schema: GraphQLSchema) -> set[str]:
    """Every argument of every field that can be read, pages aside, and every member of their inputs."""
    found = set()
    for kind, fields in _fields(schema).items():
        for name, definition in fields.items():
            for argument, make in definition.args.items():
                if argument not in PAGING:
                    found.add(f"{kind}.{name}({argument})")
                    found |= _all_members(get_named_type(make.type))
    return found


def _fields(schema: GraphQLSchema) -> dict[str, dict[str, GraphQLField]]:
    return {
        kind.name: kind.fields
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType) and kind is not schema.mutation_type and not kind.name.startswith("__")
    }


def _parsed(text: str) -> tuple[ArgumentNode, ...]:
    if not text:
        return ()
    (operation,) = parse(f"{{ field({text}) }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    (field,) = operation.selection_set.selections
    assert isinstance(field, FieldNode)
    return tuple(field.arguments or ())


def _members(kind: GraphQLNamedType, value: ValueNode) -> set[str]:
    if not isinstance(kind, GraphQLInputObjectType) or not isinstance(value, ObjectValueNode):
        return set()
    found = set()
    for member in value.fields:
        name = member.name.value
        found |= {f"{kind.name}.{name}"} | _members(get_named_type(kind.fields[name].type), member.value)
    return found


def _all_members(kind: GraphQLNamedType) -> set[str]:
    if not isinstance(kind, GraphQLInputObjectType):
        return set()
    found = set()
    for name, member in kind.fields.items():
        found |= {f"{kind.name}.{name}"} | _all_members(get_named_type(member.type))
    return found
