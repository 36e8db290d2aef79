"""Completion of a course: once everything required is done, with a certificate, and for good."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import ANY

import pytest
from sqlalchemy import func, select, update

from lms_graphql.accounts.models import AuditEvent, User
from lms_graphql.assessment.models import AttemptStatus, KeptScore, Quiz, QuizAttempt
from lms_graphql.catalog.models import CourseStatus, Enrollment, EnrollmentStatus, LectureType
from lms_graphql.certificates.models import Certificate
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.learning.services.progress_repair import find_progress_drift
from lms_graphql.learning.services.quiz_results import record_passed_quiz
from lms_graphql.mail.models import Mail
from tests.catalog.curriculum_client import CurriculumClient
from tests.factories import Factories, global_id
from tests.learning.enrollment_client import EnrollmentClient, grant_input
from tests.learning.progress_client import ProgressClient, completed_input
from tests.live_service import Client, Service
from tests.mail_servers import Mailbox
from tests.row_writer import START


class CourseScenario:
    """A course, a client for its author, and clients for its learners."""

    def __init__(self, service: Service, client: Client, make: Factories, **course: Any) -> None:
        self.service, self.client, self.make = service, client, make
        self.course = make.course(**course)
        self.author = CurriculumClient(client, make.actor(self.course.instructor))

    def enroll(
        self, status: EnrollmentStatus = EnrollmentStatus.ACTIVE, **values: Any
    ) -> tuple[User, ProgressClient]:
        """Return a new learner with this enrollment, and their client."""
        user = self.make.user()
        self.make.enrollment(user, self.course, status, **values)
        return user, ProgressClient(self.client, self.make.actor(user))

    def enrollment(self, user: User) -> Enrollment:
        statement = select(Enrollment).where(Enrollment.user_id == user.id)
        return self.service.database.read_sync(lambda session: session.scalars(statement).one())

    def write(self, statement: Any) -> None:
        self.service.database.write_sync(lambda session: session.execute(statement) and None)

    def count(self, model: Any, *where: Any) -> int:
        statement = select(func.count()).select_from(model).where(*where)
        return self.service.database.read_sync(lambda session: session.scalar(statement)) or 0

    def pass_quiz(self, user: User, quiz: Quiz, **values: Any) -> bool:
        """Grade an attempt, as `assessment` does. Return whether it completed the course."""
        passed = {
            "attempt_number": 1,
            "status": AttemptStatus.GRADED,
            "score": Decimal(100),
            "is_passed": True,
            **values,
        }
        settings = self.service.resources.settings

        def grade(session: Any) -> bool:
            session.add(QuizAttempt(user_id=user.id, quiz_id=quiz.id, started_at=START, **passed))
            session.flush()
            return record_passed_quiz(session, user.id, quiz.course_id, quiz.lecture_id, settings)

        return self.service.database.write_sync(grade)


@pytest.fixture
def scenario(service: Service, client: Client, make: Factories) -> CourseScenario:
    return CourseScenario(service, client, make)


def test_last_lecture_completes_course_once(scenario: CourseScenario, mailbox: Mailbox) -> None:
    user, learner = scenario.enroll()
    first, second = scenario.course.lectures
    assert learner.set_completed(first)["enrollment"]["status"] == "ACTIVE"
    completed = learner.record(second, (0, 60))["enrollment"]
    assert (completed["status"], completed["progress"]["percent"]) == ("COMPLETED", 100)
    assert completed["completedAt"] is not None
    assert completed["certificate"]["status"] == "VALID"
    assert completed["progress"]["currentLecture"]["id"] == global_id("Lecture", second)
    repeated = learner.set_completed(first)["enrollment"]
    assert (repeated["completedAt"], repeated["certificate"]) == (completed["completedAt"], completed["certificate"])
    assert (scenario.count(Certificate), scenario.count(Mail)) == (1, 1)
    assert scenario.count(AuditEvent, AuditEvent.action == "certificate.issued") == 1
    mailbox.wait_for(1)
    assert mailbox.recipients == [user.email]


def test_unmarked_lecture_leaves_course_completed(scenario: CourseScenario) -> None:
    _, learner = scenario.enroll()
    first, _ = scenario.course.lectures
    for lecture in scenario.course.lectures:
        completed = learner.set_completed(lecture)["enrollment"]
    unmarked = learner.set_completed(first, False)["enrollment"]
    assert (unmarked["status"], unmarked["progress"]["percent"]) == ("COMPLETED", 50)
    assert unmarked["completedAt"] == completed["completedAt"]
    assert unmarked["certificate"] == completed["certificate"]
    repeated = learner.set_completed(first)["enrollment"]
    assert (repeated["completedAt"], repeated["progress"]["percent"]) == (completed["completedAt"], 100)
    assert scenario.count(Certificate) == 1


def test_empty_course_is_never_completed(service: Service, client: Client, make: Factories) -> None:
    scenario = CourseScenario(service, client, make, status=CourseStatus.ARCHIVED)
    user, learner = scenario.enroll()
    for lecture in scenario.course.lectures:
        scenario.author.ok("deleteLecture", lectureId=global_id("Lecture", lecture))
    enrollment = learner.enrollment(scenario.course.global_id)
    assert (enrollment["status"], enrollment["progress"]["percent"]) == ("ACTIVE", 0)
    assert scenario.enrollment(user).completed_at is None


def test_percentage_reaches_100_with_last_lecture(service: Service, client: Client, make: Factories) -> None:
    scenario = CourseScenario(service, client, make, lectures=7)
    _, learner = scenario.enroll()
    enrollments = [learner.set_completed(lecture)["enrollment"] for lecture in scenario.course.lectures]
    percentages = [enrollment["progress"]["percent"] for enrollment in enrollments]
    assert percentages == [14.29, 28.57, 42.86, 57.14, 71.43, 85.71, 100]
    assert [enrollment["status"] for enrollment in enrollments] == ["ACTIVE"] * 6 + ["COMPLETED"]


def test_quiz_lecture_is_completed_by_passing_quiz(scenario: CourseScenario) -> None:
    quiz_lecture = scenario.make.lecture(scenario.course.sections[0], order_index=2, lecture_type=LectureType.QUIZ)
    quiz = scenario.make.quiz(scenario.course, quiz_lecture, is_published=True)
    user, learner = scenario.enroll()
    for lecture in scenario.course.lectures:
        before = learner.set_completed(lecture)["enrollment"]
    assert (before["progress"]["percent"], before["status"]) == (66.67, "ACTIVE")
    assert before["progress"]["currentLecture"]["id"] == global_id("Lecture", quiz_lecture), "the next incomplete one"
    assert scenario.pass_quiz(user, quiz)
    completed = learner.enrollment(scenario.course.global_id)
    assert (completed["status"], completed["progress"]["completedLectures"]) == ("COMPLETED", 3)
    assert (completed["progress"]["totalQuizzes"], completed["progress"]["percent"]) == (0, 100)
    assert not scenario.pass_quiz(user, quiz, attempt_number=2)
    assert scenario.count(Certificate) == 1
    assert learner.enrollment(scenario.course.global_id) == {**completed, "lastAccessedAt": ANY}


def test_course_level_quiz_counts_like_a_lecture(scenario: CourseScenario) -> None:
    quiz = scenario.make.quiz(scenario.course, is_published=True)
    scenario.make.quiz(scenario.course)
    user, learner = scenario.enroll()
    for lecture in scenario.course.lectures:
        before = learner.set_completed(lecture)["enrollment"]
    assert (before["progress"]["totalQuizzes"], before["progress"]["passedQuizzes"]) == (1, 0)
    assert (before["progress"]["percent"], before["status"]) == (66.67, "ACTIVE")
    assert not scenario.pass_quiz(user, quiz, is_passed=False, score=Decimal(10))
    assert scenario.pass_quiz(user, quiz, attempt_number=2)
    completed = learner.enrollment(scenario.course.global_id)
    assert (completed["progress"]["passedQuizzes"], completed["progress"]["percent"]) == (1, 100)
    assert completed["certificate"] is not None


@pytest.mark.parametrize(
    ("kept_score", "scores", "is_passed"),
    [
        (KeptScore.HIGHEST, [10, 80, 10], True),
        (KeptScore.HIGHEST, [10, 20], False),
        (KeptScore.LATEST, [10, 80], True),
        (KeptScore.LATEST, [80, 10], True),
        (KeptScore.FIRST, [80, 10], True),
        (KeptScore.FIRST, [10, 80], False),
        (KeptScore.AVERAGE, [40, 100], True),
        (KeptScore.AVERAGE, [40, 99], False),
        (KeptScore.AVERAGE, [70, 0], True),
    ],
)
def test_passed_quiz_stays_passed_by_its_kept_score(
    scenario: CourseScenario, kept_score: KeptScore, scores: list[int], is_passed: bool
) -> None:
    quiz = scenario.make.quiz(scenario.course, is_published=True, kept_score=kept_score)
    user, learner = scenario.enroll()
    for number, score in enumerate(scores, 1):
        values = {"attempt_number": number, "earned_points": Decimal(score), "is_passed": score >= 70}
        values |= {"score": Decimal(score), "total_points": Decimal(100)}
        scenario.pass_quiz(user, quiz, **values)
    progress = learner.enrollment(scenario.course.global_id)["progress"]
    assert progress["passedQuizzes"] == int(is_passed)


@pytest.mark.usefixtures("no_maintenance")  # it would store that the access has expired
def test_quiz_passed_without_access_completes_nothing(scenario: CourseScenario) -> None:
    """The progress is stored, and the course is completed once the learner returns."""
    quiz_lecture = scenario.make.lecture(scenario.course.sections[0], order_index=2, lecture_type=LectureType.QUIZ)
    quiz = scenario.make.quiz(scenario.course, quiz_lecture, is_published=True)
    user, learner = scenario.enroll(access_expires_at=clock.now() - timedelta(seconds=1))
    for lecture in scenario.course.lectures:
        scenario.make.lecture_progress(user, lecture, is_completed=True)
    assert not scenario.pass_quiz(user, quiz)
    expired = learner.enrollment(scenario.course.global_id)
    assert (expired["status"], expired["progress"]["percent"]) == ("EXPIRED", 100)
    assert expired["certificate"] is None
    scenario.write(update(Enrollment).values(access_expires_at=None))
    enrollment = learner.record(scenario.course.lectures[0], (0, 5))["enrollment"]
    assert enrollment["status"] == "COMPLETED", "with the first report after the return"
    assert enrollment["certificate"] is not None


def test_quiz_passed_without_enrollment_completes_nothing(scenario: CourseScenario) -> None:
    quiz = scenario.make.quiz(scenario.course, is_published=True)
    assert not scenario.pass_quiz(scenario.make.user(Role.SUPER_ADMIN), quiz)
    assert scenario.count(Certificate) == 0


def test_new_lecture_lowers_percentage_but_not_completion(scenario: CourseScenario) -> None:
    section = global_id("Section", scenario.course.sections[0])
    _, finished = scenario.enroll()
    _, halfway = scenario.enroll()
    for lecture in scenario.course.lectures:
        completed = finished.set_completed(lecture)["enrollment"]
    halfway.set_completed(scenario.course.lectures[0])
    scenario.author.ok("createLecture", sectionId=section, title="One more", type="TEXT", body="Words")
    assert halfway.enrollment(scenario.course.global_id)["progress"]["percent"] == 33.33
    after = finished.enrollment(scenario.course.global_id)
    assert (after["status"], after["completedAt"]) == ("COMPLETED", completed["completedAt"])
    assert after["progress"]["percent"] == 66.67
    assert after["certificate"] == {"id": completed["certificate"]["id"]}


def test_lecture_deletion_completes_course_for_finished_learners(scenario: CourseScenario, mailbox: Mailbox) -> None:
    first, second = scenario.course.lectures
    user, learner = scenario.enroll()
    _, other = scenario.enroll()
    cancelled, _ = scenario.enroll(EnrollmentStatus.CANCELLED)
    expired, _ = scenario.enroll(access_expires_at=START)
    for inactive in (cancelled, expired):
        scenario.make.lecture_progress(inactive, first, is_completed=True)
    learner.set_completed(first)
    other.set_completed(second)
    scenario.author.ok("deleteLecture", lectureId=global_id("Lecture", second))
    completed = learner.enrollment(scenario.course.global_id)
    incomplete = other.enrollment(scenario.course.global_id)
    assert (completed["status"], completed["progress"]["percent"]) == ("COMPLETED", 100)
    assert completed["certificate"] is not None
    assert (incomplete["status"], incomplete["progress"]["percent"]) == ("ACTIVE", 0)
    assert scenario.enrollment(cancelled).status is EnrollmentStatus.CANCELLED
    assert scenario.enrollment(expired).completed_at is None
    mailbox.wait_for(1)
    assert (mailbox.recipients, scenario.count(Certificate)) == ([user.email], 1)


@pytest.mark.parametrize("mutation", ["enroll", "grantEnrollment"])
def test_reenrolling_completes_course_when_requirements_are_met(
    scenario: CourseScenario, mailbox: Mailbox, mutation: str
) -> None:
    first, second = scenario.course.lectures
    user, learner = scenario.enroll()
    learner.set_completed(first)
    enrollment = scenario.enrollment(user)
    enrollment_client = EnrollmentClient(scenario.client, learner.actor)
    if mutation == "enroll":
        enrollment_client.ok("cancelEnrollment", enrollmentId=global_id("Enrollment", enrollment))
    else:
        expired = update(Enrollment).where(Enrollment.user_id == user.id).values(access_expires_at=START)
        scenario.write(expired)
    scenario.author.ok("deleteLecture", lectureId=global_id("Lecture", second))
    assert learner.enrollment(scenario.course.global_id)["completedAt"] is None
    if mutation == "enroll":
        reactivated = enrollment_client.ok("enroll", courseId=scenario.course.global_id)
    else:
        staff = EnrollmentClient(scenario.client, scenario.author.actor)
        reactivated = staff.ok("grantEnrollment", **grant_input(scenario.course, user))
    assert (reactivated["status"], reactivated["progress"]["percent"]) == ("COMPLETED", 100)
    assert reactivated["certificate"] == {"status": "VALID"}
    assert scenario.service.database.read_sync(find_progress_drift) == []
    mailbox.wait_for(1)
    assert mailbox.recipients == [user.email]


def test_deleted_section_no_longer_requires_its_lectures(service: Service, client: Client, make: Factories) -> None:
    scenario = CourseScenario(service, client, make, sections=2, lectures=3)
    _, learner = scenario.enroll()
    for lecture in scenario.course.lectures[:3]:
        learner.set_completed(lecture)
    assert learner.enrollment(scenario.course.global_id)["progress"]["percent"] == 50
    scenario.author.ok("deleteSection", sectionId=global_id("Section", scenario.course.sections[1]))
    assert learner.enrollment(scenario.course.global_id)["status"] == "COMPLETED"


def test_moved_or_edited_lecture_leaves_progress_unchanged(scenario: CourseScenario) -> None:
    first, second = scenario.course.lectures
    _, learner = scenario.enroll()
    learner.set_completed(first)
    before = learner.enrollment(scenario.course.global_id)
    target = {"sectionId": global_id("Section", scenario.course.sections[0]), "position": 1}
    scenario.author.ok("moveLecture", lectureId=global_id("Lecture", first), **target)
    scenario.author.ok("updateLecture", lectureId=global_id("Lecture", second), title="New")
    after = learner.enrollment(scenario.course.global_id)
    after["progress"]["currentLecture"]["title"] = before["progress"]["currentLecture"]["title"]
    assert after == before


def test_passed_quiz_completes_lecture_it_is_attached_to(scenario: CourseScenario) -> None:
    quiz = scenario.make.quiz(scenario.course, is_published=True)
    user, learner = scenario.enroll()
    _, other = scenario.enroll()
    scenario.pass_quiz(user, quiz)
    section = global_id("Section", scenario.course.sections[0])
    values = {"title": "Test", "type": "QUIZ", "quizId": global_id("Quiz", quiz)}
    lecture = scenario.author.ok("createLecture", sectionId=section, **values)
    progress = learner.enrollment(scenario.course.global_id)["progress"]
    assert (progress["completedLectures"], progress["totalQuizzes"], progress["percent"]) == (1, 0, 33.33)
    assert other.enrollment(scenario.course.global_id)["progress"]["percent"] == 0
    scenario.author.ok("deleteLecture", lectureId=lecture["id"])
    progress = learner.enrollment(scenario.course.global_id)["progress"]
    assert (progress["completedLectures"], progress["passedQuizzes"], progress["percent"]) == (0, 1, 33.33)


def test_deleted_user_gets_no_certificate(scenario: CourseScenario) -> None:
    user, learner = scenario.enroll()
    learner.set_completed(scenario.course.lectures[0])
    scenario.write(update(User).where(User.id == user.id).values(deleted_at=START))
    scenario.author.ok("deleteLecture", lectureId=global_id("Lecture", scenario.course.lectures[1]))
    assert scenario.count(Certificate) == 0


def test_cancelled_learner_cannot_complete_lectures(scenario: CourseScenario) -> None:
    _, learner = scenario.enroll(EnrollmentStatus.CANCELLED)
    errors = learner.user_errors("setLectureCompleted", **completed_input(scenario.course.lectures[0]))
    assert errors == [("NOT_ENROLLED", "lectureId")]


def test_progress_shows_requirements_before_first_report(scenario: CourseScenario) -> None:
    scenario.make.quiz(scenario.course, is_published=True)
    _, learner = scenario.enroll()
    progress = learner.enrollment(scenario.course.global_id)["progress"]
    assert (progress["totalLectures"], progress["totalQuizzes"], progress["percent"]) == (2, 1, 0)


def test_reenrolling_without_stored_progress_completes_course(scenario: CourseScenario) -> None:
    user, learner = scenario.enroll(EnrollmentStatus.CANCELLED)
    scenario.make.lecture_progress(user, scenario.course.lectures[0], is_completed=True)
    scenario.author.ok("deleteLecture", lectureId=global_id("Lecture", scenario.course.lectures[1]))
    assert learner.enrollment(scenario.course.global_id)["status"] == "CANCELLED"
    enrollment_client = EnrollmentClient(scenario.client, learner.actor)
    assert enrollment_client.ok("enroll", courseId=scenario.course.global_id)["status"] == "COMPLETED"
    assert learner.enrollment(scenario.course.global_id)["certificate"] is not None
