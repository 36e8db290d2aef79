"""Notes, questions and answers go with their course."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.models import Lecture
from lms_graphql.core.statements import execute_dml
from lms_graphql.discussion.models import Note, NoteCounter, QAQuestion


def delete_discussions(session: Session, course_key: int) -> None:
    """All of a draft that is to be deleted: its staff may have tried them. Answers go with their questions."""
    lectures = select(Lecture.id).where(Lecture.course_id == course_key)
    asked_here = QAQuestion.lecture_id.in_(lectures)
    execute_dml(session, delete(NoteCounter).where(NoteCounter.lecture_id.in_(lectures)))
    execute_dml(session, delete(Note).where(Note.lecture_id.in_(lectures)))
    execute_dml(session, update(QAQuestion).where(asked_here).values(accepted_answer_id=None))
    execute_dml(session, delete(QAQuestion).where(asked_here))
