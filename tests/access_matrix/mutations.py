"""Mutations that hand out objects: what comes with them is held against the table as well."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLObjectType, get_named_type

from tests.access_matrix.checker import Judge, Verdict
from tests.access_matrix.fixtures.learning import FAR_AHEAD
from tests.access_matrix.paths import Piece, is_value
from tests.access_matrix.runner import SCHEMA, Oracle
from tests.access_matrix.world import CAST, World
from tests.factories import PASSWORD

NEWCOMER = {
    "email": "newcomer@example.com",
    "username": "newcomer",
    "password": "a long enough one",
    "firstName": "New",
    "lastName": "Comer",
}
Tokens = dict[str, str]
"""Refresh tokens of those who have signed in, by viewer."""


@dataclass(frozen=True)
class Case:
    """`sender` sends it; what comes is for `reader`: signing in is sent by nobody and read by somebody."""

    mutation: str
    sender: str
    input: Mapping[str, Any] | Callable[[Tokens], Mapping[str, Any]]
    reader: str = ""
    brings: str = ""
    """The labels of what is handed out; left out, it is the reader's own person."""
    makes_new: bool = False


def cases(world: World) -> Iterator[Case]:
    """In an order in which each succeeds."""
    for viewer in CAST:
        credentials = {"email": world.people[viewer].email, "password": PASSWORD}
        yield Case("login", "anonymous", credentials, reader=viewer)
        yield Case("updateProfile", viewer, {})
    yield Case(
        "refreshSession", "anonymous", lambda tokens: {"refreshToken": tokens.get("learner", "")}, reader="learner"
    )
    changed = {"currentPassword": PASSWORD, "newPassword": "another long enough one"}
    yield Case("changePassword", "learner", changed)
    yield Case("register", "anonymous", NEWCOMER, reader="learner", makes_new=True)
    another = {**NEWCOMER, "email": "another@example.com", "username": "another", "role": "LEARNER"}
    yield Case("createUser", "admin", another, makes_new=True)
    yield Case("setUserRole", "admin", {"userId": world.global_id("learner"), "role": "LEARNER"}, brings="learner")
    yield Case("suspendUser", "admin", {"userId": world.global_id("suspended")}, brings="suspended")
    yield Case("activateUser", "admin", {"userId": world.global_id("teacher")}, brings="teacher")
    yield Case("applyToTeach", "learner", {"motivation": "Because.", "experience": "Some."}, makes_new=True)
    answered = {"applicationId": world.global_id("waiting"), "approve": True}
    yield Case("reviewInstructorApplication", "admin", answered, brings="waiting")
    yield from discussion_cases(world)
    certificate = {"certificateId": world.global_id("certified")}
    yield Case("revokeCertificate", "admin", {**certificate, "reason": "ERROR"}, brings="certified")
    yield Case("reinstateCertificate", "admin", certificate, brings="certified")
    yield from learning_cases(world)
    lecture, brings = (
        {"lectureId": world.global_id("published-closed")},
        "published-enrolled-lecture published-enrolled",
    )
    report = {**lecture, "positionSeconds": 0, "watched": []}
    yield Case("recordLectureProgress", "enrolled", report, brings=brings)
    yield Case("setLectureCompleted", "enrolled", {**lecture, "isCompleted": True}, brings=brings)
    yield from catalog_cases(world)
    yield from curriculum_cases(world)
    yield from new_words(world)
    yield from newcomers(world)


def catalog_cases(world: World) -> Iterator[Case]:
    """What is already as it is wished, so that the canaries stay; at the end what is new, which nobody planted."""
    yield Case("updateCategory", "admin", {"categoryId": world.global_id("shelf")}, brings="shelf")
    for writer, mutation, label in (
        ("teacher", "updateCourse", "draft"),
        ("rival", "updateCourse", "theirs"),
        ("admin", "updateCourse", "orphan"),
        ("teacher", "publishCourse", "published"),
        ("teacher", "archiveCourse", "archived"),
        ("teacher", "unpublishCourse", "draft"),
    ):
        yield Case(mutation, writer, {"courseId": world.global_id(label)}, brings=label)
    yield Case("createCategory", "admin", {"name": "New"}, makes_new=True)
    yield Case("createCourse", "teacher", {"title": "New", "description": "Words."}, makes_new=True)


def curriculum_cases(world: World) -> Iterator[Case]:
    """What stands where it is put; then what is new."""
    for writer, label in (
        ("teacher", "published"),
        ("teacher", "archived"),
        ("rival", "theirs"),
        ("admin", "orphan"),
    ):
        section, other, first, second = (
            world.global_id(f"{label}-{part}") for part in ("s1", "s2", "preview", "closed")
        )
        course, here = {"courseId": world.global_id(label)}, {"sectionId": section}
        yield Case("updateSection", writer, here, brings=f"{label}-s1")
        yield Case("reorderSections", writer, {**course, "sectionIds": [section, other]}, brings=label)
        yield Case("updateLecture", writer, {"lectureId": second}, brings=f"{label}-closed")
        moved = {**here, "lectureId": second, "position": 1}
        yield Case("moveLecture", writer, moved, brings=f"{label}-closed")
        yield Case("reorderLectures", writer, {**here, "lectureIds": [first, second]}, brings=f"{label}-s1")
        yield Case("createLecture", writer, {**here, "title": "New", "type": "TEXT"}, makes_new=True)
        yield Case("createSection", writer, {**course, "title": "New"}, makes_new=True)


def discussion_cases(world: World) -> Iterator[Case]:
    """What changes no canary."""
    note, label = "note-published-closed", "asked-published-closed"
    answer = world.by_label["answer-published-closed"]
    question, of_answer = {"questionId": world.global_id(label)}, {"answerId": answer.global_id}
    yield Case("updateNote", "enrolled", {"noteId": world.global_id(note)}, brings=note)
    yield Case("updateQaQuestion", "enrolled", question, brings=label)
    yield Case("featureQaQuestion", "admin", {**question, "isFeatured": True}, brings=label)
    yield Case("voteQaQuestion", "teacher", {**question, "vote": True}, brings=label)
    yield Case("acceptAnswer", "enrolled", {**question, **of_answer}, brings=label)
    yield Case("voteQaAnswer", "enrolled", {**of_answer, "vote": True}, brings=answer.label)
    same = {**of_answer, "content": answer.canaries["QAAnswer.content"]}
    yield Case("updateQaAnswer", "teacher", same, brings=answer.label)


def learning_cases(world: World) -> Iterator[Case]:
    """Places that stay as they are."""
    course, theirs = {"courseId": world.global_id("published")}, "published-enrolled"
    yield Case("enroll", "enrolled", course, brings=theirs)
    granted = {**course, "userId": world.global_id("enrolled"), "accessExpiresAt": FAR_AHEAD.isoformat()}
    yield Case("grantEnrollment", "teacher", granted, brings=theirs)
    for viewer in ("cancelled", "teacher", "admin"):
        given_up = {"enrollmentId": world.global_id("published-cancelled")}
        yield Case("cancelEnrollment", viewer, given_up, brings="published-cancelled")


def newcomers(world: World) -> Iterator[Case]:
    """The last: from here on they belong to other circles."""
    course = {"courseId": world.global_id("orphan")}
    yield Case("enroll", "rival", course, makes_new=True)
    yield Case("grantEnrollment", "admin", {**course, "userId": world.global_id("applicant")}, makes_new=True)


def new_words(world: World) -> Iterator[Case]:
    question = {"questionId": world.global_id("asked-published-closed"), "content": "Words"}
    lecture = {"lectureId": world.global_id("published-closed"), "content": "Words"}
    yield Case("answerQuestion", "enrolled", question, makes_new=True)
    yield Case("createNote", "enrolled", lecture, makes_new=True)
    yield Case("askQuestion", "enrolled", {**lecture, "title": "Words"}, makes_new=True)


def mutations_with_objects() -> set[str]:
    """Those whose payload holds more than whether it was done."""
    assert SCHEMA.mutation_type is not None
    return {name for name, field in SCHEMA.mutation_type.fields.items() if _holds_objects(get_named_type(field.type))}


def _holds_objects(payload: object) -> bool:
    assert isinstance(payload, GraphQLObjectType)
    kinds = [get_named_type(field.type) for field in payload.fields.values()]
    return any(isinstance(kind, GraphQLObjectType) and kind.name != "UserError" for kind in kinds)


def mutate(oracle: Oracle) -> Verdict:
    """Every case in turn, with all complaints."""
    verdict, tokens = Verdict(), Tokens()
    for case in cases(oracle.world):
        reader = case.reader or case.sender
        values = case.input(tokens) if callable(case.input) else case.input
        body = oracle.client.graphql(
            _document(oracle, case.mutation), as_=oracle.world.actor(case.sender), input=values
        )
        judge = Judge(oracle.world, SCHEMA, verdict, reader, makes_new=case.makes_new)
        judge.judge("Mutation", body, {case.mutation: Piece(case.mutation, case.mutation, "", None)})
        payload = (body.get("data") or {}).get(case.mutation) or {"errors": body}
        if payload["errors"]:
            verdict.complaints.append(f"{reader}: {case.mutation} does nothing: {payload['errors']}")
            continue
        expected = {oracle.world.global_id(label) for label in (case.brings or reader).split()}
        if not case.makes_new and _brought(payload) != expected:
            verdict.complaints.append(f"{reader}: {case.mutation} hands out something else: {_brought(payload)}")
        if session := payload.get("session"):
            tokens[reader] = session["refreshToken"]
    return verdict


def _brought(value: Any) -> set[str]:
    """The ids of the outermost objects."""
    if not isinstance(value, dict):
        return set()
    return {value["id"]} if "id" in value else set().union(*map(_brought, value.values()))


def _document(oracle: Oracle, mutation: str) -> str:
    assert SCHEMA.mutation_type is not None
    field = SCHEMA.mutation_type.fields[mutation]
    payload = get_named_type(field.type)
    assert is_value(payload)
    begin = f"mutation ($input: {field.args['input'].type}) {{ {mutation}(input: $input) {{ "
    texts = [oracle.paths.whole(f"{begin}{oracle.paths.payload(payload, steps)} }} }}") for steps in (2, 1)]
    return next(text for text in texts if oracle.is_short(text))
