"""Courses are opened, taken back, put away and thrown away; and what stops each of these.

That the races can be lost was tried: with a plain SELECT in place of the lock in
`catalog/services/course_locks.py`, on InnoDB as it comes, a course is deleted while it is published, and of four
who publish two set the day. What hides that is innodb_snapshot_isolation, where the server has it.
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
from lms_graphql.discussion.models import Note, QAAnswer, QAQuestion
from tests.accounts.test_users import count
from tests.catalog.course_client import CourseClient, racing, rounds
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Client, Service, Statements

PROBLEMS = """query P($id: ID!) { node(id: $id) { ... on Course {
  publishProblems { code message subject { __typename id ... on Section { title } ... on Lecture { title } } }
} } }"""
STATE = "query S($id: ID!) { node(id: $id) { ... on Course { status publishedAt version updatedAt } } }"
NOTHING = {"video_url": None, "body": None, "content_url": None}


def author_of(client: Client, make: Factories, course: CourseTree) -> CourseClient:
    return CourseClient(client, make.actor(course.instructor))


def complete(make: Factories, status: CourseStatus = CourseStatus.DRAFT, **values: Any) -> CourseTree:
    return make.course(category=make.category(), status=status, **values)


def add(service: Service, *rows: TimestampedModel) -> None:
    service.database.write_sync(lambda session: session.add_all(rows))


def problems(client: Client, author: CourseClient, course: CourseTree) -> list[tuple[str, str | None]]:
    """Codes, and the titles of what they are about."""
    found = client.execute(PROBLEMS, as_=author.actor, id=course.global_id)["node"]["publishProblems"]
    assert all(problem["message"] for problem in found)
    return [(problem["code"], problem["subject"] and problem["subject"]["title"]) for problem in found]


def not_ready(author: CourseClient, course: CourseTree) -> int:
    refused = author.user_errors("publishCourse", courseId=course.global_id)
    assert set(refused) == {("NOT_READY", "courseId")}
    return len(refused)


def test_a_course_that_lacks_nothing_is_opened_to_everyone(client: Client, make: Factories) -> None:
    course = complete(make)
    author = author_of(client, make, course)
    assert problems(client, author, course) == []
    before = clock.now()
    shown = author.ok("publishCourse", courseId=course.global_id)
    assert (shown["status"], shown["version"], shown["publishProblems"]) == ("PUBLISHED", 2, [])
    assert before.isoformat() <= shown["publishedAt"] <= clock.now().isoformat()
    assert client.execute(STATE, as_=ANONYMOUS, id=course.global_id)["node"]["status"] == "PUBLISHED"
    listed = client.execute("{ courses { nodes { id } } }")["courses"]["nodes"]
    assert listed == [{"id": course.global_id}]


def test_publishing_twice_is_success_and_no_new_version(client: Client, make: Factories) -> None:
    course = complete(make)
    author = author_of(client, make, course)
    first = author.ok("publishCourse", courseId=course.global_id)
    assert author.ok("publishCourse", courseId=course.global_id) == first


def test_everything_that_is_missing_is_told_at_once(client: Client, make: Factories) -> None:
    course = make.course(title=" ", description=" \n", sections=0, status=CourseStatus.DRAFT)
    author = author_of(client, make, course)
    missing = ["NO_TITLE", "NO_DESCRIPTION", "NO_CATEGORY", "NO_SECTION", "NO_LECTURE"]
    assert problems(client, author, course) == [(code, None) for code in missing]
    assert not_ready(author, course) == 5

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
def test_a_lecture_needs_what_its_type_is_made_of(
    client: Client, make: Factories, kind: LectureType, content: dict[str, str], code: str | None
) -> None:
    course = complete(make, lectures=1)
    make.lecture(course.sections[0], title="It", lecture_type=kind, order_index=1, **{**NOTHING, **content})
    author = author_of(client, make, course)
    assert problems(client, author, course) == ([] if code is None else [(code, "It")])
    if code is None:
        author.ok("publishCourse", courseId=course.global_id)
    else:
        assert not_ready(author, course) == 1


def test_a_quiz_lecture_needs_a_published_quiz(client: Client, make: Factories, service: Service) -> None:
    course = complete(make)
    lecture = make.lecture(course.sections[0], title="Test", lecture_type=LectureType.QUIZ, order_index=2)
    author = author_of(client, make, course)
    make.quiz(course, is_published=True)
    assert problems(client, author, course) == [("NO_QUIZ", "Test")], "a quiz of the course alone is not carried"
    quiz = make.quiz(course, lecture)
    assert problems(client, author, course) == [("QUIZ_NOT_PUBLISHED", "Test")]
    assert not_ready(author, course) == 1

    def publish(session: Any) -> None:
        session.get_one(Quiz, quiz.id).is_published = True

    service.database.write_sync(publish)
    assert problems(client, author, course) == []
    assert author.ok("publishCourse", courseId=course.global_id)["status"] == "PUBLISHED"


def test_problems_come_in_the_order_of_the_course_and_know_nothing_of_what_was_removed(
    client: Client, make: Factories
) -> None:
    course = complete(make, sections=0)
    second = make.section(course, title="Second", order_index=1)
    first = make.section(course, title="First", order_index=0)
    make.section(course, title="Empty", order_index=2)
    make.section(course, title="Gone", order_index=3, deleted_at=clock.now())
    for section, title, place in ((second, "D", 1), (second, "C", 0), (first, "B", 1), (first, "A", 0)):
        make.lecture(section, title=title, order_index=place, **NOTHING)
    make.lecture(first, title="Gone", order_index=2, deleted_at=clock.now(), **NOTHING)
    author = author_of(client, make, course)
    expected = [("EMPTY_SECTION", "Empty"), *(("NO_VIDEO", title) for title in "ABCD")]
    assert problems(client, author, course) == expected
    assert not_ready(author, course) == 5


def test_problems_are_for_course_staff(client: Client, make: Factories) -> None:
    course = complete(make, CourseStatus.PUBLISHED)
    enrolled = make.user(Role.INSTRUCTOR)
    make.enrollment(enrolled, course)
    for actor in (ANONYMOUS, make.actor(make.user()), make.actor(enrolled)):
        body = client.graphql(PROBLEMS, as_=actor, id=course.global_id)
        assert body["data"] == {"node": {"publishProblems": None}}
        (error,) = body["errors"]
        assert (error["extensions"]["code"], error["path"]) == ("FORBIDDEN", ["node", "publishProblems"])
    admin = CourseClient(client, make.actor(make.user(Role.SUPER_ADMIN)))
    assert problems(client, admin, course) == []


def test_a_big_course_is_looked_at_in_as_many_statements_as_a_small_one(
    client: Client, make: Factories, service: Service, statements: Statements
) -> None:
    small = complete(make, sections=1, lectures=0)
    make.lecture(small.sections[0], **NOTHING)
    make.section(small, order_index=1)
    big = complete(make, sections=10, lectures=0)
    make.section(big, order_index=10)
    lectures = [
        {"section_id": section.id, "course_id": big.row.id, "title": "L", "lecture_type": kind, "order_index": place}
        for section in big.sections[:10]
        for place, kind in enumerate([LectureType.VIDEO, LectureType.QUIZ] * 50)
    ]
    service.database.write_sync(lambda session: session.execute(insert(Lecture), lectures) and None)
    counts = []
    for course, expected in ((small, 2), (big, 1001)):
        author = author_of(client, make, course)
        with statements:
            found = problems(client, author, course)
        counts.append(statements.count)
        assert len(found) == expected
        with statements:
            assert not_ready(author, course) == expected
        counts.append(statements.count)
    assert counts[:2] == counts[2:]
    assert counts[0] <= 8


STEPS = {
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


@pytest.mark.parametrize(("status", "mutation"), STEPS)
def test_each_step_leads_where_the_rules_say(
    client: Client, make: Factories, status: CourseStatus, mutation: str
) -> None:
    course = complete(make, status)
    author, leads_to = author_of(client, make, course), STEPS[status, mutation]
    before = client.execute(STATE, as_=author.actor, id=course.global_id)["node"]
    if leads_to == "INVALID_TRANSITION":
        assert author.user_errors(mutation, courseId=course.global_id) == [("INVALID_TRANSITION", "courseId")]
        assert client.execute(STATE, as_=author.actor, id=course.global_id)["node"] == before
    elif leads_to == "deleted":
        assert author.ok(mutation, courseId=course.global_id) == course.global_id
    else:
        shown = author.ok(mutation, courseId=course.global_id)
        stays = leads_to == before["status"]
        assert (shown["status"], shown["version"]) == (leads_to, 1 if stays else 2)
        assert (shown["updatedAt"] == before["updatedAt"]) is stays
        assert status is CourseStatus.DRAFT or shown["publishedAt"] == before["publishedAt"]


def test_the_first_publication_stays_whatever_follows(client: Client, make: Factories) -> None:
    course = complete(make)
    author = author_of(client, make, course)
    first = author.ok("publishCourse", courseId=course.global_id)["publishedAt"]
    assert first is not None
    for version, step in enumerate(("unpublish", "publish", "archive", "publish"), 3):
        shown = author.ok(f"{step}Course", courseId=course.global_id)
        assert (shown["publishedAt"], shown["version"]) == (first, version)


def test_an_archived_course_is_looked_at_again_before_it_opens(client: Client, make: Factories) -> None:
    course = make.course(status=CourseStatus.ARCHIVED)
    author = author_of(client, make, course)
    assert author.user_errors("publishCourse", courseId=course.global_id) == [("NOT_READY", "courseId")]
    author.ok("updateCourse", courseId=course.global_id, categoryId=global_id("Category", make.category()))
    assert author.ok("publishCourse", courseId=course.global_id)["status"] == "PUBLISHED"


@pytest.mark.parametrize("status", list(EnrollmentStatus))
def test_nothing_is_taken_back_once_somebody_has_enrolled(
    client: Client, make: Factories, status: EnrollmentStatus
) -> None:
    open_one, draft = complete(make, CourseStatus.PUBLISHED), complete(make)
    for course in (open_one, draft):
        make.enrollment(make.user(), course, status)
    in_use = [("IN_USE", "courseId")]
    assert author_of(client, make, open_one).user_errors("unpublishCourse", courseId=open_one.global_id) == in_use
    assert author_of(client, make, draft).user_errors("deleteCourse", courseId=draft.global_id) == in_use
    assert author_of(client, make, open_one).ok("archiveCourse", courseId=open_one.global_id)["status"] == "ARCHIVED"


@pytest.mark.parametrize("status", list(TransactionStatus))
def test_a_payment_that_is_pending_keeps_a_course_open_and_any_payment_keeps_it(
    client: Client, make: Factories, status: TransactionStatus
) -> None:
    course = complete(make, CourseStatus.PUBLISHED)
    make.transaction(make.user(), course, status)
    author = author_of(client, make, course)
    if status is TransactionStatus.PENDING:
        assert author.user_errors("unpublishCourse", courseId=course.global_id) == [("IN_USE", "courseId")]
    else:
        author.ok("unpublishCourse", courseId=course.global_id)
        assert author.user_errors("deleteCourse", courseId=course.global_id) == [("IN_USE", "courseId")]


def test_all_that_is_in_the_way_is_told_at_once(client: Client, make: Factories, service: Service) -> None:
    course = complete(make)
    learner, quiz = make.user(), make.quiz(course)
    make.enrollment(learner, course)
    make.transaction(learner, course)
    attempt = {"attempt_number": 1, "status": AttemptStatus.GRADED, "started_at": clock.now()}
    add(service, QuizAttempt(user_id=learner.id, quiz_id=quiz.id, **attempt))
    author = author_of(client, make, course)
    assert author.user_errors("deleteCourse", courseId=course.global_id) == [("IN_USE", "courseId")] * 3
    assert [count(service, table) for table in (Course, Section, Lecture, Quiz, Transaction)] == [1, 1, 2, 1, 1]


def test_a_deleted_draft_leaves_nothing_behind(client: Client, make: Factories, service: Service) -> None:
    course, other = complete(make), complete(make)
    for each in (course, other):
        teacher, lecture = each.instructor.id, each.lectures[0].id
        for quiz in (make.quiz(each), make.quiz(each, each.lectures[1])):
            add(service, Question(quiz_id=quiz.id, question_type=QuestionType.ESSAY, question_text="Why?"))
        add(service, Note(user_id=teacher, lecture_id=lecture, content="Mine"))
        question = QAQuestion(user_id=teacher, lecture_id=lecture, title="Does it work?", content="Try.")
        add(service, question)
        answer = QAAnswer(user_id=teacher, question_id=question.id, content="It does.")
        add(service, answer)
        reply = QAAnswer(user_id=teacher, question_id=question.id, parent_id=answer.id, content="Good.")
        question.accepted_answer_id = answer.id
        add(service, reply, question)
    author = author_of(client, make, course)
    assert author.ok("deleteCourse", courseId=course.global_id) == course.global_id
    left = [count(service, table) for table in (Course, Quiz, Question, Note, QAQuestion, QAAnswer)]
    assert left == [1, 2, 2, 1, 1, 2], "the other course's"


def state_of(service: Service, course: CourseTree) -> CourseStatus | None:
    state = select(Course.status).where(Course.id == course.row.id)
    return service.database.read_sync(lambda session: session.scalar(state))


def test_a_course_is_published_or_deleted_and_never_both(client: Client, make: Factories, service: Service) -> None:
    with racing(service) as both:
        for _ in rounds(service, 300):
            course = complete(make, lectures=1)
            author = author_of(client, make, course)
            published, deleted = both.race(
                author.race_request("publishCourse", courseId=course.global_id),
                author.race_request("deleteCourse", courseId=course.global_id),
            )
            state = state_of(service, course)
            if deleted.code is None:
                assert (published.code, state) == ("NOT_FOUND", None)
                assert count(service, Lecture, Lecture.course_id == course.row.id) == 0
            else:
                assert (published.code, deleted.code) == (None, "INVALID_TRANSITION")
                assert state is CourseStatus.PUBLISHED


@pytest.mark.slow
def test_of_many_who_publish_at_once_one_makes_a_version(client: Client, make: Factories, service: Service) -> None:
    with racing(service, 4) as everyone:
        for _ in rounds(service)[:50]:
            course = complete(make, lectures=1)
            author = author_of(client, make, course)
            answers = everyone.race(*[author.race_request("publishCourse", courseId=course.global_id)] * 4)
            shown = [answer.payload["course"] for answer in answers]
            assert Counter(course["version"] for course in shown) == {2: 4}
            assert len({course["publishedAt"] for course in shown}) == 1
