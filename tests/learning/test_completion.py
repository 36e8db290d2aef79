"""A course is completed when everything that it requires is done: once, with a certificate, and for good."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, update

from lms_graphql.accounts.models import AuditEvent, User
from lms_graphql.assessment.models import AttemptStatus, KeptScore, Quiz, QuizAttempt
from lms_graphql.catalog.models import Enrollment, EnrollmentStatus, LectureType
from lms_graphql.certificates.models import Certificate
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.learning.services.progress_repair import find_progress_drift
from lms_graphql.learning.services.quiz_results import quiz_passed
from lms_graphql.mail.models import Mail
from tests.catalog.curriculum_client import CurriculumClient
from tests.factories import START, Factories, global_id
from tests.learning.enrollment_client import done, ids_of
from tests.learning.progress_client import TICK, Learner, tick_of
from tests.live_service import Client, Service
from tests.mail_servers import Postbox


class Class:
    """A course, its author, and those who learn."""

    def __init__(self, service: Service, client: Client, make: Factories, **course: Any) -> None:
        self.service, self.client, self.make = service, client, make
        self.course = make.course(**course)
        self.author = CurriculumClient(client, make.actor(self.course.instructor))

    def learner(self, status: EnrollmentStatus = EnrollmentStatus.ACTIVE, **values: Any) -> tuple[User, Learner]:
        person = self.make.user()
        self.make.enrollment(person, self.course, status, **values)
        return person, Learner(self.client, self.make.actor(person))

    def enrollment(self, person: User) -> Enrollment:
        mine = select(Enrollment).where(Enrollment.user_id == person.id)
        return self.service.database.read_sync(lambda session: session.scalars(mine).one())

    def change(self, person: User, **values: Any) -> None:
        these = update(Enrollment).where(Enrollment.user_id == person.id).values(**values)
        self.service.database.write_sync(lambda session: session.execute(these) and None)

    def count(self, model: Any, *where: Any) -> int:
        number = select(func.count()).select_from(model).where(*where)
        return self.service.database.read_sync(lambda session: session.scalar(number)) or 0

    def passes(self, person: User, quiz: Quiz, **values: Any) -> bool:
        """As the floor above does it."""
        said = {
            "attempt_number": 1,
            "status": AttemptStatus.GRADED,
            "score": Decimal(100),
            "is_passed": True,
            **values,
        }
        settings = self.service.resources.settings

        def work(session: Any) -> bool:
            session.add(QuizAttempt(user_id=person.id, quiz_id=quiz.id, started_at=START, **said))
            session.flush()
            return quiz_passed(session, person.id, quiz.course_id, quiz.lecture_id, settings)

        return self.service.database.write_sync(work)


@pytest.fixture
def room(service: Service, client: Client, make: Factories) -> Class:
    return Class(service, client, make)


def test_the_last_lecture_completes_the_course_once(room: Class, postbox: Postbox) -> None:
    person, learner = room.learner()
    first, second = room.course.lectures
    assert learner.ticks(first)["enrollment"]["status"] == "ACTIVE"
    done = learner.watches(second, (0, 60))["enrollment"]
    assert (done["status"], done["progress"]["percent"]) == ("COMPLETED", 100)
    assert done["completedAt"] is not None
    assert done["certificate"]["status"] == "VALID"
    assert done["progress"]["currentLecture"]["id"] == global_id("Lecture", second)
    again = learner.ticks(first)["enrollment"]
    assert (again["completedAt"], again["certificate"]) == (done["completedAt"], done["certificate"])
    assert (room.count(Certificate), room.count(Mail)) == (1, 1)
    assert room.count(AuditEvent, AuditEvent.action == "certificate.issued") == 1
    postbox.wait_for(1)
    assert postbox.addresses == [person.email]


def test_what_is_taken_back_leaves_the_course_completed(room: Class) -> None:
    _, learner = room.learner()
    for lecture in room.course.lectures:
        done = learner.ticks(lecture)["enrollment"]
    back = learner.ticks(room.course.lectures[0], False)["enrollment"]
    assert (back["status"], back["progress"]["percent"]) == ("COMPLETED", 50)
    assert (back["completedAt"], back["certificate"]) == (done["completedAt"], done["certificate"])
    again = learner.ticks(room.course.lectures[0])["enrollment"]
    assert (again["completedAt"], again["progress"]["percent"]) == (done["completedAt"], 100)
    assert room.count(Certificate) == 1


def test_a_course_without_anything_to_do_is_never_completed(room: Class) -> None:
    person, learner = room.learner()
    for lecture in room.course.lectures:
        room.author.ok("deleteLecture", lectureId=global_id("Lecture", lecture))
    progress = learner.enrollment(room.course.global_id)
    assert (progress["status"], progress["progress"]["percent"]) == ("ACTIVE", 0)
    assert room.enrollment(person).completed_at is None


def test_a_course_of_many_lectures_shows_100_only_at_the_end(
    service: Service, client: Client, make: Factories
) -> None:
    room = Class(service, client, make, lectures=7)
    _, learner = room.learner()
    shown = [learner.ticks(lecture)["enrollment"] for lecture in room.course.lectures]
    assert [each["progress"]["percent"] for each in shown] == [14.29, 28.57, 42.86, 57.14, 71.43, 85.71, 100]
    assert [each["status"] for each in shown] == ["ACTIVE"] * 6 + ["COMPLETED"]


def test_a_quiz_lecture_is_done_when_its_quiz_is_passed(room: Class) -> None:
    lecture = room.make.lecture(room.course.sections[0], order_index=2, lecture_type=LectureType.QUIZ)
    quiz = room.make.quiz(room.course, lecture, is_published=True)
    person, learner = room.learner()
    for each in room.course.lectures:
        almost = learner.ticks(each)["enrollment"]
    assert (almost["progress"]["percent"], almost["status"]) == (66.67, "ACTIVE")
    assert almost["progress"]["currentLecture"]["id"] == global_id("Lecture", lecture), "the next one to do"
    assert room.passes(person, quiz)
    done = learner.enrollment(room.course.global_id)
    assert (done["status"], done["progress"]["completedLectures"]) == ("COMPLETED", 3)
    assert (done["progress"]["totalQuizzes"], done["progress"]["percent"]) == (0, 100)
    assert not room.passes(person, quiz, attempt_number=2)
    assert (room.count(Certificate), learner.enrollment(room.course.global_id)) == (
        1,
        {**done, "lastAccessedAt": ANY},
    )


class Anything:
    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


ANY: Any = Anything()


def test_a_quiz_that_no_lecture_carries_counts_as_one_thing(room: Class) -> None:
    quiz = room.make.quiz(room.course, is_published=True)
    room.make.quiz(room.course)
    person, learner = room.learner()
    for each in room.course.lectures:
        almost = learner.ticks(each)["enrollment"]
    assert (almost["progress"]["totalQuizzes"], almost["progress"]["passedQuizzes"]) == (1, 0)
    assert (almost["progress"]["percent"], almost["status"]) == (66.67, "ACTIVE")
    assert not room.passes(person, quiz, is_passed=False, score=Decimal(10))
    assert room.passes(person, quiz, attempt_number=2)
    done = learner.enrollment(room.course.global_id)
    assert (done["progress"]["passedQuizzes"], done["progress"]["percent"]) == (1, 100)
    assert done["certificate"] is not None


@pytest.mark.parametrize(
    ("kept", "scores", "passed"),
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
def test_a_quiz_is_passed_by_its_kept_score_and_stays_so(
    room: Class, kept: KeptScore, scores: list[int], passed: bool
) -> None:
    quiz = room.make.quiz(room.course, is_published=True, kept_score=kept)
    person, learner = room.learner()
    for number, score in enumerate(scores, 1):
        room.passes(person, quiz, attempt_number=number, score=Decimal(score), is_passed=score >= 70)
    assert learner.enrollment(room.course.global_id)["progress"]["passedQuizzes"] == int(passed)


def test_a_quiz_that_is_passed_after_access_has_ended_is_kept_and_completes_nothing(room: Class) -> None:
    lecture = room.make.lecture(room.course.sections[0], order_index=2, lecture_type=LectureType.QUIZ)
    quiz = room.make.quiz(room.course, lecture, is_published=True)
    over = clock.now() - timedelta(seconds=1)
    person, learner = room.learner(access_expires_at=over)
    for each in room.course.lectures:
        room.make.lecture_progress(person, each, is_completed=True)
    assert not room.passes(person, quiz)
    ended = learner.enrollment(room.course.global_id)
    assert (ended["status"], ended["progress"]["percent"], ended["certificate"]) == ("EXPIRED", 100, None)
    back = update(Enrollment).values(access_expires_at=None)
    room.service.database.write_sync(lambda session: session.execute(back) and None)
    again = learner.watches(room.course.lectures[0], (0, 5))["enrollment"]
    assert again["status"] == "COMPLETED", "with the first thing they do when they have come back"
    assert again["certificate"] is not None


def test_a_stranger_who_passes_a_quiz_completes_nothing(room: Class) -> None:
    quiz = room.make.quiz(room.course, is_published=True)
    assert not room.passes(room.make.user(Role.SUPER_ADMIN), quiz)
    assert room.count(Certificate) == 0


def test_a_lecture_that_is_added_lowers_the_percentage_and_completes_nobody_less(room: Class) -> None:
    section = global_id("Section", room.course.sections[0])
    _, finished = room.learner()
    _, halfway = room.learner()
    for lecture in room.course.lectures:
        done = finished.ticks(lecture)["enrollment"]
    halfway.ticks(room.course.lectures[0])
    room.author.ok("createLecture", sectionId=section, title="One more", type="TEXT", body="Words")
    assert halfway.enrollment(room.course.global_id)["progress"]["percent"] == 33.33
    after = finished.enrollment(room.course.global_id)
    assert (after["status"], after["completedAt"]) == ("COMPLETED", done["completedAt"])
    assert (after["progress"]["percent"], after["certificate"]) == (66.67, {"id": done["certificate"]["id"]})


def test_a_lecture_that_is_removed_completes_whoever_has_done_all_others(room: Class, postbox: Postbox) -> None:
    first, second = room.course.lectures
    person, learner = room.learner()
    _, other = room.learner()
    cancelled, _ = room.learner(EnrollmentStatus.CANCELLED)
    expired, _ = room.learner(access_expires_at=START)
    for one in (cancelled, expired):
        room.make.lecture_progress(one, first, is_completed=True)
    learner.ticks(first)
    other.ticks(second)
    room.author.ok("deleteLecture", lectureId=global_id("Lecture", second))
    done, not_done = learner.enrollment(room.course.global_id), other.enrollment(room.course.global_id)
    assert (done["status"], done["progress"]["percent"]) == ("COMPLETED", 100)
    assert done["certificate"] is not None
    assert (not_done["status"], not_done["progress"]["percent"]) == ("ACTIVE", 0)
    assert room.enrollment(cancelled).status is EnrollmentStatus.CANCELLED
    assert room.enrollment(expired).completed_at is None
    postbox.wait_for(1)
    assert (postbox.addresses, room.count(Certificate)) == ([person.email], 1)


@pytest.mark.parametrize("by", ["themselves", "a grant"])
def test_whoever_comes_back_to_a_course_in_which_nothing_is_left_has_completed_it(
    room: Class, postbox: Postbox, by: str
) -> None:
    first, second = room.course.lectures
    person, learner = room.learner()
    learner.ticks(first)
    enrollment = room.enrollment(person)
    if by == "themselves":
        done(room.client, learner.actor, "cancelEnrollment", enrollmentId=global_id("Enrollment", enrollment))
    else:
        room.change(person, access_expires_at=START)
    room.author.ok("deleteLecture", lectureId=global_id("Lecture", second))
    assert learner.enrollment(room.course.global_id)["completedAt"] is None
    if by == "themselves":
        back = done(room.client, learner.actor, "enroll", courseId=room.course.global_id)
    else:
        teacher = room.make.actor(room.course.instructor)
        back = done(room.client, teacher, "grantEnrollment", **ids_of(room.course, person))
    assert (back["status"], back["progress"]["percent"]) == ("COMPLETED", 100)
    assert back["certificate"] == {"status": "VALID"}
    assert room.service.database.read_sync(find_progress_drift) == []
    postbox.wait_for(1)
    assert postbox.addresses == [person.email]


def test_a_section_that_is_removed_takes_its_lectures_along(
    service: Service, client: Client, make: Factories
) -> None:
    room = Class(service, client, make, sections=2, lectures=3)
    _, learner = room.learner()
    for lecture in room.course.lectures[:3]:
        learner.ticks(lecture)
    assert learner.enrollment(room.course.global_id)["progress"]["percent"] == 50
    room.author.ok("deleteSection", sectionId=global_id("Section", room.course.sections[1]))
    assert learner.enrollment(room.course.global_id)["status"] == "COMPLETED"


def test_a_lecture_that_is_moved_or_reworded_changes_nothing(room: Class) -> None:
    _, learner = room.learner()
    learner.ticks(room.course.lectures[0])
    before = learner.enrollment(room.course.global_id)
    moved = {"sectionId": global_id("Section", room.course.sections[0]), "position": 1}
    room.author.ok("moveLecture", lectureId=global_id("Lecture", room.course.lectures[0]), **moved)
    room.author.ok("updateLecture", lectureId=global_id("Lecture", room.course.lectures[1]), title="New")
    after = learner.enrollment(room.course.global_id)
    after["progress"]["currentLecture"]["title"] = before["progress"]["currentLecture"]["title"]
    assert after == before


def test_whoever_has_passed_a_quiz_has_done_the_lecture_that_it_is_hung_on(room: Class) -> None:
    quiz = room.make.quiz(room.course, is_published=True)
    person, learner = room.learner()
    _, other = room.learner()
    room.passes(person, quiz)
    section = global_id("Section", room.course.sections[0])
    made = room.author.ok(
        "createLecture", sectionId=section, title="Test", type="QUIZ", quizId=global_id("Quiz", quiz)
    )
    progress = learner.enrollment(room.course.global_id)["progress"]
    assert (progress["completedLectures"], progress["totalQuizzes"], progress["percent"]) == (1, 0, 33.33)
    assert other.enrollment(room.course.global_id)["progress"]["percent"] == 0
    room.author.ok("deleteLecture", lectureId=made["id"])
    progress = learner.enrollment(room.course.global_id)["progress"]
    assert (progress["completedLectures"], progress["passedQuizzes"], progress["percent"]) == (0, 1, 33.33)


def test_nobody_gets_a_certificate_whose_account_is_empty(room: Class) -> None:
    person, learner = room.learner()
    learner.ticks(room.course.lectures[0])
    emptied = update(User).where(User.id == person.id).values(deleted_at=START)
    room.service.database.write_sync(lambda session: session.execute(emptied) and None)
    room.author.ok("deleteLecture", lectureId=global_id("Lecture", room.course.lectures[1]))
    assert room.count(Certificate) == 0


def test_a_refusal_after_the_last_lecture_leaves_nothing(room: Class) -> None:
    """The course is not published any more for someone who cancelled meanwhile."""
    _, learner = room.learner(EnrollmentStatus.CANCELLED)
    assert learner.user_errors(TICK, tick_of(room.course.lectures[0])) == [("NOT_ENROLLED", ["input", "lectureId"])]


def test_progress_before_the_first_contact_tells_what_is_required(room: Class, make: Factories) -> None:
    room.make.quiz(room.course, is_published=True)
    _, learner = room.learner()
    progress = learner.enrollment(room.course.global_id)["progress"]
    assert (progress["totalLectures"], progress["totalQuizzes"], progress["percent"]) == (2, 1, 0)


def test_whoever_comes_back_to_a_course_that_is_done_by_now_has_completed_it(room: Class) -> None:
    person, learner = room.learner(EnrollmentStatus.CANCELLED)
    room.make.lecture_progress(person, room.course.lectures[0], is_completed=True)
    room.author.ok("deleteLecture", lectureId=global_id("Lecture", room.course.lectures[1]))
    assert learner.enrollment(room.course.global_id)["status"] == "CANCELLED"
    document = "mutation E($input: EnrollInput!) { enroll(input: $input) { enrollment { status } errors { code } } }"
    done = room.client.execute(document, as_=learner.actor, input={"courseId": room.course.global_id})["enroll"]
    assert done == {"enrollment": {"status": "COMPLETED"}, "errors": []}
    assert learner.enrollment(room.course.global_id)["certificate"] is not None
