"""Course staff write quizzes: settings, publication, deletion, and who may do it."""

from typing import Any

import pytest
from sqlalchemy import func, select

from lms_graphql.assessment.models import Question, QuestionVersion, Quiz, QuizAccommodation
from lms_graphql.catalog.models import LectureType
from lms_graphql.core.actor import ANONYMOUS, Role
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import QuizClient, true_false
from tests.assessment.quiz_factories import QuizFactories
from tests.factories import Factories, global_id

SETTINGS = [
    ("title", "", "REQUIRED"),
    ("title", "x" * 201, "TOO_LONG"),
    ("title", "Two\nlines", "INVALID"),
    ("description", "x" * 10_001, "TOO_LONG"),
    ("description", "a\x07b", "INVALID"),
    ("timeLimitSeconds", 0, "OUT_OF_RANGE"),
    ("timeLimitSeconds", 604_801, "OUT_OF_RANGE"),
    ("maxAttempts", 0, "OUT_OF_RANGE"),
    ("maxAttempts", 1_001, "OUT_OF_RANGE"),
    ("passingScore", -0.01, "OUT_OF_RANGE"),
    ("passingScore", 100.01, "OUT_OF_RANGE"),
    ("passingScore", 69.995, "OUT_OF_RANGE"),
    ("passingScore", None, "REQUIRED"),
    ("shuffleQuestions", None, "REQUIRED"),
    ("reviewPolicy", None, "REQUIRED"),
    ("keptScore", None, "REQUIRED"),
]


@pytest.mark.sqlite_only
@pytest.mark.parametrize(("field", "value", "code"), SETTINGS)
def test_invalid_setting_is_rejected(course: QuizCourse, make: Factories, field: str, value: Any, code: str) -> None:
    quiz_id = global_id("Quiz", make.quiz(course.tree))
    assert course.instructor.user_errors("updateQuiz", quizId=quiz_id, **{field: value}) == [(code, field)]
    new_quiz = {"courseId": course.id, "title": "Quiz", field: value}
    assert course.instructor.user_errors("createQuiz", **new_quiz) == [(code, field)]


def test_all_invalid_settings_are_reported_together(course: QuizCourse) -> None:
    new_quiz = {"courseId": course.id, "title": " ", "timeLimitSeconds": 0, "maxAttempts": 0, "passingScore": 101}
    errors = course.instructor.user_errors("createQuiz", **new_quiz)
    expected = [("REQUIRED", "title"), ("OUT_OF_RANGE", "timeLimitSeconds"), ("OUT_OF_RANGE", "maxAttempts")]
    assert errors == [*expected, ("OUT_OF_RANGE", "passingScore")]


def test_new_quiz_has_defaults(course: QuizCourse) -> None:
    quiz = course.instructor.ok("createQuiz", courseId=course.id, title=" Quiz ")
    assert quiz.pop("id")
    assert quiz == {
        "title": "Quiz",
        "description": None,
        "timeLimitSeconds": None,
        "maxAttempts": 1,
        "passingScore": 70,
        "shuffleQuestions": False,
        "reviewPolicy": "AFTER_SUBMIT",
        "keptScore": "HIGHEST",
        "isPublished": False,
        "questionCount": 0,
        "totalPoints": "0.00",
        "questions": [],
    }


def test_update_changes_only_the_given_settings(course: QuizCourse) -> None:
    settings: dict[str, Any] = {
        "timeLimitSeconds": 604_800,
        "maxAttempts": 1_000,
        "passingScore": 0,
        "shuffleQuestions": True,
    }
    settings |= {"description": "Words", "reviewPolicy": "NEVER", "keptScore": "AVERAGE"}
    quiz = course.instructor.ok("createQuiz", courseId=course.id, title="Quiz", **settings)
    assert {name: quiz[name] for name in settings} == settings
    changes = {"timeLimitSeconds": None, "maxAttempts": None, "description": None, "passingScore": 99.99}
    updated = course.instructor.ok("updateQuiz", quizId=quiz["id"], **changes)
    assert updated == {**quiz, **changes}
    assert course.instructor.ok("updateQuiz", quizId=quiz["id"]) == updated


def test_course_has_at_most_100_quizzes(course: QuizCourse) -> None:
    rows = [Quiz(course_id=course.tree.row.id, title="Quiz") for _ in range(99)]
    QuizFactories(course.service.database).add_all(rows)
    course.instructor.ok("createQuiz", courseId=course.id, title="The last one")
    errors = course.instructor.user_errors("createQuiz", courseId=course.id, title="One more")
    assert errors == [("LIMIT_REACHED", "courseId")]


def test_publishing_needs_a_question(course: QuizCourse) -> None:
    quiz = course.instructor.ok("createQuiz", courseId=course.id, title="Quiz")
    published = {"quizId": quiz["id"], "isPublished": True}
    assert course.instructor.user_errors("setQuizPublished", **published) == [("NOT_READY", "quizId")]
    course.instructor.ok("addQuestion", quizId=quiz["id"], question=true_false())
    for is_published in (True, True, False, False):
        result = course.instructor.ok("setQuizPublished", **{**published, "isPublished": is_published})
        assert result["isPublished"] is is_published


def test_published_quiz_keeps_its_last_question(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    question = {"questionId": quiz["questions"][0]["id"]}
    assert course.instructor.user_errors("deleteQuestion", **question) == [("NOT_READY", "questionId")]
    course.instructor.ok("setQuizPublished", quizId=quiz["id"], isPublished=False)
    assert course.instructor.ok("deleteQuestion", **question) == question["questionId"]


def test_quiz_that_a_published_course_needs_stays(course: QuizCourse, make: Factories) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    lecture = make.lecture(course.tree.sections[0], order_index=5, lecture_type=LectureType.QUIZ)
    attach = "mutation M($input: UpdateLectureInput!) { updateLecture(input: $input) { errors { code } } }"
    lecture_id = global_id("Lecture", lecture)

    def update_lecture(quiz_id: str | None) -> None:
        input = {"lectureId": lecture_id, "quizId": quiz_id}
        payload = course.client.execute(attach, as_=course.instructor.actor, input=input)["updateLecture"]
        assert payload == {"errors": []}

    update_lecture(quiz["id"])
    unpublished = {"quizId": quiz["id"], "isPublished": False}
    assert course.instructor.user_errors("setQuizPublished", **unpublished) == [("IN_USE", "quizId")]
    assert course.instructor.user_errors("deleteQuiz", quizId=quiz["id"]) == [("IN_USE", "quizId")]
    archive = "mutation M($id: ID!) { archiveCourse(input: {courseId: $id}) { errors { code } } }"
    course.client.execute(archive, as_=course.instructor.actor, id=course.id)
    assert course.instructor.ok("setQuizPublished", **unpublished)["isPublished"] is False
    assert course.instructor.ok("deleteQuiz", quizId=quiz["id"]) == quiz["id"]


def test_quiz_with_attempts_is_not_deleted(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    course.learner.start(quiz["id"])
    assert course.instructor.user_errors("deleteQuiz", quizId=quiz["id"]) == [("IN_USE", "quizId")]


def test_deleted_quiz_leaves_no_rows(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    user_id = global_id("User", course.learner_user)
    course.instructor.ok("setQuizAccommodation", quizId=quiz["id"], userId=user_id, extraAttempts=1)
    assert course.instructor.ok("deleteQuiz", quizId=quiz["id"]) == quiz["id"]
    assert course.instructor.user_errors("deleteQuiz", quizId=quiz["id"]) == [("NOT_FOUND", "quizId")]
    for model in (Quiz, Question, QuestionVersion, QuizAccommodation):
        with course.service.engine.connect() as connection:
            assert connection.scalar(select(func.count()).select_from(model)) == 0


def quiz_inputs(quiz: Any, course_id: str) -> dict[str, dict[str, Any]]:
    """Return a valid input of each mutation that writes a quiz."""
    quiz_id, question_id = {"quizId": quiz["id"]}, {"questionId": quiz["questions"][0]["id"]}
    return {
        "createQuiz": {"courseId": course_id, "title": "Quiz"},
        "updateQuiz": quiz_id,
        "setQuizPublished": {**quiz_id, "isPublished": False},
        "deleteQuiz": quiz_id,
        "addQuestion": {**quiz_id, "question": true_false()},
        "reorderQuestions": {**quiz_id, "questionIds": [question_id["questionId"]]},
        "updateQuestion": {**question_id, "question": true_false()},
        "deleteQuestion": question_id,
        "regradeQuestion": question_id,
    }


def test_learners_and_anonymous_viewers_write_no_quizzes(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    anonymous = QuizClient(course.client, ANONYMOUS)
    for mutation, input in quiz_inputs(quiz, course.id).items():
        assert course.learner.error_codes(mutation, **input) == ["FORBIDDEN"]
        assert anonymous.error_codes(mutation, **input) == ["UNAUTHENTICATED"]


def test_other_instructors_find_no_quiz(course: QuizCourse, make: Factories) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    colleague = QuizClient(course.client, make.actor(make.user(Role.INSTRUCTOR)))
    inputs = quiz_inputs(quiz, course.id)
    assert colleague.error_codes("createQuiz", **inputs.pop("createQuiz")) == ["FORBIDDEN"]
    for mutation, input in inputs.items():
        field = "questionId" if "questionId" in input else "quizId"
        assert colleague_errors(colleague, mutation, input) == [("NOT_FOUND", field)]


def test_enrolled_instructor_sees_the_quiz_and_no_question(course: QuizCourse, make: Factories) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    user = make.user(Role.INSTRUCTOR)
    make.enrollment(user, course.tree)
    colleague = QuizClient(course.client, make.actor(user))
    for mutation, input in quiz_inputs(quiz, course.id).items():
        if "questionId" in input:
            assert colleague_errors(colleague, mutation, input) == [("NOT_FOUND", "questionId")]
        else:
            assert colleague.error_codes(mutation, **input) == ["FORBIDDEN"]


def colleague_errors(colleague: QuizClient, mutation: str, input: dict[str, Any]) -> list[tuple[str, str]]:
    """Return code and input field of each error. Payloads may have numbers beside the object, which is null."""
    return [(error["code"], error["path"][1]) for error in colleague.payload(mutation, **input)["errors"]]
