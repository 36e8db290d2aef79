"""
The way to a question or an answer that is to be changed: locked, and seen by the viewer.

The lock is an UPDATE of its row before anything is read, as in catalog/service/editing.py: what is read afterwards is
what the one before has left. Who locks an answer and its question locks the answer first, so that nobody waits for
each other.
"""

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from lms_graphql.core import ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import not_found
from lms_graphql.core.statements import changed
from lms_graphql.discussion.models import QAAnswer, QAQuestion
from lms_graphql.discussion.reads.places import AnswerPlace, QuestionPlace, find_answer, find_question


def question_to_change(session: Session, actor: Actor, question_id: str) -> QuestionPlace:
    """NOT_FOUND at `question_id` where it is not there for the viewer."""
    key = ids.key_of("QAQuestion", question_id)
    lock(session, QAQuestion, key)
    return seen_question(session, actor, key)


def seen_question(session: Session, actor: Actor, key: int | None) -> QuestionPlace:
    question = find_question(session, actor, key)
    if question is None:
        raise not_found("question_id")
    return question


def answer_to_change(session: Session, actor: Actor, answer_id: str) -> AnswerPlace:
    """NOT_FOUND at `answer_id` where it is not there for the viewer."""
    key = ids.key_of("QAAnswer", answer_id)
    lock(session, QAAnswer, key)
    return seen_answer(session, actor, key)


def seen_answer(session: Session, actor: Actor, key: int | None, path: str = "answer_id") -> AnswerPlace:
    answer = find_answer(session, actor, key)
    if answer is None:
        raise not_found(path)
    return answer


def lock(session: Session, model: Any, key: int | None) -> None:
    if key is not None:
        changed(session, update(model).where(model.id == key).values(updated_at=model.updated_at))
