"""Arguments of fields: required ones, and those that might return something that should be hidden."""

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

from lms_graphql.assessment.models import AttemptStatus
from lms_graphql.assessment.reads.questions import QUESTION_KINDS
from lms_graphql.schema import NODE_LOADERS
from tests.access_matrix.fixture_objects import FixtureObject, FixtureObjects
from tests.access_matrix.fixtures.certificates import CODE

PAGE_SIZE = 14
"""Items of a page. A page must have all fixtures, because a cut page could hide a leak."""
SHORT_PAGE_SIZE = 4
"""Items of a page in lists inside lists, which cost more."""
QUESTION_PAGE_SIZE = 6
"""Questions of a page in the lists of a course and of a user."""


@dataclass(frozen=True)
class Variant:
    """Arguments of a field, as text in a document."""

    text: str
    expected: tuple[str, ...] | None = None
    """Labels of the matching fixtures: viewers get those that they may see. None: only the matrix is checked."""
    type_name: str | None = None
    """Object type to select if the field's own type is abstract."""


PLAIN = (Variant(""),)
CHOICE_QUESTION = (Variant("", type_name="MultipleChoiceQuestion"),)
VIEWER = "viewer"
"""Label that stands for the viewer's own user."""


def variants(objects: FixtureObjects) -> dict[str, tuple[Variant, ...]]:
    """Return variants by `Type.field`. The first is sent with all paths below it, the others with their leaves."""
    return {
        "Query.node": tuple(_node(objects)),
        "Query.nodes": tuple(_nodes(objects)),
        "Query.me": (Variant("", (VIEWER,)),),
        "Query.category": tuple(_by_slug(objects, "Category")),
        "Query.categories": (Variant("", ("root",)),),
        "Query.categoryTree": (Variant("", ("root", "child")),),
        "Query.course": tuple(_by_slug(objects, "Course")),
        "Query.courses": tuple(_courses(objects)),
        "Query.courseFacets": (Variant(""), Variant('filter: {status: DRAFT} search: "marker"')),
        "Query.user": tuple(_by_username(objects)),
        "Query.users": tuple(_users()),
        "Query.verifyCertificate": (Variant(f'code: "{CODE}"'),),
        "Query.instructorApplications": tuple(_applications()),
        "Query.auditEvents": tuple(_audit_events(objects)),
        "Query.transactions": tuple(_transactions(objects)),
        "Query.payouts": tuple(_payouts(objects)),
        "InstructorDashboard.earnings": (Variant(""), Variant("status: PAID")),
        "User.courses": tuple(Variant(f"status: {status}") for status in ("DRAFT", "PUBLISHED", "ARCHIVED")),
        "User.enrollments": (Variant(""), Variant("status: COMPLETED orderBy: LAST_ACCESSED")),
        "Course.enrollments": (Variant(""), Variant('status: CANCELLED search: "marker" orderBy: MOST_PROGRESS')),
        "Course.invitations": (Variant(""), Variant("status: ACCEPTED")),
        "Category.courses": (Variant("orderBy: TITLE"),),
        "PublishProblem.subject": (Variant("", type_name="Lecture"),),
        "UserError.subject": (),  # null in these payloads, and loaded as by Query.node
        "Lecture.qaQuestions": tuple(_questions(SHORT_PAGE_SIZE)),
        "Course.qaQuestions": (
            *_questions(QUESTION_PAGE_SIZE),
            Variant(f'first: {QUESTION_PAGE_SIZE} search: "marker question"'),
        ),
        "User.qaQuestions": (Variant(f"first: {QUESTION_PAGE_SIZE}"),),
        "User.notes": (
            Variant(f"first: {SHORT_PAGE_SIZE}"),
            Variant(f'first: {SHORT_PAGE_SIZE} courseId: "{objects.global_id("published")}"'),
        ),
        "QAQuestion.answers": (Variant(f"first: {SHORT_PAGE_SIZE}"),),
        "Quiz.questions": tuple(Variant("", type_name=name) for name in QUESTION_KINDS.values()),
        "Quiz.export": (Variant("format: JSON"),),
        "Quiz.attempts": (Variant(""), *(Variant(f"status: {status.name}") for status in AttemptStatus)),
        "QuestionPayload.question": CHOICE_QUESTION,
        "RegradeQuestionPayload.question": CHOICE_QUESTION,
    }


def _nodes_of_all_types(objects: FixtureObjects) -> list[FixtureObject]:
    """Return the fixtures that `Query.node` returns. Ids of other types serve client caches alone."""
    return [fixture for fixture in objects.by_global_id.values() if fixture.kind in NODE_LOADERS]


def _node(objects: FixtureObjects) -> Iterable[Variant]:
    for fixture in _nodes_of_all_types(objects):
        yield Variant(f'id: "{fixture.global_id}"', (fixture.label,), fixture.kind)


def _nodes(objects: FixtureObjects) -> Iterable[Variant]:
    for kind in dict.fromkeys(fixture.kind for fixture in _nodes_of_all_types(objects)):
        fixtures = objects.of_kind(kind)
        ids = " ".join(f'"{fixture.global_id}"' for fixture in fixtures)
        yield Variant(f"ids: [{ids}]", tuple(fixture.label for fixture in fixtures), kind)


def _by_slug(objects: FixtureObjects, kind: str) -> Iterable[Variant]:
    for fixture in objects.of_kind(kind):
        yield Variant(f'slug: "{fixture.markers[f"{kind}.slug"]}"', (fixture.label,))


def _by_username(objects: FixtureObjects) -> Iterable[Variant]:
    for fixture in objects.of_kind("User"):
        username = fixture.markers.get("User.username", f"deleted~{objects.users[fixture.label].id}")
        yield Variant(f'username: "{username}"', (fixture.label,))


def _courses(objects: FixtureObjects) -> Iterable[Variant]:
    published, drafts, archived = ("published", "orphan"), ("draft", "otherdraft"), ("archived",)
    root_slug = objects.by_label["root"].markers["Category.slug"]
    yield Variant("", published)
    by_status = {"PUBLISHED": published, "DRAFT": drafts, "ARCHIVED": archived}
    for status, labels in by_status.items():
        yield Variant(f"filter: {{status: {status}}}", labels)
        yield Variant(f'filter: {{status: {status}}} search: "marker"', labels)
        for instructor, courses in (
            ("instructor", {"published", "draft", "archived"}),
            ("colleague", {"otherdraft"}),
            ("deleted", {"orphan"}),
        ):
            expected = tuple(label for label in labels if label in courses)
            yield Variant(f'filter: {{status: {status} instructorId: "{objects.global_id(instructor)}"}}', expected)
        yield Variant(f'filter: {{status: {status} categoryId: "{objects.global_id("root")}"}}', labels)
        yield Variant(f'filter: {{status: {status} categorySlug: "{root_slug}"}}', labels)
    yield Variant("filter: {statuses: [DRAFT, ARCHIVED]}", (*drafts, *archived))
    all_filters = (
        'difficulty: BEGINNER language: "en" languages: ["en"] isFree: true isFeatured: false difficulties: BEGINNER'
    )
    prices = 'currency: "USD" minPrice: 0 maxPrice: 0'
    ranges = 'minDurationSeconds: 0 maxDurationSeconds: 99999 updatedAfter: "2020-01-01T00:00:00Z"'
    yield Variant(f"filter: {{status: DRAFT {all_filters} {prices} {ranges}}} orderBy: TITLE", drafts)
    yield Variant('search: "marker draft title"', ())
    yield Variant('filter: {status: DRAFT} search: "marker draft title"', ("draft",))


def _users() -> Iterable[Variant]:
    yield Variant("")
    yield Variant('filter: {search: "marker suspended"}', ("suspended",))
    yield Variant("filter: {role: SUPER_ADMIN isActive: true} orderBy: NAME", ("admin",))
    yield Variant(
        'filter: {isActive: false createdAfter: "2020-01-01T00:00:00Z" createdBefore: "2999-01-01T00:00:00Z"}',
        ("suspended", "deleted"),
    )


def _applications() -> Iterable[Variant]:
    yield Variant("", ("pending", "rejected"))
    yield Variant("status: PENDING", ("pending",))
    yield Variant("status: REJECTED", ("rejected",))


def _audit_events(objects: FixtureObjects) -> Iterable[Variant]:
    actor, subject = objects.global_id("instructor"), objects.global_id("published")
    yield Variant("", ("event", "systemevent"))
    yield Variant(f'filter: {{actorId: "{actor}" subjectId: "{subject}"}}', ("event",))
    yield Variant(f'filter: {{action: "{objects.by_label["event"].markers["AuditEvent.action"]}"}}', ("event",))
    yield Variant('filter: {createdAfter: "2026-01-01T12:00:00Z"}', ("systemevent",))
    yield Variant('filter: {createdBefore: "2026-01-01T12:00:00Z"}', ("event",))


def _transactions(objects: FixtureObjects) -> Iterable[Variant]:
    """Yield filters. Instructors see more transactions than they list here, so the results are not compared."""
    yield Variant("")
    buyer, course = objects.global_id("enrolled"), objects.global_id("published")
    times = 'createdAfter: "2020-01-01T00:00:00Z" createdBefore: "2999-01-01T00:00:00Z"'
    yield Variant(f'filter: {{userId: "{buyer}" courseId: "{course}" status: PARTIALLY_REFUNDED {times}}}')


def _payouts(objects: FixtureObjects) -> Iterable[Variant]:
    yield Variant("", ("payout-instructor",))
    instructor, colleague = (objects.global_id(label) for label in ("instructor", "colleague"))
    yield Variant(f'filter: {{instructorId: "{instructor}" status: PAID}}', ("payout-instructor",))
    yield Variant(f'filter: {{instructorId: "{colleague}"}}', ())
    yield Variant("filter: {status: SCHEDULED}", ())


def _questions(page_size: int) -> Iterable[Variant]:
    for arguments in ("orderBy: OLDEST", "orderBy: MOST_VOTED isAnswered: true", "isAnswered: false"):
        yield Variant(f"first: {page_size} {arguments}")


PAGINATION = {"first", "after", "last", "before"}


def used_arguments(schema: GraphQLSchema, variants: Mapping[str, tuple[Variant, ...]]) -> set[str]:
    """Return each argument and each field of an input that a variant has, without those of pagination."""
    used = set()
    for coordinate, field_variants in variants.items():
        type_name, name = coordinate.split(".")
        definition = _fields(schema)[type_name][name]
        for variant in field_variants:
            for argument in _parsed(variant.text):
                if argument.name.value not in PAGINATION:
                    used.add(f"{coordinate}({argument.name.value})")
                input_type = get_named_type(definition.args[argument.name.value].type)
                used |= _used_input_fields(input_type, argument.value)
    return used


def available_arguments(schema: GraphQLSchema) -> set[str]:
    """Return each argument of all fields except mutations, and each field of their inputs, without pagination."""
    available = set()
    for type_name, fields in _fields(schema).items():
        for name, definition in fields.items():
            for argument_name, argument in definition.args.items():
                if argument_name not in PAGINATION:
                    available.add(f"{type_name}.{name}({argument_name})")
                    available |= _input_fields(get_named_type(argument.type))
    return available


def _fields(schema: GraphQLSchema) -> dict[str, dict[str, GraphQLField]]:
    object_types = [
        graphql_type for graphql_type in schema.type_map.values() if isinstance(graphql_type, GraphQLObjectType)
    ]
    return {
        graphql_type.name: graphql_type.fields
        for graphql_type in object_types
        if graphql_type is not schema.mutation_type and not graphql_type.name.startswith("__")
    }


def _parsed(text: str) -> tuple[ArgumentNode, ...]:
    if not text:
        return ()
    (operation,) = parse(f"{{ field({text}) }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    (field,) = operation.selection_set.selections
    assert isinstance(field, FieldNode)
    return tuple(field.arguments or ())


def _used_input_fields(input_type: GraphQLNamedType, value: ValueNode) -> set[str]:
    if not isinstance(input_type, GraphQLInputObjectType) or not isinstance(value, ObjectValueNode):
        return set()
    used = set()
    for field in value.fields:
        name = field.name.value
        used |= {f"{input_type.name}.{name}"}
        used |= _used_input_fields(get_named_type(input_type.fields[name].type), field.value)
    return used


def _input_fields(input_type: GraphQLNamedType) -> set[str]:
    if not isinstance(input_type, GraphQLInputObjectType):
        return set()
    names = set()
    for name, field in input_type.fields.items():
        names |= {f"{input_type.name}.{name}"} | _input_fields(get_named_type(field.type))
    return names
