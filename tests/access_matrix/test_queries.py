"""Each field is visible to the same viewers on all paths, as the access matrix says."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from graphql import get_named_type, is_interface_type, is_introspection_type, is_object_type
from sqlalchemy import false, true

from lms_graphql.accounts import types as account_types
from lms_graphql.accounts.reads import applications, audit_events, sessions, users
from lms_graphql.assessment import attempt_rules
from lms_graphql.assessment.reads import accommodations, attempt_questions, attempts, quizzes
from lms_graphql.assessment.reads import questions as quiz_questions
from lms_graphql.assessment.types.quizzes import IsQuizStaff
from lms_graphql.billing.reads import earnings, payouts, refunds, transactions
from lms_graphql.billing.types import transactions as transaction_types
from lms_graphql.catalog.reads import courses, curriculum, lecture_content
from lms_graphql.catalog.types.course import IsCourseStaff
from lms_graphql.certificates import reads as certificates
from lms_graphql.certificates import types as certificate_types
from lms_graphql.discussion.reads import answers, notes, questions
from lms_graphql.learning.reads import enrollments, invitations, progress
from tests.access_matrix.arguments import available_arguments, used_arguments, variants
from tests.access_matrix.checker import MatrixResult, coordinates, summary, unreached_fields
from tests.access_matrix.fixture_objects import VIEWERS
from tests.access_matrix.matrix import AUDIENCES, STRUCTURAL_TYPES, WITHOUT_MARKER
from tests.access_matrix.paths import is_structural
from tests.access_matrix.runner import SCHEMA, MatrixRunner
from tests.live_service import Service

Replace = Callable[[Any, str, Any], None]


@pytest.fixture(scope="module")
def runner(running_service: Service) -> Iterator[MatrixRunner]:
    running_service.delete_all_rows()
    runner = MatrixRunner(running_service)
    yield runner
    runner.client.close()


@pytest.fixture(scope="module")
def result(runner: MatrixRunner) -> MatrixResult:
    return runner.run(VIEWERS)


@pytest.mark.slow
def test_queries_match_the_matrix(result: MatrixResult) -> None:
    assert not result.violations, summary(result.violations)


@pytest.mark.slow
def test_all_allowed_fields_are_reached(runner: MatrixRunner, result: MatrixResult) -> None:
    objects = [fixture for fixture in runner.objects.by_label.values() if fixture.kind != "Session"]
    unreached = unreached_fields(objects, SCHEMA, result)
    assert not unreached, summary(unreached)


def test_matrix_has_exactly_the_fields_of_the_schema() -> None:
    fields = set()
    for graphql_type in SCHEMA.type_map.values():
        if is_introspection_type(graphql_type) or is_structural(graphql_type):
            continue
        if is_object_type(graphql_type) or is_interface_type(graphql_type):
            fields |= {f"{graphql_type.name}.{name}" for name in graphql_type.fields}
    assert set(AUDIENCES) == fields
    assert set(STRUCTURAL_TYPES) <= set(SCHEMA.type_map)


def test_all_arguments_are_used(runner: MatrixRunner) -> None:
    assert used_arguments(SCHEMA, variants(runner.objects)) == available_arguments(SCHEMA)


def test_all_types_have_fixtures_with_marked_texts(runner: MatrixRunner) -> None:
    types = {possible_type.name for possible_type in SCHEMA.get_possible_types(SCHEMA.type_map["Node"])}  # type: ignore[arg-type]
    fixtures = runner.objects.by_global_id.values()
    assert types <= {fixture.kind for fixture in fixtures}
    types_with_markers = {fixture.kind for fixture in fixtures if fixture.markers}
    for fixture in fixtures:
        texts = {coordinate for coordinate in coordinates(SCHEMA, fixture, fixture.kind) if _is_text(coordinate)}
        if fixture.markers or fixture.kind not in types_with_markers:  # the deleted user has no texts
            assert texts - set(WITHOUT_MARKER) == set(fixture.markers), fixture.label
    assert set(WITHOUT_MARKER) <= set(AUDIENCES)


def _is_text(coordinate: str) -> bool:
    type_name, name = coordinate.split(".")
    return get_named_type(SCHEMA.type_map[type_name].fields[name].type).name == "String"  # type: ignore[attr-defined]


@pytest.fixture
def replace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Replace]:
    """Replace a rule of a module or class, and clear the caches of statements that contain it."""
    owners = []

    def clear_caches(owner: Any) -> None:
        for value in vars(owner).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()

    def replace(owner: Any, name: str, rule: Any) -> None:
        owners.append(owner)
        monkeypatch.setattr(owner, name, rule)
        clear_caches(owner)

    yield replace
    monkeypatch.undo()
    for owner in owners:
        clear_caches(owner)


def all_rows(*_: Any) -> Any:
    return true()


def no_rows(*_: Any) -> Any:
    return false()


def always_allowed(*_: Any) -> bool:
    return True


@pytest.mark.slow
@pytest.mark.sqlite_only  # the matrix itself runs on both databases
@pytest.mark.parametrize(
    ("owner", "name", "rule", "violation"),
    [
        (account_types.IsSelfOrSuperAdmin, "allows", always_allowed, "learner: User.email of instructor is visible"),
        (
            account_types.has_permission("user:manage"),
            "allows",
            always_allowed,
            "learner: Query.users of root fields is visible",
        ),
        (
            account_types.has_permission("audit:view"),
            "allows",
            always_allowed,
            "learner: Query.auditEvents of root fields is visible",
        ),
        (audit_events, "audit_events_visible_to", all_rows, "learner: AuditEvent event is visible"),
        (IsCourseStaff, "allows", always_allowed, "learner: Course.publishProblems of published is visible"),
        (users, "users_visible_to", all_rows, "anonymous: User learner is visible"),
        (sessions, "sessions_visible_to", all_rows, "instructor: UserSession session-learner is visible"),
        (sessions, "sessions_visible_to", no_rows, "learner: returns [], not ['session-learner']"),
        (applications, "applications_visible_to", all_rows, "learner: marker-pending-motivation is visible"),
        (applications, "applications_visible_to", no_rows, "applicant: returns [], not ['pending']"),
        (courses, "courses_visible_to", all_rows, "learner: Course.title of draft is visible"),
        (courses, "courses_visible_to", no_rows, "learner: returns [], not ['published']"),
        (courses, "or_", all_rows, "learner: Course draft is visible, as a Course — nodes(ids"),
        (curriculum, "courses_visible_to", all_rows, "cancelled: Lecture draft-closed is visible"),
        (
            lecture_content,
            "content_visible_to",
            all_rows,
            "learner: LectureContent.body of published-closed is visible",
        ),
        (notes, "notes_visible", all_rows, "admin: Note note-published-closed is visible"),
        (notes, "notes_visible", no_rows, "enrolled: returns [], not ['note-published-closed']"),
        (questions, "questions_visible_to", all_rows, "learner: QAQuestion question-published-closed is visible"),
        (questions, "questions_visible_to", no_rows, "anonymous: returns [], not ['question-published-preview']"),
        (questions, "discussion_visible_to", all_rows, "cancelled: QAQuestion question-published-closed is visible"),
        (account_types.IsSelf, "allows", always_allowed, "admin: User.notes of enrolled is visible"),
        (answers, "questions_visible_to", all_rows, "cancelled: QAAnswer reply-published-closed is visible"),
        (certificates, "certificates_visible_to", all_rows, "learner: Certificate valid is visible"),
        (
            certificate_types.IsHolder,
            "allows",
            always_allowed,
            "instructor: Certificate.verificationCode of valid is visible",
        ),
        (transactions, "transactions_visible_to", all_rows, "learner: Transaction transaction-sale is visible"),
        (refunds, "transactions_visible_to", all_rows, "colleague: Refund refund is visible"),
        (earnings, "earnings_visible_to", all_rows, "learner: Earning earning-sale is visible"),
        (payouts, "payouts_visible_to", all_rows, "colleague: InstructorPayout payout-instructor is visible"),
        (
            transaction_types.IsBuyer,
            "allows",
            always_allowed,
            "instructor: Transaction.receiptUrl of transaction-sale is visible",
        ),
        (lecture_content, "content_visible_to", no_rows, "enrolled: Lecture.content of published-closed is null"),
        (IsCourseStaff, "allows", always_allowed, "learner: Course.enrollments of published is visible"),
        (IsCourseStaff, "allows", always_allowed, "colleague: CourseAnalytics published-analytics is visible"),
        (
            account_types.IsSelfOrSuperAdmin,
            "allows",
            always_allowed,
            "learner: InstructorDashboard instructor-dashboard is visible",
        ),
        (enrollments, "enrollments_visible_to", all_rows, "learner: Enrollment published-enrolled is visible"),
        (enrollments, "enrollments_visible_to", no_rows, "enrolled: returns [], not ['published-enrolled']"),
        (
            invitations,
            "invitations_visible_to",
            all_rows,
            "enrolled: Invitation published-invitation-accepted is visible",
        ),
        (IsCourseStaff, "allows", always_allowed, "learner: Course.invitations of published is visible"),
        (enrollments, "courses_visible_to", all_rows, "enrolled: Enrollment draft-enrolled is visible"),
        (progress, "progress_visible_to", all_rows, "learner: LectureProgress published-enrolled-lecture is visible"),
        (quizzes, "quizzes_visible_to", all_rows, "learner: Quiz quiz-reviewed is visible"),
        (quizzes, "quizzes_visible_to", no_rows, "cancelled: returns [], not ['quiz-lecture', 'quiz-reviewed']"),
        (quizzes, "content_visible_to", all_rows, "cancelled: Lecture.quiz of published-quiz is visible"),
        (quiz_questions, "questions_visible_to", all_rows, "enrolled: EssayQuestion key-reviewed-essay is visible"),
        (IsQuizStaff, "allows", always_allowed, "enrolled: Quiz.questions of quiz-never is visible"),
        (IsQuizStaff, "allows", always_allowed, "cancelled: Quiz.accommodations of quiz-reviewed is visible"),
        (attempts, "attempts_visible_to", all_rows, "colleague: QuizAttempt attempt-graded is visible"),
        (attempts, "attempts_visible_to", no_rows, "cancelled: returns [], not ['attempt-ended', 'attempt-lecture']"),
        (
            attempt_questions,
            "is_course_staff",
            always_allowed,
            "enrolled: AnswerResult.explanation of attempt-never-statement is visible",
        ),
        (
            attempt_rules,
            "may_review",
            always_allowed,
            "enrolled: AttemptQuestion.result of attempt-never-essay is visible",
        ),
        (
            accommodations,
            "accommodations_visible_to",
            all_rows,
            "enrolled: QuizAccommodation accommodation-reviewed-cancelled is visible",
        ),
    ],
)
def test_matrix_detects_removed_policy(
    runner: MatrixRunner, replace: Replace, owner: Any, name: str, rule: Any, violation: str
) -> None:
    replace(owner, name, rule)
    viewer, problem = violation.split(": ", 1)
    result = MatrixResult()
    for _ in runner.run_each(viewer, result):
        if any(f"{viewer}: {problem}" in message for message in result.violations):
            return
    pytest.fail(summary(result.violations))
