"""Demo certificates of all completed enrollments."""

from collections.abc import Callable
from random import Random

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course, Enrollment, EnrollmentStatus
from lms_graphql.certificates import serials
from lms_graphql.certificates.models import Certificate
from lms_graphql.certificates.validity import certificate_title
from lms_graphql.core import codes
from lms_graphql.demo.row_buffer import RowBuffer
from lms_graphql.settings import settings_of


def add_certificates(session: Session, rows: RowBuffer, rng: Callable[[str], Random]) -> None:
    """Add a certificate for each completed enrollment without one. The enrollments must have been written before."""
    instructor = aliased(User)
    is_of_enrollment = and_(Certificate.user_id == Enrollment.user_id, Certificate.course_id == Enrollment.course_id)
    completed = (
        select(Enrollment.user_id, Enrollment.course_id, Enrollment.completed_at, Course.title, User, instructor)
        .join(Course, Course.id == Enrollment.course_id)
        .join(User, User.id == Enrollment.user_id)
        .join(instructor, instructor.id == Course.instructor_id)
        .outerjoin(Certificate, is_of_enrollment)
        .where(Enrollment.status == EnrollmentStatus.COMPLETED, Certificate.id.is_(None))
        .order_by(Enrollment.id)
    )
    site_name = settings_of(session).site_name
    taken = set(session.scalars(select(Certificate.serial)))
    for number, (user_id, course_id, issued_at, title, learner, teacher) in enumerate(session.execute(completed)):
        assert issued_at is not None
        choose = rng(f"certificate/{number}").choice
        while (serial := serials.new_serial(site_name, issued_at, choose)) in taken:
            pass
        taken.add(serial)
        rows.add(
            Certificate,
            id=rows.next_key(Certificate),
            created_at=issued_at,
            updated_at=issued_at,
            user_id=user_id,
            course_id=course_id,
            serial=serial,
            verification_code=codes.new_code(choose),
            title=certificate_title(title),
            learner_name=learner.full_name,
            course_title=title,
            instructor_name=teacher.full_name,
            issued_at=issued_at,
        )
    rows.write()
