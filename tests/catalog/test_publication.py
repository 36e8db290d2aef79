"""Publishing, unpublishing, archiving and deleting courses, and what blocks each of them.

The races were also run with a plain SELECT in place of the lock in `catalog/services/course_locks.py`, on InnoDB with
its default settings. A course was then deleted while it was published, and two of four publications set
`published_at`. With innodb_snapshot_isolation the server itself prevents this.
"""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import insert, select

from lms_graphql.assessment.models import AttemptStatus, Question, QuestionType, Quiz, QuizAttempt
from lms_graphql.billing.models import Transaction, TransactionStatus
from lms_graphql.catalog.models import Course, CourseStatus, EnrollmentStatus, Lecture, LectureType, Section
from lms_graphql.core import clock
from lms_graphql.core.actor import ANONYMOUS, Role
from lms_graphql.core.orm import TimestampedModel
from lms_graphql.discussion.models import Note, QAAnswer, QAQuestion, QAQuestionTerm
from tests.accounts.test_users import count
from tests.catalog.course_client import CourseClient, rounds_for_database, service_racers
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service, StatementRecorder

PROBLEMS = """query P($id: ID!) { node(id: $id) { ... on Course {
  publishProblems { code message subject {
    ... on Section { title } ... on Lecture { title } ... on Quiz { title }
  } }
} } }"""
STATUS = "query S($id: ID!) { node(id: $id) { ... on Course { status publishedAt version updatedAt } } }"
NO_CONTENT = {"video_url": None, "body": None, "content_url": None}


def instructor_client(client: Client, make: Factories, course: CourseTree) -> CourseClient:
    return CourseClient(client, make.actor(course.instructor))


def complete_course(make: Factories, status: CourseStatus = CourseStatus.DRAFT, **values: Any) -> CourseTree:
    return make.course(category=make.category(), status=status, **values)


def add(service: Service, *rows: TimestampedModel) -> None:
    service.database.write_sync(lambda session: session.add_all(rows))


def problems(client: Client, author: CourseClient, course: CourseTree) -> list[tuple[str, str | None]]:
    """Return the code of each publish problem, and the title of its subject."""
    nodes = client.execute(PROBLEMS, as_=author.actor, id=course.global_id)["node"]["publishProblems"]
    assert all(problem["message"] for problem in nodes)
    return [(problem["code"], problem["subject"] and problem["subject"]["title"]) for problem in nodes]


def not_ready_count(author: CourseClient, course: CourseTree) -> int:
    """Return the number of NOT_READY errors of an attempt to publish the course."""
    errors = author.user_errors("publishCourse", courseId=course.global_id)
    assert set(errors) == {("NOT_READY", "courseId")}
    return len(errors)


def test_complete_course_can_be_published(client: Client, make: Factories) -> None:
    course = complete_course(make)
    author = instructor_client(client, make, course)
    assert problems(client, author, course) == []
    before = clock.now()
    updated = author.ok("publishCourse", courseId=course.global_id)
    assert (updated["status"], updated["version"], updated["publishProblems"]) == ("PUBLISHED", 2, [])
    assert before.isoformat() <= updated["publishedAt"] <= clock.now().isoformat()
    assert client.execute(STATUS, as_=ANONYMOUS, id=course.global_id)["node"]["status"] == "PUBLISHED"
    listed = client.execute("{ courses { nodes { id } } }")["courses"]["nodes"]
    assert listed == [{"id": course.global_id}]


def test_publishing_twice_keeps_the_version(client: Client, make: Factories) -> None:
    course = complete_course(make)
    author = instructor_client(client, make, course)
    first = author.ok("publishCourse", courseId=course.global_id)
    assert author.ok("publishCourse", courseId=course.global_id) == first


def test_all_publish_problems_are_returned_together(client: Client, make: Factories) -> None:
    course = make.course(title=" ", description=" \n", sections=0, status=CourseStatus.DRAFT)
    author = instructor_client(client, make, course)
    missing = ["NO_TITLE", "NO_DESCRIPTION", "NO_CATEGORY", "NO_SECTION", "NO_LECTURE"]
    assert problems(client, author, course) == [(code, None) for code in missing]
    assert not_ready_count(author, course) == 5

    make.section(course, title="Empty", order_index=0)
    missing = ["NO_TITLE", "NO_DESCRIPTION", "NO_CATEGORY", "NO_LECTURE"]
    assert problems(client, author, course) == [*((code, None) for code in missing), ("EMPTY_SECTION", "Empty")]


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        (LectureType.VIDEO, {}, "NO_VIDEO"),
        (LectureType.VIDEO, {"body": "Words", "content_url": "https://example.com/a.pdf"}, "NO_VIDEO"),
        (LectureType.VIDEO, {"video_url": "https://example.com/a.mp4"}, None),
        (LectureType.TEXT, {}, "NO_CONTENT"),
        (LectureType.TEXT, {"body": "  "}, "NO_CONTENT"),
        (LectureType.TEXT, {"video_url": "https://example.com/a.mp4"}, "NO_CONTENT"),
        (LectureType.TEXT, {"body": "Words"}, None),
        (LectureType.TEXT, {"content_url": "https://example.com/a.pdf"}, None),
        (LectureType.RESOURCE, {}, "NO_CONTENT"),
        (LectureType.RESOURCE, {"body": "Words"}, None),
        (LectureType.RESOURCE, {"content_url": "https://example.com/a.pdf"}, None),
        (LectureType.ASSIGNMENT, {}, None),
        (LectureType.QUIZ, {}, "NO_QUIZ"),
    ],
)
def test_lecture_needs_the_content_of_its_type(
    client: Client, make: Factories, kind: LectureType, content: dict[str, str], code: str | None
) -> None:
    course = complete_course(make, lectures=1)
    make.lecture(course.sections[0], title="Lesson", lecture_type=kind, order_index=1, **{**NO_CONTENT, **content})
    author = instructor_client(client, make, course)
    assert problems(client, author, course) == ([] if code is None else [(code, "Lesson")])
    if code is None:
        author.ok("publishCourse", courseId=course.global_id)
    else:
        assert not_ready_count(author, course) == 1


def test_quiz_lecture_needs_a_published_quiz(client: Client, make: Factories, service: Service) -> None:
    course = complete_course(make)
    lecture = make.lecture(course.sections[0], title="Test", lecture_type=LectureType.QUIZ, order_index=2)
    author = instructor_client(client, make, course)
    make.quiz(course, is_published=True)
    assert problems(client, author, course) == [("NO_QUIZ", "Test")], "a course-level quiz belongs to no lecture"
    quiz = make.quiz(course, lecture, title="Questions")
    assert problems(client, author, course) == [("QUIZ_NOT_PUBLISHED", "Questions")]
    assert not_ready_count(author, course) == 1

    def publish(session: Any) -> None:
        session.get_one(Quiz, quiz.id).is_published = True

    service.database.write_sync(publish)
    assert problems(client, author, course) == []
    assert author.ok("publishCourse", courseId=course.global_id)["status"] == "PUBLISHED"


def test_publish_problems_follow_course_order_without_deleted_items(client: Client, make: Factories) -> None:
    course = complete_course(make, sections=0)
    second = make.section(course, title="Second", order_index=1)
    first = make.section(course, title="First", order_index=0)
    make.section(course, title="Empty", order_index=2)
    make.section(course, title="Deleted", order_index=3, deleted_at=clock.now())
    for section, title, position in ((second, "D", 1), (second, "C", 0), (first, "B", 1), (first, "A", 0)):
        make.lecture(section, title=title, order_index=position, **NO_CONTENT)
    make.lecture(first, title="Deleted", order_index=2, deleted_at=clock.now(), **NO_CONTENT)
    author = instructor_client(client, make, course)
    expected = [("EMPTY_SECTION", "Empty"), *(("NO_VIDEO", title) for title in "ABCD")]
    assert problems(client, author, course) == expected
    assert not_ready_count(author, course) == 5


def test_publish_problems_are_for_course_staff_only(client: Client, make: Factories) -> None:
    course = complete_course(make, CourseStatus.PUBLISHED)
    enrolled = make.user(Role.INSTRUCTOR)
    make.enrollment(enrolled, course)
    for actor in (ANONYMOUS, make.actor(make.user()), make.actor(enrolled)):
        body = client.graphql(PROBLEMS, as_=actor, id=course.global_id)
        assert body["data"] == {"node": {"publishProblems": None}}
        (error,) = body["errors"]
        assert (error["extensions"]["code"], error["path"]) == ("FORBIDDEN", ["node", "publishProblems"])
    admin = CourseClient(client, make.actor(make.user(Role.SUPER_ADMIN)))
    assert problems(client, admin, course) == []


@pytest.mark.query_budget
def test_publish_checks_take_constant_statements(
    client: Client, make: Factories, service: Service, statements: StatementRecorder
) -> None:
    small = complete_course(make, sections=1, lectures=0)
    make.lecture(small.sections[0], **NO_CONTENT)
    make.section(small, order_index=1)
    big = complete_course(make, sections=10, lectures=0)
    make.section(big, order_index=10)
    lectures = [
        {
            "section_id": section.id,
            "course_id": big.row.id,
            "title": "L",
            "lecture_type": kind,
            "order_index": position,
        }
        for section in big.sections[:10]
        for position, kind in enumerate([LectureType.VIDEO, LectureType.QUIZ] * 50)
    ]
    service.database.write_sync(lambda session: session.execute(insert(Lecture), lectures) and None)
    counts = []
    for course, expected in ((small, 2), (big, 1001)):
        author = instructor_client(client, make, course)
        with statements:
            course_problems = problems(client, author, course)
        counts.append(statements.count)
        assert len(course_problems) == expected
        with statements:
            assert not_ready_count(author, course) == expected
        counts.append(statements.count)
    assert counts[:2] == counts[2:]
    assert counts[0] <= 8


TRANSITIONS = {
    (CourseStatus.DRAFT, "publishCourse"): "PUBLISHED",
    (CourseStatus.DRAFT, "unpublishCourse"): "DRAFT",
    (CourseStatus.DRAFT, "archiveCourse"): "INVALID_TRANSITION",
    (CourseStatus.DRAFT, "deleteCourse"): "deleted",
    (CourseStatus.PUBLISHED, "publishCourse"): "PUBLISHED",
    (CourseStatus.PUBLISHED, "unpublishCourse"): "DRAFT",
    (CourseStatus.PUBLISHED, "archiveCourse"): "ARCHIVED",
    (CourseStatus.PUBLISHED, "deleteCourse"): "INVALID_TRANSITION",
    (CourseStatus.ARCHIVED, "publishCourse"): "PUBLISHED",
    (CourseStatus.ARCHIVED, "unpublishCourse"): "INVALID_TRANSITION",
    (CourseStatus.ARCHIVED, "archiveCourse"): "ARCHIVED",
    (CourseStatus.ARCHIVED, "deleteCourse"): "INVALID_TRANSITION",
}


@pytest.mark.parametrize(("status", "mutation"), TRANSITIONS)
def test_status_transitions_follow_the_rules(
    client: Client, make: Factories, status: CourseStatus, mutation: str
) -> None:
    course = complete_course(make, status)
    author, outcome = instructor_client(client, make, course), TRANSITIONS[status, mutation]
    before = client.execute(STATUS, as_=author.actor, id=course.global_id)["node"]
    if outcome == "INVALID_TRANSITION":
        assert author.user_errors(mutation, courseId=course.global_id) == [("INVALID_TRANSITION", "courseId")]
        assert client.execute(STATUS, as_=author.actor, id=course.global_id)["node"] == before
    elif outcome == "deleted":
        assert author.ok(mutation, courseId=course.global_id) == course.global_id
    else:
        updated = author.ok(mutation, courseId=course.global_id)
        is_unchanged = outcome == before["status"]
        assert (updated["status"], updated["version"]) == (outcome, 1 if is_unchanged else 2)
        assert (updated["updatedAt"] == before["updatedAt"]) is is_unchanged
        assert status is CourseStatus.DRAFT or updated["publishedAt"] == before["publishedAt"]


def test_published_at_keeps_the_first_publication(client: Client, make: Factories) -> None:
    course = complete_course(make)
    author = instructor_client(client, make, course)
    first = author.ok("publishCourse", courseId=course.global_id)["publishedAt"]
    assert first is not None
    for version, verb in enumerate(("unpublish", "publish", "archive", "publish"), 3):
        updated = author.ok(f"{verb}Course", courseId=course.global_id)
        assert (updated["publishedAt"], updated["version"]) == (first, version)


def test_archived_course_is_checked_again_before_publication(client: Client, make: Factories) -> None:
    course = make.course(status=CourseStatus.ARCHIVED)
    author = instructor_client(client, make, course)
    assert author.user_errors("publishCourse", courseId=course.global_id) == [("NOT_READY", "courseId")]
    author.ok("updateCourse", courseId=course.global_id, categoryId=global_id("Category", make.category()))
    assert author.ok("publishCourse", courseId=course.global_id)["status"] == "PUBLISHED"


@pytest.mark.parametrize("status", list(EnrollmentStatus))
def test_enrollments_block_unpublishing_and_deletion(
    client: Client, make: Factories, status: EnrollmentStatus
) -> None:
    published, draft = complete_course(make, CourseStatus.PUBLISHED), complete_course(make)
    for course in (published, draft):
        make.enrollment(make.user(), course, status)
    in_use = [("IN_USE", "courseId")]
    assert (
        instructor_client(client, make, published).user_errors("unpublishCourse", courseId=published.global_id)
        == in_use
    )
    assert instructor_client(client, make, draft).user_errors("deleteCourse", courseId=draft.global_id) == in_use
    assert (
        instructor_client(client, make, published).ok("archiveCourse", courseId=published.global_id)["status"]
        == "ARCHIVED"
    )


@pytest.mark.parametrize("status", list(TransactionStatus))
def test_payments_block_unpublishing_and_deletion(client: Client, make: Factories, status: TransactionStatus) -> None:
    course = complete_course(make, CourseStatus.PUBLISHED)
    make.transaction(make.user(), course, status)
    author = instructor_client(client, make, course)
    if status is TransactionStatus.PENDING:
        assert author.user_errors("unpublishCourse", courseId=course.global_id) == [("IN_USE", "courseId")]
    else:
        author.ok("unpublishCourse", courseId=course.global_id)
        assert author.user_errors("deleteCourse", courseId=course.global_id) == [("IN_USE", "courseId")]


def test_all_delete_blockers_are_returned_together(client: Client, make: Factories, service: Service) -> None:
    course = complete_course(make)
    learner, quiz = make.user(), make.quiz(course)
    make.enrollment(learner, course)
    make.transaction(learner, course)
    attempt = {"attempt_number": 1, "status": AttemptStatus.GRADED, "started_at": clock.now()}
    add(service, QuizAttempt(user_id=learner.id, quiz_id=quiz.id, **attempt))
    author = instructor_client(client, make, course)
    assert author.user_errors("deleteCourse", courseId=course.global_id) == [("IN_USE", "courseId")] * 3
    assert [count(service, table) for table in (Course, Section, Lecture, Quiz, Transaction)] == [1, 1, 2, 1, 1]


def test_deleting_a_draft_deletes_all_related_rows(client: Client, make: Factories, service: Service) -> None:
    course, other = complete_course(make), complete_course(make)
    for tree in (course, other):
        user_key, lecture = tree.instructor.id, tree.lectures[0].id
        for quiz in (make.quiz(tree), make.quiz(tree, tree.lectures[1])):
            add(service, Question(quiz_id=quiz.id, question_type=QuestionType.ESSAY, question_text="Why?"))
        add(service, Note(user_id=user_key, lecture_id=lecture, content="Mine"))
        question = make.question(tree.instructor, tree.lectures[0])
        answer = QAAnswer(user_id=user_key, question_id=question.id, content="It does.")
        add(service, answer)
        reply = QAAnswer(user_id=user_key, question_id=question.id, parent_id=answer.id, content="Good.")
        question.accepted_answer_id = answer.id
        add(service, reply, question)
    author = instructor_client(client, make, course)
    assert author.ok("deleteCourse", courseId=course.global_id) == course.global_id
    tables = (Course, Quiz, Question, Note, QAQuestion, QAQuestionTerm, QAAnswer)
    counts = [count(service, table) for table in tables]
    assert counts == [1, 2, 2, 1, 1, 3, 2], "the rows of the other course stay"


def stored_status(service: Service, course: CourseTree) -> CourseStatus | None:
    status = select(Course.status).where(Course.id == course.row.id)
    return service.database.read_sync(lambda session: session.scalar(status))


def test_concurrent_publish_and_delete_cannot_both_succeed(client: Client, make: Factories, service: Service) -> None:
    with service_racers(service) as clients:
        for _ in rounds_for_database(service):
            course = complete_course(make, lectures=1)
            author = instructor_client(client, make, course)
            publication, deletion = clients.race(
                author.race_request("publishCourse", courseId=course.global_id),
                author.race_request("deleteCourse", courseId=course.global_id),
            )
            status = stored_status(service, course)
            if deletion.code is None:
                assert (publication.code, status) == ("NOT_FOUND", None)
                assert count(service, Lecture, Lecture.course_id == course.row.id) == 0
            else:
                assert (publication.code, deletion.code) == (None, "INVALID_TRANSITION")
                assert status is CourseStatus.PUBLISHED


@pytest.mark.slow
def test_concurrent_publications_create_one_version(client: Client, make: Factories, service: Service) -> None:
    with service_racers(service, 4) as clients:
        for _ in rounds_for_database(service)[:50]:
            course = complete_course(make, lectures=1)
            author = instructor_client(client, make, course)
            responses = clients.race(*[author.race_request("publishCourse", courseId=course.global_id)] * 4)
            courses = [response.payload["course"] for response in responses]
            assert Counter(course["version"] for course in courses) == {2: 4}
            assert len({course["publishedAt"] for course in courses}) == 1
