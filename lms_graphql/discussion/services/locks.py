"""
Locks of questions and answers for a change, and the check that the actor may see them.

The lock is an UPDATE of the row before anything is read, as in `catalog/services/course_locks.py`. Therefore later
reads see what the previous transaction has committed. A function that locks an answer and its question locks the
answer first, because a second order could cause deadlocks.
"""

from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from lms_graphql.core import global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import not_found
from lms_graphql.core.statements import execute_dml
from lms_graphql.discussion.models import QAAnswer, QAQuestion
from lms_graphql.discussion.reads.write_targets import AnswerTarget, QuestionTarget, find_answer, find_question


def lock_question(session: Session, actor: Actor, question_id: str) -> QuestionTarget:
    """Lock the question and return it. Raise NOT_FOUND at `question_id` if it does not exist or is not visible."""
    key = global_ids.decode_key("QAQuestion", question_id)
    lock_row(session, QAQuestion, key)
    return require_visible_question(session, actor, key)


def require_visible_question(session: Session, actor: Actor, key: int | None) -> QuestionTarget:
    """Return the question. Raise NOT_FOUND at `question_id` if it does not exist or is not visible."""
    question = find_question(session, actor, key)
    if question is None:
        raise not_found("question_id")
    return question


def lock_answer(session: Session, actor: Actor, answer_id: str) -> AnswerTarget:
    """Lock the answer and return it. Raise NOT_FOUND at `answer_id` if it does not exist or is not visible."""
    key = global_ids.decode_key("QAAnswer", answer_id)
    lock_row(session, QAAnswer, key)
    return require_visible_answer(session, actor, key)


def require_visible_answer(session: Session, actor: Actor, key: int | None, path: str = "answer_id") -> AnswerTarget:
    """Return the answer. Raise NOT_FOUND at `path` if it does not exist or is not visible."""
    answer = find_answer(session, actor, key)
    if answer is None:
        raise not_found(path)
    return answer


def lock_row(session: Session, model: Any, key: int | None) -> None:
    """Lock a row by an UPDATE that changes nothing. Without a key, do nothing."""
    if key is not None:
        execute_dml(session, update(model).where(model.id == key).values(updated_at=model.updated_at))
