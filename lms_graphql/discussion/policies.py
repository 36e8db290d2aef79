"""Policies of discussions: who may read, edit and delete notes, questions and answers."""

from typing import Protocol

from sqlalchemy import ColumnElement, and_, exists, or_

from lms_graphql.accounts.models import User
from lms_graphql.catalog.models import Course, Lecture
from lms_graphql.catalog.policies import (
    HasInstructor,
    content_visible_to,
    courses_visible_to,
    may_edit_course,
    participates,
)
from lms_graphql.core.actor import VIEWER, AccessLevel, Actor
from lms_graphql.discussion.models import Note, QAAnswer, QAQuestion


class HasAuthor(Protocol):
    @property
    def author_key(self) -> int: ...


class HasAuthorAndInstructor(HasAuthor, HasInstructor, Protocol):
    pass


def notes_visible() -> ColumnElement[bool]:
    """Return the condition that the viewer wrote the note. Course staff and super admins read no notes of others."""
    return Note.user_id == VIEWER


def discussion_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """
    Return the condition on a lecture and its course under which the viewer reads the questions of the lecture. The
    course must be visible and the lecture's content accessible.

    A removed lecture no longer counts as a preview, so access to the course is required. The condition needs `NOW`.
    """
    is_available = or_(Lecture.deleted_at.is_(None), participates(access_level))
    return and_(courses_visible_to(access_level), content_visible_to(access_level), is_available)


def questions_visible_to(access_level: AccessLevel) -> ColumnElement[bool]:
    """
    Return the condition on a question, its lecture and its course under which the viewer sees the question and its
    answers. Authors see their own questions after access has ended too, if they still see the course.

    The condition needs `NOW`.
    """
    if access_level is AccessLevel.ANONYMOUS:
        return discussion_visible_to(access_level)
    is_own = and_(QAQuestion.user_id == VIEWER, courses_visible_to(access_level))
    return or_(is_own, discussion_visible_to(access_level))


def is_author(actor: Actor, post: HasAuthor) -> bool:
    return post.author_key == actor.key


def may_delete(actor: Actor, post: HasAuthorAndInstructor) -> bool:
    """
    Return whether the actor may delete the question or answer. Authors may delete their own, course staff any.
    A former instructor whose role is learner is no course staff.
    """
    return is_author(actor, post) or may_edit_course(actor, post)


def is_public_author() -> ColumnElement[bool]:
    """
    Return the condition on `User` that the user wrote a question or answer that anonymous viewers can read. These
    stand below previews of published courses.
    """
    is_public = discussion_visible_to(AccessLevel.ANONYMOUS)
    has_asked = exists().where(
        QAQuestion.user_id == User.id,
        Lecture.id == QAQuestion.lecture_id,
        Course.id == Lecture.course_id,
        is_public,
    )
    has_answered = exists().where(
        QAAnswer.user_id == User.id,
        QAQuestion.id == QAAnswer.question_id,
        Lecture.id == QAQuestion.lecture_id,
        Course.id == Lecture.course_id,
        is_public,
    )
    return or_(has_asked.correlate(User), has_answered.correlate(User))
