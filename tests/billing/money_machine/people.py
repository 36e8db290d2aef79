"""People and the course of the random sequences."""

from decimal import Decimal

from sqlalchemy.orm import Session

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course, CourseStatus
from lms_graphql.core.actor import Actor, Role
from lms_graphql.core.global_ids import encode
from lms_graphql.settings import Settings
from tests.row_writer import START

PRICE = 645
SETTINGS = Settings(payout_minimum=Decimal("1.00"))
ADMIN, INSTRUCTOR = Actor(1, Role.SUPER_ADMIN), Actor(2, Role.INSTRUCTOR)
BUYERS = (Actor(3, Role.LEARNER), Actor(4, Role.LEARNER))
COURSE_KEY = 1
COURSE_ID = encode("Course", COURSE_KEY)


def add_people(session: Session) -> None:
    """Add a course, two buyers, an instructor and a super admin."""
    for actor in (ADMIN, INSTRUCTOR, *BUYERS):
        names = {"first_name": "Ada", "last_name": f"Number{actor.key}", "username": f"person{actor.key}"}
        email = f"person{actor.key}@example.com"
        session.add(User(id=actor.key, role=actor.role, email=email, password_hash="x", **names))
    session.flush()
    values = {"title": "A course", "slug": "a-course", "price": PRICE, "currency": "USD", "published_at": START}
    state = {"description": "Words.", "status": CourseStatus.PUBLISHED}
    session.add(Course(id=COURSE_KEY, instructor_id=INSTRUCTOR.key, **state, **values))
