"""Stories of quizzes through HTTP: written, failed, taken again, passed, counted in progress, certified."""

from typing import Any

from lms_graphql.catalog.models import LectureType
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import choice, essay, short_answer, true_false
from tests.factories import global_id

LECTURE = "query Q($id: ID!) { node(id: $id) { ... on Lecture { quiz { id } viewerProgress { isCompleted } } } }"


def complete_video(course: QuizCourse) -> None:
    """Complete the only lecture of the course that is a video."""
    completion = "setLectureCompleted(input: {lectureId: $id, isCompleted: true}) { errors { code } }"
    lecture_id = global_id("Lecture", course.tree.lectures[0])
    course.client.execute(f"mutation M($id: ID!) {{ {completion} }}", as_=course.learner.actor, id=lecture_id)


def add_quiz_lecture(course: QuizCourse, quiz: Any) -> str:
    """Add a lecture with this quiz, and return its id."""
    kind = {"lecture_type": LectureType.QUIZ, "duration": 0, "video_url": None}
    lecture_id = global_id("Lecture", course.make.lecture(course.tree.sections[0], order_index=1, **kind))
    change = "updateLecture(input: {lectureId: $id, quizId: $quiz}) { errors { code } }"
    document = f"mutation M($id: ID!, $quiz: ID) {{ {change} }}"
    course.client.execute(document, as_=course.instructor.actor, id=lecture_id, quiz=quiz["id"])
    return lecture_id


def quiz_lecture(course: QuizCourse, lecture_id: str) -> Any:
    """Return the lecture as the learner sees it."""
    return course.client.execute(LECTURE, as_=course.learner.actor, id=lecture_id)["node"]


def test_quiz_is_failed_then_passed_and_counts_in_progress(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(
        course.id, choice("yes", "maybe"), true_false(), short_answer("Tariff"), maxAttempts=2, passingScore=60
    )
    assert (quiz["questionCount"], quiz["totalPoints"]) == (3, "3.00")
    attempt = course.learner.start(quiz["id"])
    assert (attempt["number"], attempt["status"], attempt["passed"]) == (1, "IN_PROGRESS", None)
    assert course.learner.start(quiz["id"])["id"] == attempt["id"]
    course.learner.select(attempt, 0, "yes", "no")
    failed = course.learner.submit(attempt)
    assert (failed["status"], failed["earnedPoints"]) == ("GRADED", "0.00")
    assert (failed["scorePercent"], failed["passed"]) == (0, False)
    second = course.learner.start(quiz["id"])
    assert second["number"] == 2
    course.learner.select(second, 0, "yes", "maybe")
    course.learner.save(second, 1, boolean=True)
    course.learner.save(second, 2, text=" TARIFF ")
    passed = course.learner.submit(second)
    assert (passed["scorePercent"], passed["passed"]) == (100, True)
    progress = course.enrollment()["progress"]
    assert (progress["passedQuizzes"], progress["totalQuizzes"], progress["percent"]) == (1, 1, 50)
    assert course.learner.user_errors("startQuizAttempt", quizId=quiz["id"]) == [("NO_ATTEMPTS_LEFT", "quizId")]


def test_passing_the_last_quiz_completes_the_course(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    complete_video(course)
    assert course.enrollment()["status"] == "ACTIVE"
    attempt = course.learner.start(quiz["id"])
    course.learner.save(attempt, 0, boolean=True)
    course.learner.submit(attempt)
    enrollment = course.enrollment()
    assert (enrollment["status"], enrollment["certificate"]["status"]) == ("COMPLETED", "VALID")


def test_passing_the_quiz_completes_its_lecture(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false())
    lecture_id = add_quiz_lecture(course, quiz)
    attempt = course.learner.start(quiz["id"])
    course.learner.save(attempt, 0, boolean=True)
    course.learner.submit(attempt)
    expected = {"quiz": {"id": quiz["id"]}, "viewerProgress": {"isCompleted": True}}
    assert quiz_lecture(course, lecture_id) == expected


def test_essay_is_graded_then_regraded(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false(), essay(points="10"))
    attempt = course.learner.start(quiz["id"])
    course.learner.save(attempt, 0, boolean=True)
    course.learner.save(attempt, 1, text="Because.")
    submitted = course.learner.submit(attempt)
    assert (submitted["status"], submitted["earnedPoints"], submitted["passed"]) == ("GRADING", "1.00", None)
    assert submitted["questions"][1]["result"] is None
    grade = {"attemptId": attempt["id"], "questionId": attempt["questions"][1]["id"]}
    assert course.instructor.ok("gradeAnswer", points="0", **grade)["passed"] is False
    graded = course.instructor.ok("gradeAnswer", points="9", feedback="Good.", **grade)
    assert (graded["status"], graded["earnedPoints"], graded["passed"]) == ("GRADED", "10.00", True)
    assert graded["questions"][1]["result"]["feedback"] == "Good."
    assert course.enrollment()["progress"]["passedQuizzes"] == 1
    lowered = course.instructor.ok("gradeAnswer", points="3", **grade)
    assert (lowered["scorePercent"], lowered["passed"]) == (36.36, False)


def test_course_waits_for_the_grade_of_an_essay_and_stays_completed(course: QuizCourse) -> None:
    quiz = course.instructor.create_quiz(course.id, true_false(), essay(points="10"))
    lecture_id = add_quiz_lecture(course, quiz)
    complete_video(course)
    attempt = course.learner.start(quiz["id"])
    course.learner.save(attempt, 0, boolean=True)
    course.learner.save(attempt, 1, text="Because.")
    submitted = course.learner.submit(attempt)
    assert (submitted["status"], submitted["passed"]) == ("GRADING", None)
    assert quiz_lecture(course, lecture_id)["viewerProgress"] is None
    certificates = set()
    steps = [  # points for the essay, score, pass, status of the enrollment
        ("0", 9.09, False, "ACTIVE"),
        ("10", 100, True, "COMPLETED"),
        ("9", 90.91, True, "COMPLETED"),
        ("3", 36.36, False, "COMPLETED"),
    ]
    for points, score, passed, status in steps:
        ids = {"attemptId": attempt["id"], "questionId": attempt["questions"][1]["id"]}
        graded = course.instructor.ok("gradeAnswer", points=points, **ids)
        assert (graded["status"], graded["scorePercent"], graded["passed"]) == ("GRADED", score, passed)
        enrollment, progress = course.enrollment(), quiz_lecture(course, lecture_id)["viewerProgress"]
        assert enrollment["status"] == status
        assert progress == (None if status == "ACTIVE" else {"isCompleted": True})
        if status == "COMPLETED":
            certificates.add(tuple(enrollment["certificate"].values()))
    ((_, certificate_status),) = certificates
    assert certificate_status == "VALID"
