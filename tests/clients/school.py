"""A school for the pages: an instructor and a learner with their courses, and a number of rows in each list."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import update

from lms_graphql.accounts.models import User
from lms_graphql.assessment.models import AttemptStatus, QuestionType, Quiz
from lms_graphql.assessment.question_content import Option, QuestionContent, new_option_id
from lms_graphql.catalog.models import EnrollmentStatus, Lecture, LectureType
from lms_graphql.core import clock
from lms_graphql.core.actor import Role
from lms_graphql.core.money import to_units
from tests.assessment.quiz_factories import QuizFactories
from tests.billing.ledger_factories import LedgerFactories, Sale
from tests.billing.row_factories import RowFactories
from tests.factories import CourseTree, Factories, global_id
from tests.live_service import Service
from tests.row_writer import START

ESSAY = QuestionContent(QuestionType.ESSAY, "Why?", Decimal(2))


@dataclass(frozen=True)
class School:
    """The people, and the course whose pages are shown. The learner is in all courses but `free_course`."""

    learner: User
    instructor: User
    course: CourseTree
    free_course: CourseTree
    lecture: Lecture
    quiz_lecture: Lecture

    def variables(self, page_size: int) -> dict[str, dict[str, Any]]:
        """Return the variables of each page."""
        return {
            "Catalog": {"filter": {"categorySlug": "programming"}, "orderBy": "RECENTLY_UPDATED", "first": page_size},
            "CoursePage": {"slug": self.course.slug},
            "Player": {"lectureId": global_id("Lecture", self.lecture)},
            "LearnerDashboard": {"first": page_size},
            "InstructorDashboard": {"first": page_size},
        }

    def viewer(self, page: str) -> User | None:
        """Return the user whose page it is; null for the catalog, which everyone may see."""
        viewers = {"InstructorDashboard": self.instructor, "Catalog": None}
        return viewers.get(page, self.learner)


class SchoolFactory:
    """Creates a school. `size` is the number of courses, sections, enrollments, posts, attempts, sales and so on."""

    def __init__(self, make: Factories, service: Service, size: int) -> None:
        self.make = make
        self.size = size
        self.database = service.database
        self.quizzes = QuizFactories(service.database)
        self.ledger = LedgerFactories(make, service.database)
        self.rows = RowFactories(service.database)
        self.learner = make.user(first_name="Grace", last_name="Hopper", is_verified=True)
        self.instructor = make.user(Role.INSTRUCTOR, first_name="Alan", last_name="Turing", bio="A bio")
        self.others = [make.user() for _ in range(size)]

    def build(self) -> School:
        category = self.make.category("Python", parent=self.make.category("Programming"))
        courses = [
            self._course(f"Course {number:02}", category, sections=self.size if number == 0 else 2)
            for number in range(self.size)
        ]
        free_course = self.make.course("Free for all", category=category, instructor=self.instructor, sections=2)
        for number, course in enumerate(courses):
            self._enroll(course, number)
            self._quizzes(course, course.lectures[-1])
        lecture, *_, quiz_lecture = courses[0].lectures
        self._posts(lecture)
        self._payouts([self._sale(course, buyer) for course, buyer in zip(courses, self.others, strict=True)])
        return School(self.learner, self.instructor, courses[0], free_course, lecture, quiz_lecture)

    def _course(self, title: str, category: Any, sections: int) -> CourseTree:
        return self.make.course(
            title,
            category=category,
            instructor=self.instructor,
            sections=sections,
            lectures=3,
            price=to_units(Decimal("29.90"), "USD"),
            short_description="In a sentence.",
        )

    def _enroll(self, course: CourseTree, number: int) -> None:
        """Enroll the learner, with progress. Every third course is completed and certified."""
        is_completed = number % 3 == 1
        accessed = START + timedelta(days=number * 7 % self.size)
        values: dict[str, Any] = {"last_accessed": accessed}
        if is_completed:
            values |= {"status": EnrollmentStatus.COMPLETED, "completed_at": accessed}
        enrollment = self.make.enrollment(self.learner, course, **values)
        current = course.lectures[1]
        total = len(course.lectures)
        self.make.progress(
            enrollment,
            completed_lectures=total if is_completed else 1,
            total_lectures=total,
            current_lecture_id=current.id,
            current_section_id=current.section_id,
        )
        self.make.lecture_progress(self.learner, current, last_position=7)
        if is_completed:
            self.make.certificate(self.learner, course)

    def _quizzes(self, course: CourseTree, lecture: Lecture) -> None:
        """Create a quiz of the lecture and one of the course. The learner takes both; another waits for grades."""
        content = {"lecture_type": LectureType.QUIZ, "video_url": None, "body": None, "content_url": None}
        statement = update(Lecture).where(Lecture.id == lecture.id).values(content)
        self.database.write_sync(lambda session: session.execute(statement) and None)
        for number, parent in enumerate((lecture, None)):
            quiz = self.make.quiz(course, parent, is_published=True, time_limit=3600, max_attempts=3)
            options = tuple(Option(new_option_id(), text, text == "Yes") for text in ("Yes", "No"))
            choice = QuestionContent(QuestionType.MULTIPLE_CHOICE, "Is it so?", options=options)
            versions = [
                self.quizzes.version(self.quizzes.question(quiz, content, index), content)
                for index, content in enumerate((choice, ESSAY))
            ]
            waiting = {"status": AttemptStatus.GRADING, "submitted_at": START + timedelta(minutes=number)}
            for user, values in ((self.learner, self._open_until()), (self.others[0], waiting)):
                self._attempt(user, quiz, versions, values)

    def _open_until(self) -> dict[str, Any]:
        now = clock.now()
        return {"started_at": now, "deadline_at": now + timedelta(hours=1), "closes_at": now + timedelta(hours=1)}

    def _attempt(self, user: User, quiz: Quiz, versions: list[Any], values: dict[str, Any]) -> None:
        attempt = self.quizzes.attempt(user, quiz, total_points=Decimal(3), **values)
        choice, essay = versions
        scored = {"earned_points": Decimal(0)} if attempt.submitted_at else {}
        self.quizzes.attempt_question(attempt, choice, 0, **scored)
        self.quizzes.attempt_question(attempt, essay, 1)

    def _posts(self, lecture: Lecture) -> None:
        """Add notes, questions of others and of the learner, and answers to a lecture."""
        for number, author in enumerate(self.others):
            self.make.note(self.learner, lecture, content=f"Note {number:02}", timestamp=number)
            question = self.make.question(author, lecture, title=f"Question {number:02}", vote_count=number)
            self.make.question(self.learner, lecture, title=f"My question {number:02}")
            if number % 3 == 1:
                self.make.answer(self.instructor, question, accepted=True, is_instructor_answer=True)

    def _sale(self, course: CourseTree, buyer: User) -> Sale:
        return self.ledger.sale("29.90", course=course, buyer=buyer, days_ago=40)

    def _payouts(self, sales: list[Sale]) -> None:
        """Pay some of the earnings out."""
        for sale in sales[: len(sales) // 3]:
            (earning,) = self.ledger.earnings(sale)
            self.rows.payout(self.instructor, [earning])
