"""Stories of quizzes through HTTP: written, failed, taken again, passed, counted in progress, certified."""

from lms_graphql.catalog.models import LectureType
from tests.assessment.conftest import QuizCourse
from tests.assessment.quiz_client import choice, essay, short_answer, true_false
from tests.factories import global_id


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
    lecture_id = global_id("Lecture", course.tree.lectures[0])
    completion = "setLectureCompleted(input: {lectureId: $id, isCompleted: true})"
    course.client.execute(
        f"mutation M($id: ID!) {{ {completion} {{ errors {{ code }} }} }}", as_=course.learner.actor, id=lecture_id
    )
    assert course.enrollment()["status"] == "ACTIVE"
    attempt = course.learner.start(quiz["id"])
    course.learner.save(attempt, 0, boolean=True)
    course.learner.submit(attempt)
    enrollment = course.enrollment()
    assert (enrollment["status"], enrollment["certificate"]["status"]) == ("COMPLETED", "VALID")


def test_passing_the_quiz_completes_its_lecture(course: QuizCourse) -> None:
    lecture = course.make.lecture(
        course.tree.sections[0], order_index=1, lecture_type=LectureType.QUIZ, duration=0, video_url=None
    )
    quiz = course.instructor.create_quiz(course.id, true_false())
    update = "updateLecture(input: {lectureId: $id, quizId: $quiz})"
    course.client.execute(
        f"mutation M($id: ID!, $quiz: ID) {{ {update} {{ errors {{ code }} }} }}",
        as_=course.instructor.actor,
        id=global_id("Lecture", lecture),
        quiz=quiz["id"],
    )
    document = "query Q($id: ID!) { node(id: $id) { ... on Lecture { quiz { id } viewerProgress { isCompleted } } } }"
    attempt = course.learner.start(quiz["id"])
    course.learner.save(attempt, 0, boolean=True)
    course.learner.submit(attempt)
    node = course.client.execute(document, as_=course.learner.actor, id=global_id("Lecture", lecture))["node"]
    assert node == {"quiz": {"id": quiz["id"]}, "viewerProgress": {"isCompleted": True}}


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
