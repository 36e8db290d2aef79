"""Answers to questions, replies to answers, and the answer that is accepted."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.policies import may_edit_course
from lms_graphql.core import global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, ErrorCode
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import Validator
from lms_graphql.discussion.models import QAAnswer, QAQuestion
from lms_graphql.discussion.policies import is_author, may_delete
from lms_graphql.discussion.services.checks import forbidden, require_qa_enabled
from lms_graphql.discussion.services.locks import (
    lock_answer,
    lock_question,
    lock_row,
    require_visible_answer,
    require_visible_question,
)
from lms_graphql.discussion.services.questions import set_on_question
from lms_graphql.learning.services.progress_locks import require_access

MAX_REPLIES = 100
"""To an answer."""


def answer_question(session: Session, actor: Actor, question_id: str, content: str, parent_id: str | None) -> int:
    """
    Its key. Room for a reply is taken before anything is read, as for a note. Whether an instructor answers is what
    is true now, and stays.
    """
    question_key, parent_key = global_ids.decode_key("QAQuestion", question_id), None
    has_room = True
    if parent_id is None:
        lock_row(session, QAQuestion, question_key)
    else:
        parent_key = global_ids.decode_key("QAAnswer", parent_id)
        has_room = _take_room(session, parent_key)
    question = require_visible_question(session, actor, question_key)
    form = Validator()
    if parent_id is not None:
        parent = require_visible_answer(session, actor, parent_key, "parent_id")
        if parent.question_key != question.key:
            form.add_error(ErrorCode.INVALID, "This is an answer to another question.", "parent_id")
        elif parent.parent_key is not None:
            form.add_error(ErrorCode.INVALID, "This is a reply: reply to the answer above it.", "parent_id")
    text = form.multi_line("content", content, required=True)
    form.raise_errors()
    require_access(question.takes_part, "question_id")
    require_qa_enabled(question.allow_qa, "question_id")
    if not has_room:
        message = f"An answer has at most {MAX_REPLIES} replies."
        raise DomainError(ErrorCode.LIMIT_REACHED, message, ("parent_id",))
    by_instructor = question.instructor_key == actor.key
    return _added(session, question.key, parent_key, actor, content=text, is_instructor_answer=by_instructor)


def update_answer(session: Session, actor: Actor, answer_id: str, content: str) -> int:
    """Its key."""
    answer = lock_answer(session, actor, answer_id)
    if not is_author(actor, answer):
        raise forbidden("Only who has written an answer changes its words.")
    form = Validator()
    text = form.multi_line("content", content, required=True)
    form.raise_errors()
    execute_dml(session, update(QAAnswer).where(QAAnswer.id == answer.key).values(content=text))
    return answer.key


def delete_answer(session: Session, actor: Actor, answer_id: str) -> str:
    """With its replies and all votes; where it was accepted, none is. The id that is no more."""
    answer = lock_answer(session, actor, answer_id)
    if not may_delete(actor, answer):
        raise forbidden("Only who has written an answer and the course's staff delete it.")
    execute_dml(session, delete(QAAnswer).where(QAAnswer.id == answer.key))
    if answer.parent_key is not None:
        parent = update(QAAnswer).where(QAAnswer.id == answer.parent_key, QAAnswer.reply_count > 0)
        one_less = {"reply_count": QAAnswer.reply_count - 1, "updated_at": QAAnswer.updated_at}
        execute_dml(session, parent.values(one_less))
    return answer_id


def accept_answer(session: Session, actor: Actor, question_id: str, said: Mapping[str, str | None]) -> int:
    """`said`: `answer_id`, null to take the acceptance back. The question's key."""
    answer_id = said.get("answer_id")
    answer_key = None if answer_id is None else global_ids.decode_key("QAAnswer", answer_id)
    lock_row(session, QAAnswer, answer_key)
    question = lock_question(session, actor, question_id)
    answer = None if answer_id is None else require_visible_answer(session, actor, answer_key)
    if not (is_author(actor, question) or may_edit_course(actor, question)):
        raise forbidden("Only who has asked and the course's staff accept an answer.")
    if "answer_id" not in said:
        message = "Say which answer, or null to take the acceptance back."
        raise DomainError(ErrorCode.REQUIRED, message, ("answer_id",))
    if answer is not None and (answer.question_key != question.key or answer.parent_key is not None):
        raise DomainError(ErrorCode.INVALID, "Choose one of the answers to this question, no reply.", ("answer_id",))
    set_on_question(session, question.key, accepted_answer_id=answer_key)
    return question.key


def _take_room(session: Session, parent_key: int | None) -> bool:
    parent = (QAAnswer.id == parent_key, QAAnswer.parent_id.is_(None), QAAnswer.reply_count < MAX_REPLIES)
    one_more = {"reply_count": QAAnswer.reply_count + 1, "updated_at": QAAnswer.updated_at}
    return execute_dml(session, update(QAAnswer).where(*parent).values(one_more)) == 1


def _added(session: Session, question_key: int, parent_key: int | None, actor: Actor, **values: Any) -> int:
    answer = QAAnswer(question_id=question_key, parent_id=parent_key, user_id=actor.key, **values)
    session.add(answer)
    session.flush()
    return answer.id
