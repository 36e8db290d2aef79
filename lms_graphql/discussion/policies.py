"""Who reads and writes what people say."""

from typing import Protocol

from sqlalchemy import ColumnElement, and_, exists, or_

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course, Lecture
from lms_graphql.catalog.policies import HasInstructor, content_visible_to, may_edit_course, participates, visible_to
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.discussion.models import Note, QAAnswer, QAQuestion


class HasAuthor(Protocol):
    @property
    def author_key(self) -> int: ...


class HasAuthorAndInstructor(HasAuthor, HasInstructor, Protocol):
    pass


def notes_visible() -> ColumnElement[bool]:
    """A note is there for who took it: not for course staff, and not for super admins."""
    return Note.user_id == VIEWER


def questions_visible_to(scope: AccessLevel) -> ColumnElement[bool]:
    """
    On a lecture and its course: who sees the course and may have the lecture's content reads what is asked about it.
    Once the lecture was removed, nobody does for its having been a preview. Needs `NOW`.
    """
    is_there = or_(Lecture.deleted_at.is_(None), participates(scope))
    return and_(visible_to(scope), content_visible_to(scope), is_there)


def is_author(actor: Actor, written: HasAuthor) -> bool:
    return written.author_key == actor.key


def may_delete(actor: Actor, written: HasAuthorAndInstructor) -> bool:
    """Authors their own, course staff any: not those who taught the course and are learners by now."""
    return is_author(actor, written) or may_edit_course(actor, written)


def is_public_author() -> ColumnElement[bool]:
    """On `User`: whoever has written where anonymous viewers read, below a preview of a published course."""
    in_public = questions_visible_to(AccessLevel.ANONYMOUS)
    asked = exists().where(
        QAQuestion.user_id == User.id,
        Lecture.id == QAQuestion.lecture_id,
        Course.id == Lecture.course_id,
        in_public,
    )
    answered = exists().where(
        QAAnswer.user_id == User.id,
        QAQuestion.id == QAAnswer.question_id,
        Lecture.id == QAQuestion.lecture_id,
        Course.id == Lecture.course_id,
        in_public,
    )
    return or_(asked.correlate(User), answered.correlate(User))
