"""Discussions across a course, and the questions and notes of a user."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from lms_graphql.catalog.models import Course, CourseStatus, Lecture
from tests.discussion.discussion_client import AsUser, DiscussionClient, DiscussionCourse, execute
from tests.discussion.test_access import READERS, VIEWERS
from tests.factories import Factories, global_id
from tests.live_service import Client, Service, StatementRecorder

QUESTIONS = """query C($id: ID!, $orderBy: QAOrder, $isAnswered: Boolean, $first: Int, $after: String) {
  node(id: $id) { ... on Course {
    qaQuestions(orderBy: $orderBy, isAnswered: $isAnswered, first: $first, after: $after) {
      totalCount pageInfo { hasNextPage endCursor } nodes { title course { id } lecture { id } }
    }
  } }
}"""
POSTS = """query P($id: ID!, $courseId: ID) { node(id: $id) { ... on User {
  qaQuestions { totalCount nodes { title course { title } lecture { id } answers { nodes { content } } } }
  notes(courseId: $courseId) { totalCount edges { cursor node { content course { title } lecture { id } } } }
} } }"""


def questions_of_course(client: DiscussionClient, course: DiscussionCourse, **arguments: Any) -> Any:
    return client.execute(QUESTIONS, id=course.course.global_id, **arguments)["node"]["qaQuestions"]


def titles(page: Any) -> list[str]:
    return [question["title"] for question in page["nodes"]]


def remove(service: Service, lecture: Lecture) -> None:
    execute(service.database, update(Lecture).where(Lecture.id == lecture.id).values(deleted_at=datetime.now(UTC)))


def test_course_questions_have_the_access_of_their_lectures(
    course: DiscussionCourse, as_user: AsUser, make: Factories, service: Service
) -> None:
    removed = make.lecture(course.course.sections[0], is_preview=True, order_index=2)
    make.question(course.asker, course.preview, title="preview")
    course.question(title="lecture")
    make.question(course.asker, removed, title="removed")
    make.question(course.asker, make.course().lectures[0], title="in another course")
    remove(service, removed)
    for viewer in VIEWERS:
        page = questions_of_course(as_user(viewer), course)
        expected = ["removed", "lecture", "preview"] if viewer in READERS else ["preview"]
        assert (viewer, titles(page), page["totalCount"]) == (viewer, expected, len(expected))
        assert {question["course"]["id"] for question in page["nodes"]} == {course.course.global_id}
    lecture_ids = [question["lecture"] for question in questions_of_course(as_user("learner"), course)["nodes"]]
    assert lecture_ids == [None, *({"id": global_id("Lecture", row)} for row in (course.lecture, course.preview))]


def test_course_questions_are_ordered_filtered_and_paginated(
    course: DiscussionCourse, as_user: AsUser, make: Factories
) -> None:
    for number, votes in enumerate((1, 0, 2, 1)):
        lecture = course.preview if number % 2 else course.lecture
        question = make.question(course.asker, lecture, title=f"{number}", vote_count=votes)
        if number < 2:
            make.answer(course.instructor, question, is_instructor_answer=True)
    client = as_user("answerer")
    for arguments, expected in (
        ({}, "3210"),
        ({"orderBy": "OLDEST"}, "0123"),
        ({"orderBy": "MOST_VOTED"}, "2301"),
        ({"isAnswered": True}, "10"),
        ({"isAnswered": False, "orderBy": "OLDEST"}, "23"),
    ):
        page = questions_of_course(client, course, first=1, **arguments)
        assert page["totalCount"] == len(expected)
        rest = questions_of_course(client, course, after=page["pageInfo"]["endCursor"], **arguments)
        assert "".join([*titles(page), *titles(rest)]) == expected
        assert [page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]] == [True, False]


def test_own_posts_remain_when_access_ended_and_lecture_is_removed(
    course: DiscussionCourse, as_user: AsUser, make: Factories, service: Service
) -> None:
    author, question = as_user("cancelled"), make.question(course.cancelled, course.lecture)
    answer = make.answer(course.instructor, question)
    make.question(course.asker, course.lecture, title="of someone else")
    make.note(course.cancelled, course.lecture)
    user_id, course_id = global_id("User", course.cancelled), course.course.global_id
    ids = [global_id("QAQuestion", question), global_id("QAAnswer", answer)]
    in_course = {"course": {"title": course.course.row.title}}
    for lecture in ({"id": global_id("Lecture", course.lecture)}, None):
        if lecture is None:
            remove(service, course.lecture)
        own = author.execute(POSTS, id=user_id, courseId=course_id)["node"]
        answers = {"nodes": [{"content": "Because."}]}
        expected = {"title": "Why?", "lecture": lecture, "answers": answers, **in_course}
        assert own["qaQuestions"] == {"totalCount": 1, "nodes": [expected]}
        assert own["notes"]["totalCount"] == 1
        expected_note = {"content": "Remember this", "lecture": lecture, **in_course}
        assert [edge["node"] for edge in own["notes"]["edges"]] == [expected_note]
        assert author.can_read(*ids) == [True, True]
        assert questions_of_course(author, course)["nodes"] == []
    assert as_user("other_user").can_read(*ids) == [False, False]
    assert author.user_errors("answerQuestion", questionId=ids[0], content="x") == [("NOT_ENROLLED", "questionId")]
    assert author.ok("deleteQaQuestion", questionId=ids[0]) == ids[0]


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_notes_of_user_are_newest_first_and_filtered_by_course(
    course: DiscussionCourse, as_user: AsUser, make: Factories
) -> None:
    other_course = make.course()
    make.enrollment(course.learner, other_course)
    for lecture in (course.lecture, other_course.lectures[0], course.preview):
        as_user("learner").ok("createNote", lectureId=global_id("Lecture", lecture), content=lecture.title)
    user_id, course_id = global_id("User", course.learner), course.course.global_id
    own = [course.preview.title, course.lecture.title]
    for id, expected in ((None, [own[0], other_course.lectures[0].title, own[1]]), (course_id, own), (user_id, [])):
        page = as_user("learner").execute(POSTS, id=user_id, courseId=id)["node"]["notes"]
        assert [edge["node"]["content"] for edge in page["edges"]] == expected
        assert page["totalCount"] == len(expected)


@pytest.mark.parametrize("service_settings", ["sqlite"], indirect=True)
def test_posts_of_former_instructor_leave_lists_with_an_invisible_course(
    course: DiscussionCourse, as_user: AsUser, make: Factories, service: Service
) -> None:
    question = make.question(course.instructor, course.lecture)
    note = make.note(course.instructor, course.lecture)
    values = {"instructor_id": course.other_instructor.id, "status": CourseStatus.ARCHIVED}
    execute(service.database, update(Course).values(values))
    former_instructor = as_user("instructor")
    own = former_instructor.execute(POSTS, id=global_id("User", course.instructor))["node"]
    assert (own["qaQuestions"]["totalCount"], own["notes"]["totalCount"]) == (0, 0)
    ids = [global_id("QAQuestion", question), global_id("Note", note)]
    assert former_instructor.can_read(*ids) == [False, False]


COURSES = """query T($first: Int!) {
  courses(first: $first) { nodes {
    qaQuestions(first: 5) { totalCount nodes { title course { title } lecture { title } author { username } } }
  } }
  me {
    qaQuestions { totalCount nodes { course { title } lecture { title } } }
    notes { totalCount nodes { course { title } lecture { title } } }
  }
}"""


@pytest.mark.query_budget
def test_statement_count_is_independent_of_course_count(
    client: Client, make: Factories, statements: StatementRecorder
) -> None:
    learner = make.user()
    for _ in range(5):
        course = make.course()
        make.enrollment(learner, course)
        for lecture in course.lectures:
            make.question(learner, lecture)
            make.note(learner, lecture)
    statement_counts = []
    for first in (1, 5):
        with statements:
            data = client.execute(COURSES, as_=make.actor(learner), first=first)
        counts = [course["qaQuestions"]["totalCount"] for course in data["courses"]["nodes"]]
        assert (counts, data["me"]["qaQuestions"]["totalCount"]) == ([2] * first, 10)
        statement_counts.append(statements.count)
    # Courses and the viewer; a page and a count of each list; courses, lectures and authors of all rows.
    assert statement_counts == [10, 10]
