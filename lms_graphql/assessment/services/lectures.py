"""Lectures are written here, one floor above the others of the catalog's changes, since one may carry a quiz."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import Quiz
from lms_graphql.assessment.policies import visible_to
from lms_graphql.catalog.models import Course, Lecture, LectureType, Section
from lms_graphql.catalog.services.course_locks import lock_lecture_to_edit, lock_section_to_edit
from lms_graphql.catalog.services.lectures import add_lecture, change_lecture
from lms_graphql.catalog.services.ordering import finish_curriculum_change
from lms_graphql.core import clock, global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import Validator


def create_lecture(
    session: Session,
    actor: Actor,
    section_id: str,
    kind: LectureType,
    said: Mapping[str, Any],
    position: int | None,
    quiz_id: str | None,
) -> int:
    """The key of the new lecture."""
    find = partial(_quiz, session, actor, quiz_id)
    course, section = lock_section_to_edit(session, actor, section_id, find)
    quiz_key, form = find(course.id), Validator()
    _refuse_quiz(form, kind, quiz_key)
    lecture = add_lecture(session, course, section, form, kind, said, position)
    if quiz_key is not None:
        _hang(session, quiz_key, lecture)
    finish_curriculum_change(session, course, section)
    return lecture.id


def update_lecture(session: Session, actor: Actor, lecture_id: str, changes: Mapping[str, Any]) -> int:
    """`changes`: what is not in it stays as it is; null as `quiz_id` takes the quiz off. The lecture's key."""
    find = partial(_quiz, session, actor, changes.get("quiz_id"))
    course, lecture = lock_lecture_to_edit(session, actor, lecture_id, find)
    quiz_key, form = find(course.id), Validator()
    _refuse_quiz(form, lecture.lecture_type, quiz_key)
    change_lecture(lecture, form, {name: value for name, value in changes.items() if name != "quiz_id"})
    if quiz_key is not None:
        _hang(session, quiz_key, lecture)
    elif "quiz_id" in changes:
        detach_quizzes(session, [lecture.id])
    if changes:
        finish_curriculum_change(session, course, session.get_one(Section, lecture.section_id))
    return lecture.id


def detach_quizzes(session: Session, lecture_keys: Sequence[int]) -> None:
    """What hung on these lectures hangs on the course alone. By the quizzes' keys: see `service.arranging`."""
    if hung := session.scalars(select(Quiz.id).where(Quiz.lecture_id.in_(lecture_keys))).all():
        execute_dml(session, update(Quiz).where(Quiz.id.in_(hung)).values(lecture_id=None))


def _quiz(session: Session, actor: Actor, quiz_id: str | None, course_key: int) -> int | None:
    """The key of the quiz with this id, which the course has and the viewer sees."""
    if quiz_id is None:
        return None
    here = (
        Quiz.id == global_ids.decode_key("Quiz", quiz_id),
        Quiz.course_id == course_key,
        visible_to(actor.access_level),
    )
    found = select(Quiz.id).join(Course, Course.id == Quiz.course_id).where(*here)
    if (key := session.scalar(found, {**actor.bind_params, "now": clock.now()})) is None:
        raise DomainError(ErrorCode.NOT_FOUND, "The course has no such quiz.", ("quiz_id",))
    return key


def _refuse_quiz(form: Validator, kind: LectureType, quiz_key: int | None) -> None:
    if quiz_key is not None and kind is not LectureType.QUIZ:
        form.add_error(ErrorCode.INVALID, "Only a lecture of the type QUIZ carries one.", "quiz_id")


def _hang(session: Session, quiz_key: int, lecture: Lecture) -> None:
    """In place of the quiz that the lecture carries now."""
    detach_quizzes(session, [lecture.id])
    is_free = (Quiz.id == quiz_key, Quiz.lecture_id.is_(None))
    if not execute_dml(session, update(Quiz).where(*is_free).values(lecture_id=lecture.id)):
        message = "Another lecture carries this quiz. Take it off there first."
        raise DomainError(ErrorCode.IN_USE, message, ("quiz_id",))
