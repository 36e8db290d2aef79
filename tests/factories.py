"""Factories: rows for tests, with sensible defaults for all values that a test does not set."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from lms_graphql.accounts import search_index
from lms_graphql.accounts.email_addresses import normalize_email
from lms_graphql.accounts.models import InstructorApplication, User, UserSession, UserTerm
from lms_graphql.assessment.models import Quiz
from lms_graphql.billing.models import PaymentMethod, Transaction, TransactionStatus
from lms_graphql.catalog.models import (
    Category,
    Course,
    CourseStatus,
    CourseTerm,
    Enrollment,
    EnrollmentSource,
    EnrollmentStatus,
    Lecture,
    LectureType,
    Section,
)
from lms_graphql.catalog.search_index import term_weights
from lms_graphql.certificates import serials
from lms_graphql.certificates.models import Certificate, RevocationReason
from lms_graphql.certificates.validity import certificate_title
from lms_graphql.core import clock, codes, global_ids
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.orm import TimestampedModel
from lms_graphql.core.password_hashing import hash_password
from lms_graphql.core.signing import token_hash
from lms_graphql.core.text import slugify
from lms_graphql.learning.invitation_models import Invitation, InvitationStatus
from lms_graphql.learning.models import CourseProgress, LectureProgress
from tests.discussion_factories import DiscussionFactories
from tests.row_writer import START

PASSWORD = "correct horse battery"
_hash = cache(hash_password)


def global_id(kind: str, row: TimestampedModel) -> str:
    return global_ids.encode(kind, row.id)


@dataclass
class CourseTree:
    """A course with its instructor, sections and lectures."""

    row: Course
    instructor: User
    sections: list[Section]
    lectures: list[Lecture]

    @property
    def global_id(self) -> str:
        return global_id("Course", self.row)

    @property
    def slug(self) -> str:
        return self.row.slug


def _lecture(section: Section, **values: Any) -> Lecture:
    defaults = {
        "section_id": section.id,
        "course_id": section.course_id,
        "title": f"Lecture {values.get('order_index', 0)}",
        "lecture_type": LectureType.VIDEO,
        "duration": 60,
        "video_url": "https://videos.example.com/secret.mp4",
        "body": "A secret body",
        "content_url": "https://files.example.com/secret.pdf",
    }
    return Lecture(**{**defaults, **values})


class Factories(DiscussionFactories):
    """Creates rows and commits them. Keyword arguments override the defaults of columns."""

    def user(self, role: Role = Role.LEARNER, **values: Any) -> User:
        number = next(self._numbers)
        defaults = {
            "email": f"person{number}@example.com",
            "username": f"person{number}",
            "first_name": "Ada",
            "last_name": f"Number{number}",
            "role": role,
            "password_hash": "x",
        }

        def add(session: Session) -> User:
            user = User(**{**defaults, **values})
            session.add(user)
            session.flush()
            terms = search_index.user_terms(user.first_name, user.last_name, user.username, user.email)
            rows = [{"term": term, "user_id": user.id, "is_name": is_name} for term, is_name in terms.items()]
            session.execute(insert(UserTerm), rows)
            return user

        return self._write(add)

    def user_with_password(self, role: Role = Role.LEARNER, **values: Any) -> User:
        """Create a user who can sign in with `PASSWORD`."""
        return self.user(role, **{"password_hash": _hash(PASSWORD), **values})

    def session(self, user: User, **values: Any) -> UserSession:
        """Create a session without tokens."""
        return self._add(UserSession(**{"user_id": user.id, "expires_at": clock.now() + timedelta(days=1), **values}))

    def actor(self, user: User) -> Actor:
        return Actor(user.id, user.role)

    def category(self, name: str | None = None, parent: Category | None = None, **values: Any) -> Category:
        name = name or f"Category {next(self._numbers)}"
        defaults = {"name": name, "slug": slugify(name), "parent_id": parent.id if parent else None}
        return self._add(Category(**{**defaults, **values}))

    def course(
        self,
        title: str | None = None,
        *,
        instructor: User | None = None,
        category: Category | None = None,
        sections: int = 1,
        lectures: int = 2,
        status: CourseStatus = CourseStatus.PUBLISHED,
        **values: Any,
    ) -> CourseTree:
        """Create a course whose first lecture is a preview. `lectures` is the number in each section."""
        number = next(self._numbers)
        title = title or f"Course {number}"
        created = START + timedelta(minutes=number)
        defaults = {
            "title": title,
            "slug": f"{slugify(title)}-{number}",
            "description": "What it is about.",
            "category_id": category.id if category else None,
            "currency": "USD",
            "status": status,
            "created_at": created,
            "published_at": None if status is CourseStatus.DRAFT else created,
            "total_lectures": sections * lectures,
            "total_duration": sections * lectures * 60,
        }

        def create() -> CourseTree:
            owner = instructor or self.user(Role.INSTRUCTOR)
            row = self._add(Course(**{"instructor_id": owner.id, **defaults, **values}))
            self._index(row)
            course = CourseTree(row, owner, [], [])
            self._curriculum(course, sections, lectures)
            return course

        return self._in_one_transaction(create)

    def _curriculum(self, course: CourseTree, sections: int, lectures: int) -> None:
        totals = {"total_lectures": lectures, "total_duration": lectures * 60}
        defaults = {"course_id": course.row.id, **totals}
        course.sections += self._add_all(
            [Section(title=f"Section {index}", order_index=index, **defaults) for index in range(sections)]
        )
        course.lectures += self._add_all(
            [
                _lecture(section, order_index=index, is_preview=section.order_index == 0 and index == 0)
                for section in course.sections
                for index in range(lectures)
            ]
        )

    def section(self, course: CourseTree, **values: Any) -> Section:
        section: Section = self._add(Section(course_id=course.row.id, **{"title": "Section", **values}))
        course.sections.append(section)
        return section

    def lecture(self, section: Section, **values: Any) -> Lecture:
        return self._add(_lecture(section, **values))

    def quiz(self, course: CourseTree, lecture: Lecture | None = None, **values: Any) -> Quiz:
        defaults = {"course_id": course.row.id, "lecture_id": lecture.id if lecture else None, "title": "Quiz"}
        return self._add(Quiz(**{**defaults, **values}))

    def transaction(
        self, user: User, course: CourseTree, status: TransactionStatus = TransactionStatus.COMPLETED, **values: Any
    ) -> Transaction:
        defaults = {
            "user_id": user.id,
            "course_id": course.row.id,
            "transaction_id": f"T-{next(self._numbers)}",
            "amount": 1999,
            "currency": "USD",
            "status": status,
            "payment_method": PaymentMethod.FAKE,
        }
        return self._add(Transaction(**{**defaults, **values}))

    def enrollment(
        self, user: User, course: CourseTree, status: EnrollmentStatus = EnrollmentStatus.ACTIVE, **values: Any
    ) -> Enrollment:
        defaults = {"source": EnrollmentSource.FREE, "enrolled_at": START, **values}
        return self._add(Enrollment(user_id=user.id, course_id=course.row.id, status=status, **defaults))

    def progress(self, enrollment: Enrollment, **values: Any) -> CourseProgress:
        defaults = {"user_id": enrollment.user_id, "course_id": enrollment.course_id}
        progress: CourseProgress = self._add(CourseProgress(**{**defaults, **values}))
        hundredths = int(progress.completion_percentage.scaleb(2))
        stored = {"progress_hundredths": hundredths, "updated_at": Enrollment.updated_at}
        change = update(Enrollment).where(Enrollment.id == enrollment.id).values(stored)
        self._write(lambda session: session.execute(change) and None)
        return progress

    def lecture_progress(self, user: User, lecture: Lecture, **values: Any) -> LectureProgress:
        defaults = {"started_at": START, "last_accessed": START, **values}
        return self._add(LectureProgress(user_id=user.id, lecture_id=lecture.id, **defaults))

    def invitation(self, course: CourseTree, email: str, token: str | None = None, **values: Any) -> Invitation:
        """Create an invitation that is pending, unless `values` change that. Its mail was sent with the token."""
        status = values.get("status", InvitationStatus.PENDING)
        defaults = {
            "pending_email_key": normalize_email(email) if status is InvitationStatus.PENDING else None,
            "token_hash": None if token is None else token_hash(token),
            "expires_at": clock.now() + timedelta(days=30),
        }
        return self._add(Invitation(course_id=course.row.id, email=email, **{**defaults, **values}))

    def certificate(self, user: User, course: CourseTree, **values: Any) -> Certificate:
        """Create a certificate that is valid and never expires, unless `values` change that."""
        revoked = {"revocation_reason": RevocationReason.ERROR} if "revoked_at" in values else {}
        defaults = {
            "serial": serials.new_serial("Learn with Roko", START),
            "verification_code": codes.new_code(),
            "title": certificate_title(course.row.title),
            "learner_name": user.full_name,
            "course_title": course.row.title,
            "instructor_name": course.instructor.full_name,
            "issued_at": START,
            **revoked,
        }
        return self._add(Certificate(user_id=user.id, course_id=course.row.id, **{**defaults, **values}))

    def application(self, user: User, **values: Any) -> InstructorApplication:
        """Create an application that is pending, unless `values` change that."""
        defaults = {"motivation": "I like to explain.", "experience": "Ten years of it.", "pending_of": user.id}
        return self._add(InstructorApplication(user_id=user.id, **{**defaults, **values}))

    def _index(self, course: Course) -> None:
        terms = term_weights(course.title, course.short_description, course.description)
        rows = [{"term": term, "course_id": course.id, "weight": weight} for term, weight in terms.items()]
        if rows:
            self._write(lambda session: session.execute(insert(CourseTerm), rows) and None)
