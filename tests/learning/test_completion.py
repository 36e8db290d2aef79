"""Completion of a course: once everything required is done, with a certificate, and for good."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import ANY

import pytest
from sqlalchemy import func, select, update

from lms_graphql.accounts.models import AuditEvent, User
from lms_graphql.assessment.models import AttemptStatus, KeptScore, Quiz, QuizAttempt
from lms_graphql.catalog.models import Enrollment, EnrollmentStatus, LectureType
from lms_graphql.certificates.models import Certificate
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.learning.services.progress_repair import find_progress_drift
from lms_graphql.learning.services.quiz_results import record_passed_quiz
from lms_graphql.mail.models import Mail
from tests.catalog.curriculum_client import CurriculumClient
from tests.factories import START, Factories, global_id
from tests.learning.enrollment_client import EnrollmentClient, grant_input
from tests.learning.progress_client import ProgressClient, completed_input
from tests.live_service import Client, Service
from tests.mail_servers import Mailbox


class Classroom:
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
def classroom(service: Service, client: Client, make: Factories) -> Classroom:
    return Classroom(service, client, make)


def test_last_lecture_completes_course_once(classroom: Classroom, mailbox: Mailbox) -> None:
    user, learner = classroom.enroll()
    first, second = classroom.course.lectures
    assert learner.set_completed(first)["enrollment"]["status"] == "ACTIVE"
    completed = learner.record(second, (0, 60))["enrollment"]
    assert (completed["status"], completed["progress"]["percent"]) == ("COMPLETED", 100)
    assert completed["completedAt"] is not None
    assert completed["certificate"]["status"] == "VALID"
    assert completed["progress"]["currentLecture"]["id"] == global_id("Lecture", second)
    again = learner.set_completed(first)["enrollment"]
    assert (again["completedAt"], again["certificate"]) == (completed["completedAt"], completed["certificate"])
    assert (classroom.count(Certificate), classroom.count(Mail)) == (1, 1)
    assert classroom.count(AuditEvent, AuditEvent.action == "certificate.issued") == 1
    mailbox.wait_for(1)
    assert mailbox.recipients == [user.email]


def test_unmarked_lecture_leaves_course_completed(classroom: Classroom) -> None:
    _, learner = classroom.enroll()
    first, _ = classroom.course.lectures
    for lecture in classroom.course.lectures:
        completed = learner.set_completed(lecture)["enrollment"]
    unmarked = learner.set_completed(first, False)["enrollment"]
    assert (unmarked["status"], unmarked["progress"]["percent"]) == ("COMPLETED", 50)
    assert unmarked["completedAt"] == completed["completedAt"]
    assert unmarked["certificate"] == completed["certificate"]
    again = learner.set_completed(first)["enrollment"]
    assert (again["completedAt"], again["progress"]["percent"]) == (completed["completedAt"], 100)
    assert classroom.count(Certificate) == 1


def test_empty_course_is_never_completed(classroom: Classroom) -> None:
    user, learner = classroom.enroll()
    for lecture in classroom.course.lectures:
        classroom.author.ok("deleteLecture", lectureId=global_id("Lecture", lecture))
    enrollment = learner.enrollment(classroom.course.global_id)
    assert (enrollment["status"], enrollment["progress"]["percent"]) == ("ACTIVE", 0)
    assert classroom.enrollment(user).completed_at is None


def test_percentage_reaches_100_with_last_lecture(service: Service, client: Client, make: Factories) -> None:
    classroom = Classroom(service, client, make, lectures=7)
    _, learner = classroom.enroll()
    enrollments = [learner.set_completed(lecture)["enrollment"] for lecture in classroom.course.lectures]
    percentages = [enrollment["progress"]["percent"] for enrollment in enrollments]
    assert percentages == [14.29, 28.57, 42.86, 57.14, 71.43, 85.71, 100]
    assert [enrollment["status"] for enrollment in enrollments] == ["ACTIVE"] * 6 + ["COMPLETED"]


def test_quiz_lecture_is_completed_by_passing_quiz(classroom: Classroom) -> None:
    quiz_lecture = classroom.make.lecture(classroom.course.sections[0], order_index=2, lecture_type=LectureType.QUIZ)
    quiz = classroom.make.quiz(classroom.course, quiz_lecture, is_published=True)
    user, learner = classroom.enroll()
    for lecture in classroom.course.lectures:
        before = learner.set_completed(lecture)["enrollment"]
    assert (before["progress"]["percent"], before["status"]) == (66.67, "ACTIVE")
    assert before["progress"]["currentLecture"]["id"] == global_id("Lecture", quiz_lecture), "the next incomplete one"
    assert classroom.pass_quiz(user, quiz)
    completed = learner.enrollment(classroom.course.global_id)
    assert (completed["status"], completed["progress"]["completedLectures"]) == ("COMPLETED", 3)
    assert (completed["progress"]["totalQuizzes"], completed["progress"]["percent"]) == (0, 100)
    assert not classroom.pass_quiz(user, quiz, attempt_number=2)
    assert classroom.count(Certificate) == 1
    assert learner.enrollment(classroom.course.global_id) == {**completed, "lastAccessedAt": ANY}


def test_course_level_quiz_counts_like_a_lecture(classroom: Classroom) -> None:
    quiz = classroom.make.quiz(classroom.course, is_published=True)
    classroom.make.quiz(classroom.course)
    user, learner = classroom.enroll()
    for lecture in classroom.course.lectures:
        before = learner.set_completed(lecture)["enrollment"]
    assert (before["progress"]["totalQuizzes"], before["progress"]["passedQuizzes"]) == (1, 0)
    assert (before["progress"]["percent"], before["status"]) == (66.67, "ACTIVE")
    assert not classroom.pass_quiz(user, quiz, is_passed=False, score=Decimal(10))
    assert classroom.pass_quiz(user, quiz, attempt_number=2)
    completed = learner.enrollment(classroom.course.global_id)
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
def test_quiz_is_passed_by_kept_score_for_good(
    classroom: Classroom, kept_score: KeptScore, scores: list[int], is_passed: bool
) -> None:
    quiz = classroom.make.quiz(classroom.course, is_published=True, kept_score=kept_score)
    user, learner = classroom.enroll()
    for number, score in enumerate(scores, 1):
        values = {"attempt_number": number, "score": Decimal(score), "is_passed": score >= 70}
        classroom.pass_quiz(user, quiz, **values)
    progress = learner.enrollment(classroom.course.global_id)["progress"]
    assert progress["passedQuizzes"] == int(is_passed)


def test_quiz_passed_without_access_completes_nothing(classroom: Classroom) -> None:
    """The progress is stored, and the course is completed once the learner returns."""
    quiz_lecture = classroom.make.lecture(classroom.course.sections[0], order_index=2, lecture_type=LectureType.QUIZ)
    quiz = classroom.make.quiz(classroom.course, quiz_lecture, is_published=True)
    user, learner = classroom.enroll(access_expires_at=clock.now() - timedelta(seconds=1))
    for lecture in classroom.course.lectures:
        classroom.make.lecture_progress(user, lecture, is_completed=True)
    assert not classroom.pass_quiz(user, quiz)
    expired = learner.enrollment(classroom.course.global_id)
    assert (expired["status"], expired["progress"]["percent"]) == ("EXPIRED", 100)
    assert expired["certificate"] is None
    classroom.write(update(Enrollment).values(access_expires_at=None))
    enrollment = learner.record(classroom.course.lectures[0], (0, 5))["enrollment"]
    assert enrollment["status"] == "COMPLETED", "with the first report after the return"
    assert enrollment["certificate"] is not None


def test_quiz_passed_without_enrollment_completes_nothing(classroom: Classroom) -> None:
    quiz = classroom.make.quiz(classroom.course, is_published=True)
    assert not classroom.pass_quiz(classroom.make.user(Role.SUPER_ADMIN), quiz)
    assert classroom.count(Certificate) == 0


def test_new_lecture_lowers_percentage_but_not_completion(classroom: Classroom) -> None:
    section = global_id("Section", classroom.course.sections[0])
    _, finished = classroom.enroll()
    _, halfway = classroom.enroll()
    for lecture in classroom.course.lectures:
        completed = finished.set_completed(lecture)["enrollment"]
    halfway.set_completed(classroom.course.lectures[0])
    classroom.author.ok("createLecture", sectionId=section, title="One more", type="TEXT", body="Words")
    assert halfway.enrollment(classroom.course.global_id)["progress"]["percent"] == 33.33
    after = finished.enrollment(classroom.course.global_id)
    assert (after["status"], after["completedAt"]) == ("COMPLETED", completed["completedAt"])
    assert after["progress"]["percent"] == 66.67
    assert after["certificate"] == {"id": completed["certificate"]["id"]}


def test_deleted_lecture_completes_course_for_others_done(classroom: Classroom, mailbox: Mailbox) -> None:
    first, second = classroom.course.lectures
    user, learner = classroom.enroll()
    _, other = classroom.enroll()
    cancelled, _ = classroom.enroll(EnrollmentStatus.CANCELLED)
    expired, _ = classroom.enroll(access_expires_at=START)
    for inactive in (cancelled, expired):
        classroom.make.lecture_progress(inactive, first, is_completed=True)
    learner.set_completed(first)
    other.set_completed(second)
    classroom.author.ok("deleteLecture", lectureId=global_id("Lecture", second))
    completed = learner.enrollment(classroom.course.global_id)
    incomplete = other.enrollment(classroom.course.global_id)
    assert (completed["status"], completed["progress"]["percent"]) == ("COMPLETED", 100)
    assert completed["certificate"] is not None
    assert (incomplete["status"], incomplete["progress"]["percent"]) == ("ACTIVE", 0)
    assert classroom.enrollment(cancelled).status is EnrollmentStatus.CANCELLED
    assert classroom.enrollment(expired).completed_at is None
    mailbox.wait_for(1)
    assert (mailbox.recipients, classroom.count(Certificate)) == ([user.email], 1)


@pytest.mark.parametrize("by", ["enroll", "grant"])
def test_returning_completes_course_when_nothing_is_left(classroom: Classroom, mailbox: Mailbox, by: str) -> None:
    first, second = classroom.course.lectures
    user, learner = classroom.enroll()
    learner.set_completed(first)
    enrollment = classroom.enrollment(user)
    own = EnrollmentClient(classroom.client, learner.actor)
    if by == "enroll":
        own.ok("cancelEnrollment", enrollmentId=global_id("Enrollment", enrollment))
    else:
        expired = update(Enrollment).where(Enrollment.user_id == user.id).values(access_expires_at=START)
        classroom.write(expired)
    classroom.author.ok("deleteLecture", lectureId=global_id("Lecture", second))
    assert learner.enrollment(classroom.course.global_id)["completedAt"] is None
    if by == "enroll":
        returned = own.ok("enroll", courseId=classroom.course.global_id)
    else:
        staff = EnrollmentClient(classroom.client, classroom.author.actor)
        returned = staff.ok("grantEnrollment", **grant_input(classroom.course, user))
    assert (returned["status"], returned["progress"]["percent"]) == ("COMPLETED", 100)
    assert returned["certificate"] == {"status": "VALID"}
    assert classroom.service.database.read_sync(find_progress_drift) == []
    mailbox.wait_for(1)
    assert mailbox.recipients == [user.email]


def test_deleted_section_no_longer_requires_its_lectures(service: Service, client: Client, make: Factories) -> None:
    classroom = Classroom(service, client, make, sections=2, lectures=3)
    _, learner = classroom.enroll()
    for lecture in classroom.course.lectures[:3]:
        learner.set_completed(lecture)
    assert learner.enrollment(classroom.course.global_id)["progress"]["percent"] == 50
    classroom.author.ok("deleteSection", sectionId=global_id("Section", classroom.course.sections[1]))
    assert learner.enrollment(classroom.course.global_id)["status"] == "COMPLETED"


def test_moved_or_edited_lecture_leaves_progress_unchanged(classroom: Classroom) -> None:
    first, second = classroom.course.lectures
    _, learner = classroom.enroll()
    learner.set_completed(first)
    before = learner.enrollment(classroom.course.global_id)
    target = {"sectionId": global_id("Section", classroom.course.sections[0]), "position": 1}
    classroom.author.ok("moveLecture", lectureId=global_id("Lecture", first), **target)
    classroom.author.ok("updateLecture", lectureId=global_id("Lecture", second), title="New")
    after = learner.enrollment(classroom.course.global_id)
    after["progress"]["currentLecture"]["title"] = before["progress"]["currentLecture"]["title"]
    assert after == before


def test_passed_quiz_completes_lecture_it_is_attached_to(classroom: Classroom) -> None:
    quiz = classroom.make.quiz(classroom.course, is_published=True)
    user, learner = classroom.enroll()
    _, other = classroom.enroll()
    classroom.pass_quiz(user, quiz)
    section = global_id("Section", classroom.course.sections[0])
    values = {"title": "Test", "type": "QUIZ", "quizId": global_id("Quiz", quiz)}
    lecture = classroom.author.ok("createLecture", sectionId=section, **values)
    progress = learner.enrollment(classroom.course.global_id)["progress"]
    assert (progress["completedLectures"], progress["totalQuizzes"], progress["percent"]) == (1, 0, 33.33)
    assert other.enrollment(classroom.course.global_id)["progress"]["percent"] == 0
    classroom.author.ok("deleteLecture", lectureId=lecture["id"])
    progress = learner.enrollment(classroom.course.global_id)["progress"]
    assert (progress["completedLectures"], progress["passedQuizzes"], progress["percent"]) == (0, 1, 33.33)


def test_deleted_user_gets_no_certificate(classroom: Classroom) -> None:
    user, learner = classroom.enroll()
    learner.set_completed(classroom.course.lectures[0])
    classroom.write(update(User).where(User.id == user.id).values(deleted_at=START))
    classroom.author.ok("deleteLecture", lectureId=global_id("Lecture", classroom.course.lectures[1]))
    assert classroom.count(Certificate) == 0


def test_cancelled_learner_cannot_complete_lectures(classroom: Classroom) -> None:
    _, learner = classroom.enroll(EnrollmentStatus.CANCELLED)
    errors = learner.user_errors("setLectureCompleted", **completed_input(classroom.course.lectures[0]))
    assert errors == [("NOT_ENROLLED", "lectureId")]


def test_progress_shows_requirements_before_first_report(classroom: Classroom) -> None:
    classroom.make.quiz(classroom.course, is_published=True)
    _, learner = classroom.enroll()
    progress = learner.enrollment(classroom.course.global_id)["progress"]
    assert (progress["totalLectures"], progress["totalQuizzes"], progress["percent"]) == (2, 1, 0)


def test_returning_without_stored_progress_completes_course(classroom: Classroom) -> None:
    user, learner = classroom.enroll(EnrollmentStatus.CANCELLED)
    classroom.make.lecture_progress(user, classroom.course.lectures[0], is_completed=True)
    classroom.author.ok("deleteLecture", lectureId=global_id("Lecture", classroom.course.lectures[1]))
    assert learner.enrollment(classroom.course.global_id)["status"] == "CANCELLED"
    own = EnrollmentClient(classroom.client, learner.actor)
    assert own.ok("enroll", courseId=classroom.course.global_id)["status"] == "COMPLETED"
    assert learner.enrollment(classroom.course.global_id)["certificate"] is not None
