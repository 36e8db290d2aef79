"""
Creation and update of lectures.

They are here and not in `catalog`, one layer below, because a lecture may have a quiz. The other changes of lectures
are in `catalog/services/lectures.py`.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import Quiz
from lms_graphql.assessment.policies import quizzes_visible_to
from lms_graphql.catalog.models import Course, Lecture, LectureType, Section
from lms_graphql.catalog.services.course_locks import bump_version, lock_lecture_to_edit, lock_section_to_edit
from lms_graphql.catalog.services.lectures import add_lecture, change_lecture
from lms_graphql.catalog.services.ordering import finish_curriculum_change
from lms_graphql.catalog.services.publication import no_new_problems
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
    fields: Mapping[str, Any],
    position: int | None,
    quiz_id: str | None,
) -> int:
    """
    Create a lecture and return its key. The keys of `fields` are the names in `FIELD_RULES`.

    Raise NOT_FOUND, FORBIDDEN, errors of the input, LIMIT_REACHED, IN_USE if another lecture has the quiz, or
    NOT_READY if the course is published and the lecture lacks content.
    """
    find_quiz = partial(_find_quiz, session, actor, quiz_id)
    course, section = lock_section_to_edit(session, actor, section_id, find_quiz)
    quiz_key, validator = find_quiz(course.id), Validator()
    _validate_quiz(validator, kind, quiz_key)
    with no_new_problems(session, actor, course, "section_id") as inserted:
        lecture = add_lecture(session, course, section, validator, kind, fields, position)
        inserted.add(("Lecture", lecture.id))
        if quiz_key is not None:
            _attach_quiz(session, quiz_key, lecture)
    finish_curriculum_change(session, course, section, reordered=[section])
    return lecture.id


def update_lecture(
    session: Session, actor: Actor, lecture_id: str, expected_version: int | None, changes: Mapping[str, Any]
) -> int:
    """
    Change the fields that are in `changes` and return the lecture's key. A null `quiz_id` detaches the quiz.

    Raise NOT_FOUND, FORBIDDEN, errors of the input, STALE_VERSION, IN_USE if another lecture has the quiz, or
    NOT_READY if the course is published and the lecture would lack content.
    """
    find_quiz = partial(_find_quiz, session, actor, changes.get("quiz_id"))
    course, lecture = lock_lecture_to_edit(session, actor, lecture_id, find_quiz)
    quiz_key, validator = find_quiz(course.id), Validator()
    _validate_quiz(validator, lecture.lecture_type, quiz_key)
    fields = {name: value for name, value in changes.items() if name != "quiz_id"}
    with no_new_problems(session, actor, course, "lecture_id"):
        change_lecture(lecture, expected_version, validator, fields)
        if quiz_key is not None:
            _attach_quiz(session, quiz_key, lecture)
        elif "quiz_id" in changes:
            detach_quizzes(session, [lecture.id])
    if changes:
        bump_version(lecture)
        finish_curriculum_change(session, course, session.get_one(Section, lecture.section_id))
    return lecture.id


def detach_quizzes(session: Session, lecture_keys: Sequence[int]) -> None:
    """
    Turn the quizzes of these lectures into course-level quizzes.

    The UPDATE names the quizzes by their keys, so that it locks no gaps (see `catalog/services/ordering.py`).
    """
    if quiz_keys := session.scalars(select(Quiz.id).where(Quiz.lecture_id.in_(lecture_keys))).all():
        execute_dml(session, update(Quiz).where(Quiz.id.in_(quiz_keys)).values(lecture_id=None))


def _find_quiz(session: Session, actor: Actor, quiz_id: str | None, course_key: int) -> int | None:
    """Return the quiz's key. Raise NOT_FOUND if the course has no such quiz or the actor may not see it."""
    if quiz_id is None:
        return None
    quiz_of_course = (
        Quiz.id == global_ids.decode_key("Quiz", quiz_id),
        Quiz.course_id == course_key,
        quizzes_visible_to(actor.access_level),
    )
    statement = select(Quiz.id).join(Course, Course.id == Quiz.course_id).where(*quiz_of_course)
    if (key := session.scalar(statement, {**actor.bind_params, "now": clock.now()})) is None:
        raise DomainError(ErrorCode.NOT_FOUND, "This course has no such quiz.", ("quiz_id",))
    return key


def _validate_quiz(validator: Validator, kind: LectureType, quiz_key: int | None) -> None:
    if quiz_key is not None and kind is not LectureType.QUIZ:
        message = "Only lectures of type QUIZ can have a quiz. Omit the quiz."
        validator.add_error(ErrorCode.INVALID, message, "quiz_id")


def _attach_quiz(session: Session, quiz_key: int, lecture: Lecture) -> None:
    """Replace the lecture's quiz. Raise IN_USE if the new quiz belongs to another lecture."""
    detach_quizzes(session, [lecture.id])
    unused_quiz = (Quiz.id == quiz_key, Quiz.lecture_id.is_(None))
    if not execute_dml(session, update(Quiz).where(*unused_quiz).values(lecture_id=lecture.id)):
        message = "This quiz belongs to another lecture. Detach it there first."
        lecture_key = session.scalar(select(Quiz.lecture_id).where(Quiz.id == quiz_key))
        subject = None if lecture_key is None else ("Lecture", lecture_key)
        raise DomainError(ErrorCode.IN_USE, message, ("quiz_id",), subject=subject)
