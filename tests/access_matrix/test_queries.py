"""Who may read what is the same on every path to it, and it is what one table says: see tests/access_matrix."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from graphql import get_named_type, is_interface_type, is_introspection_type, is_object_type
from sqlalchemy import false, true

from lms_graphql.accounts import types
from lms_graphql.accounts.reads import applications, users
from lms_graphql.catalog.reads import courses, curriculum, lecture_content
from lms_graphql.catalog.types.course import IsCourseStaff
from lms_graphql.certificates import reads
from lms_graphql.certificates import types as learning
from lms_graphql.discussion.reads import answers, notes, questions
from lms_graphql.learning.reads import enrollments, progress
from tests.access_matrix.arguments import asked, offered, variants
from tests.access_matrix.checker import Verdict, blind_spots, coordinates, told
from tests.access_matrix.matrix import LINES, PLUMBING, WITHOUT_CANARY
from tests.access_matrix.paths import is_plumbing
from tests.access_matrix.runner import SCHEMA, Oracle
from tests.access_matrix.world import VIEWERS
from tests.live_service import Service

Change = Callable[[Any, str, Any], None]


@pytest.fixture(scope="module")
def oracle(running_service: Service) -> Iterator[Oracle]:
    running_service.empty()
    oracle = Oracle(running_service)
    yield oracle
    oracle.client.close()


@pytest.fixture(scope="module")
def verdict(oracle: Oracle) -> Verdict:
    return oracle.walk(VIEWERS)


@pytest.mark.slow
def test_everyone_reads_what_the_table_allows_them_and_nothing_else(verdict: Verdict) -> None:
    assert not verdict.complaints, told(verdict.complaints)


@pytest.mark.slow
def test_everything_that_the_table_allows_is_reached(oracle: Oracle, verdict: Verdict) -> None:
    objects = [planted for planted in oracle.world.by_label.values() if planted.kind != "Session"]
    blind = blind_spots(objects, SCHEMA, verdict)
    assert not blind, told(blind)


def test_every_field_has_a_line_in_the_table_and_every_line_its_field() -> None:
    fields = set()
    for kind in SCHEMA.type_map.values():
        if (is_object_type(kind) or is_interface_type(kind)) and not is_introspection_type(kind):
            fields |= set() if is_plumbing(kind) else {f"{kind.name}.{name}" for name in kind.fields}
    assert set(LINES) == fields
    assert set(PLUMBING) <= set(SCHEMA.type_map)


def test_every_argument_of_every_field_is_asked_with(oracle: Oracle) -> None:
    assert asked(SCHEMA, variants(oracle.world)) == offered(SCHEMA)


def test_every_kind_is_planted_and_every_text_of_it_has_a_canary(oracle: Oracle) -> None:
    kinds = {kind.name for kind in SCHEMA.get_possible_types(SCHEMA.type_map["Node"])}  # type: ignore[arg-type]
    there = oracle.world.by_global_id.values()
    assert kinds <= {planted.kind for planted in there}
    canaried = {planted.kind for planted in there if planted.canaries}
    for planted in there:
        texts = {place for place in coordinates(SCHEMA, planted, planted.kind) if _is_text(place)}
        if planted.canaries or planted.kind not in canaried:  # of someone who was deleted no text is left
            assert texts - set(WITHOUT_CANARY) == set(planted.canaries), planted.label
    assert set(WITHOUT_CANARY) <= set(LINES)


def _is_text(coordinate: str) -> bool:
    kind, name = coordinate.split(".")
    return get_named_type(SCHEMA.type_map[kind].fields[name].type).name == "String"  # type: ignore[attr-defined]


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Iterator[Change]:
    """Puts something else in a rule's place, also in the statements that are kept."""
    places = []

    def forget(place: Any) -> None:
        for kept in vars(place).values():
            if hasattr(kept, "cache_clear"):
                kept.cache_clear()

    def change(place: Any, name: str, value: Any) -> None:
        places.append(place)
        monkeypatch.setattr(place, name, value)
        forget(place)

    yield change
    monkeypatch.undo()
    for place in places:
        forget(place)


def everything(*_: Any) -> Any:
    return true()


def nothing(*_: Any) -> Any:
    return false()


def opened(*_: Any) -> bool:
    return True


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "name", "value", "complaint"),
    [
        (types.IsSelf, "allows", opened, "learner: User.email of teacher is there"),
        (types.has_permission("user:manage"), "allows", opened, "learner: Query.users of the entrances is there"),
        (IsCourseStaff, "allows", opened, "learner: Course.publishProblems of published is there"),
        (users, "visible_to", everything, "anonymous: User learner is there"),
        (applications, "applications_visible_to", everything, "learner: canary-waiting-motivation is there"),
        (applications, "applications_visible_to", nothing, "applicant: finds [], not ['waiting']"),
        (courses, "visible_to", everything, "learner: Course.title of draft is there"),
        (courses, "visible_to", nothing, "learner: finds [], not ['published']"),
        (courses, "or_", everything, "learner: Course draft is there, as a Course — nodes(ids"),
        (curriculum, "visible_to", everything, "cancelled: Lecture draft-closed is there"),
        (
            lecture_content,
            "content_visible_to",
            everything,
            "learner: LectureContent.body of published-closed is there",
        ),
        (notes, "notes_visible", everything, "admin: Note note-published-closed is there"),
        (notes, "notes_visible", nothing, "enrolled: finds [], not ['note-published-closed']"),
        (questions, "questions_visible_to", everything, "learner: QAQuestion asked-published-closed is there"),
        (questions, "questions_visible_to", nothing, "anonymous: finds [], not ['asked-published-preview']"),
        (answers, "questions_visible_to", everything, "cancelled: QAAnswer reply-published-closed is there"),
        (reads, "certificates_visible_to", everything, "learner: Certificate certified is there"),
        (learning.IsHolder, "allows", opened, "teacher: Certificate.verificationCode of certified is there"),
        (lecture_content, "content_visible_to", nothing, "enrolled: Lecture.content of published-closed is null"),
        (IsCourseStaff, "allows", opened, "learner: Course.enrollments of published is there"),
        (IsCourseStaff, "allows", opened, "rival: CourseAnalytics published-analytics is there"),
        (types.IsSelf, "allows", opened, "learner: InstructorDashboard teacher-teaching is there"),
        (enrollments, "enrollments_visible_to", everything, "learner: Enrollment published-enrolled is there"),
        (enrollments, "enrollments_visible_to", nothing, "enrolled: finds [], not ['published-enrolled']"),
        (enrollments, "visible_to", everything, "enrolled: Enrollment draft-enrolled is there"),
        (progress, "progress_visible_to", everything, "learner: LectureProgress published-enrolled-lecture is there"),
    ],
)
def test_a_rule_that_is_taken_out_is_noticed(
    oracle: Oracle, change: Change, place: Any, name: str, value: Any, complaint: str
) -> None:
    change(place, name, value)
    viewer, what = complaint.split(": ", 1)
    verdict = Verdict()
    for _ in oracle.steps(viewer, verdict):
        if any(f"{viewer}: {what}" in heard for heard in verdict.complaints):
            return
    pytest.fail(told(verdict.complaints))
