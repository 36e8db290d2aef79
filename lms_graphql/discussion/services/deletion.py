"""Deletion of the notes and questions of a course."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Lecture
from lms_graphql.core.statements import execute_dml
from lms_graphql.discussion.models import Note, NoteCounter, QAQuestion


def delete_discussions(session: Session, course_key: int) -> None:
    """
    Delete the notes and questions of a draft course before the course is deleted. Course staff may have written some
    to try them. The answers are deleted with their questions, by the foreign key.
    """
    lectures = select(Lecture.id).where(Lecture.course_id == course_key)
    is_in_course = QAQuestion.lecture_id.in_(lectures)
    execute_dml(session, delete(NoteCounter).where(NoteCounter.lecture_id.in_(lectures)))
    execute_dml(session, delete(Note).where(Note.lecture_id.in_(lectures)))
    # Questions and accepted answers refer to each other, so one of the references is cleared first.
    execute_dml(session, update(QAQuestion).where(is_in_course).values(accepted_answer_id=None))
    execute_dml(session, delete(QAQuestion).where(is_in_course))
