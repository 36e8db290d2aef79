"""Who sees what of the catalog, and who may change it. Questions about one course, and clauses for many."""

from typing import Protocol

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, exists, false, or_, select, true

from lms_graphql.accounts import roles
from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course, CourseStatus, Enrollment, EnrollmentStatus, Lecture
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.core.statements import NOW


class HasInstructor(Protocol):
    @property
    def instructor_key(self) -> int: ...


class HasPreview(Protocol):
    @property
    def is_preview(self) -> bool: ...


def is_course_staff(actor: Actor, course: HasInstructor) -> bool:
    """Course staff: its instructor and super admins."""
    return actor.is_admin or (actor.is_signed_in and course.instructor_key == actor.key)


def may_edit_course(actor: Actor, course: HasInstructor) -> bool:
    """Staff whose role writes courses. Whoever taught this one and is a learner by now still sees all of it."""
    return is_course_staff(actor, course) and actor.role is not None and roles.allows(actor.role, "course:edit-own")


def visible_to(scope: AccessLevel) -> ColumnElement[bool]:
    """Published courses are there for everyone; drafts for staff; archived ones for staff and the enrolled."""
    published = Course.status == CourseStatus.PUBLISHED
    if scope is AccessLevel.ADMIN:
        return true()
    if scope is AccessLevel.ANONYMOUS:
        return published
    archived = and_(Course.status == CourseStatus.ARCHIVED, Course.id.in_(_enrolled_course_ids()))
    return or_(published, Course.instructor_id == VIEWER, archived)


def is_public_instructor() -> ColumnElement[bool]:
    """On `User`: whoever teaches or has taught a course that was published."""
    return exists().where(Course.instructor_id == User.id, Course.published_at.is_not(None)).correlate(User)


def is_public_preview(lecture: HasPreview) -> bool:
    """The same of a lecture at hand. Whoever is anonymous came to it through a published course, so it is one."""
    return lecture.is_preview


def content_visible_to(scope: AccessLevel) -> ColumnElement[bool]:
    """On a lecture and its course: previews of published courses for anyone, the rest with access, all for staff."""
    preview = and_(Lecture.is_preview, Course.status == CourseStatus.PUBLISHED)
    if scope is AccessLevel.ADMIN:
        return true()
    if scope is AccessLevel.ANONYMOUS:
        return preview
    return or_(preview, participates(scope))


def participates(scope: AccessLevel) -> ColumnElement[bool]:
    """On a course: staff, and those whose enrollment gives access now. More than reading a preview. Needs `NOW`."""
    if scope is AccessLevel.ADMIN:
        return true()
    if scope is AccessLevel.ANONYMOUS:
        return false()
    return or_(Course.instructor_id == VIEWER, _may_learn())


def grants_access() -> ColumnElement[bool]:
    """On an enrollment: whether it opens the course now. Needs `NOW`."""
    return and_(
        Enrollment.status.in_((EnrollmentStatus.ACTIVE, EnrollmentStatus.COMPLETED)),
        or_(Enrollment.access_expires_at.is_(None), Enrollment.access_expires_at > NOW),
    )


def _may_learn() -> ColumnElement[bool]:
    mine = exists().where(Enrollment.user_id == VIEWER, Enrollment.course_id == Course.id, grants_access())
    return mine.correlate(Course)


def _enrolled_course_ids() -> Select[int]:
    return select(Enrollment.course_id).where(Enrollment.user_id == VIEWER).correlate(None)


def own_or_staff(scope: AccessLevel, person: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """`person` is whose it is."""
    if scope is AccessLevel.ADMIN:
        return true()
    if scope is AccessLevel.ANONYMOUS:
        return false()
    return or_(person == VIEWER, Course.instructor_id == VIEWER)
