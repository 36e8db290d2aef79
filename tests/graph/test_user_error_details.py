"""Errors of payloads for programs: the bound that was exceeded, and the object that is in the way."""

from typing import Any

import pytest

from lms_graphql.assessment.models import QuestionType
from lms_graphql.assessment.question_content import QuestionContent
from lms_graphql.catalog.models import CourseStatus, LectureType
from lms_graphql.core.actor import ANONYMOUS, Actor, Role
from tests.assessment.quiz_factories import QuizFactories
from tests.factories import Factories, global_id
from tests.live_service import Client, Service

INPUT_TYPES = {
    "publishCourse": "CourseIdInput",
    "unpublishCourse": "CourseIdInput",
    "deleteCategory": "CategoryIdInput",
    "deleteLecture": "LectureIdInput",
    "deleteQuestion": "QuestionIdInput",
}
"""Names of the input types that are not those of the mutations."""


def error_details(client: Client, actor: Actor, mutation: str, **input: Any) -> list[tuple[str, Any, Any]]:
    """Return code, limit and id of the subject of each error."""
    input_type = INPUT_TYPES.get(mutation, f"{mutation[0].upper()}{mutation[1:]}Input")
    fields = "errors { code limit subject { id } }"
    document = f"mutation M($input: {input_type}!) {{ {mutation}(input: $input) {{ {fields} }} }}"
    errors = client.execute(document, as_=actor, input=input)[mutation]["errors"]
    return [(error["code"], error["limit"], error["subject"] and error["subject"]["id"]) for error in errors]


@pytest.mark.sqlite_only
def test_limit_is_the_exceeded_bound_as_plain_number(client: Client, make: Factories) -> None:
    course, user, parent = make.course(), make.user(), make.category()
    make.enrollment(user, course)
    for _ in range(4):
        parent = make.category(parent=parent)
    new_user = {"email": "a@example.com", "firstName": "A", "lastName": "x" * 101}
    new_course = {"title": "T", "description": "D"}
    new_quiz = {"courseId": course.global_id, "title": "T"}
    question = {"quizId": global_id("Quiz", make.quiz(course))}
    grant = {"courseId": course.global_id, "userId": global_id("User", make.user())}
    report = {"lectureId": global_id("Lecture", course.lectures[0]), "watched": []}

    def limits(actor: Actor, mutation: str, **input: Any) -> list[tuple[str, str | None]]:
        return sorted((code, limit) for code, limit, _ in error_details(client, actor, mutation, **input))

    assert limits(ANONYMOUS, "register", **new_user, username="ab", password="short") == [
        ("TOO_LONG", "100"),
        ("TOO_SHORT", "10"),
        ("TOO_SHORT", "3"),
    ]
    admin, learner, instructor = (
        make.actor(make.user(Role.SUPER_ADMIN)),
        make.actor(user),
        make.actor(course.instructor),
    )
    for price, limit in (("-0.01", "0"), ("1000000000", "999999999.99"), ("0.001", None)):
        assert limits(instructor, "createCourse", **new_course, price=price) == [("OUT_OF_RANGE", limit)], price
    for attempts, limit in ((0, "1"), (1001, "1000")):
        assert limits(instructor, "createQuiz", **new_quiz, maxAttempts=attempts) == [("OUT_OF_RANGE", limit)]
    for points, limit in (("0.001", "0.01"), ("1001", "1000"), ("1.001", None)):
        content = {"trueFalse": {"prompt": "?", "points": points, "correctAnswer": True}}
        assert limits(instructor, "addQuestion", **question, question=content) == [("OUT_OF_RANGE", limit)], points
    for seconds, limit in ((1e300, "2147483647"), (-1e300, "-2147483648")):
        errors = limits(learner, "recordLectureProgress", **report, positionSeconds=seconds)
        assert errors == [("OUT_OF_RANGE", limit)]
    child = {"name": "N", "parentId": global_id("Category", parent)}
    assert limits(admin, "createCategory", **child) == [("LIMIT_REACHED", "5")]
    past = "2020-01-01T00:00:00Z"
    assert limits(instructor, "grantEnrollment", **grant, accessExpiresAt=past) == [("OUT_OF_RANGE", None)]
    assert limits(learner, "updateProfile", firstName="") == [("REQUIRED", None)]


def test_subject_is_the_object_in_the_way(client: Client, service: Service, make: Factories) -> None:
    parent = make.category()
    child = make.category(parent=parent)
    course = make.course(category=child, sections=2, lectures=1)
    instructor, admin = make.actor(course.instructor), make.actor(make.user(Role.SUPER_ADMIN))
    make.enrollment(make.user(), course)
    quiz_lecture, other = (
        make.lecture(course.sections[0], order_index=index, lecture_type=LectureType.QUIZ) for index in (1, 2)
    )
    quiz = make.quiz(course, quiz_lecture, is_published=True)
    content = QuestionContent(QuestionType.TRUE_FALSE, "?", correct_answer=True)
    question = global_id("TrueFalseQuestion", QuizFactories(service.database).question(quiz, content))
    draft = make.course(status=CourseStatus.DRAFT, lectures=0)
    without_video = make.lecture(draft.sections[0], video_url=None)
    video, last = (global_id("Lecture", lecture) for lecture in course.lectures)
    first, second = (global_id("Section", section) for section in course.sections)
    quiz_id, lecture_of_quiz = global_id("Quiz", quiz), global_id("Lecture", quiz_lecture)

    def subjects(actor: Actor, mutation: str, **input: Any) -> list[tuple[str, str | None]]:
        return [(code, subject) for code, _, subject in error_details(client, actor, mutation, **input)]

    def refused(code: str, subject: str | None, mutation: str, **input: Any) -> None:
        actor = admin if mutation == "deleteCategory" else instructor
        assert subjects(actor, mutation, **input) == [(code, subject)], (mutation, input)

    assert subjects(make.actor(draft.instructor), "publishCourse", courseId=draft.global_id) == [
        ("NOT_READY", None),  # the course, which the input names, has no category
        ("NOT_READY", global_id("Lecture", without_video)),
    ]
    refused("NOT_READY", second, "deleteLecture", lectureId=last)
    refused("NOT_READY", second, "moveLecture", lectureId=last, sectionId=first, position=0)
    refused("NOT_READY", None, "updateLecture", lectureId=video, videoUrl=None)
    refused("NOT_READY", None, "createLecture", sectionId=first, title="Never saved", type="TEXT")
    refused("NOT_READY", quiz_id, "deleteQuestion", questionId=question)
    refused("IN_USE", lecture_of_quiz, "setQuizPublished", quizId=quiz_id, isPublished=False)
    refused("IN_USE", lecture_of_quiz, "updateLecture", lectureId=global_id("Lecture", other), quizId=quiz_id)
    refused("IN_USE", global_id("Category", child), "deleteCategory", categoryId=global_id("Category", parent))
    refused("IN_USE", course.global_id, "deleteCategory", categoryId=global_id("Category", child))
    refused("IN_USE", None, "unpublishCourse", courseId=course.global_id)
