"""Answers to questions, replies to answers, and the accepted answer of a question."""

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
from lms_graphql.discussion.services.questions import update_without_timestamp
from lms_graphql.learning.services.progress_locks import require_access

MAX_REPLIES = 100
"""Replies to one answer."""


def answer_question(session: Session, actor: Actor, question_id: str, content: str, parent_id: str | None) -> int:
    """
    Answer a question, or reply to the answer `parent_id`. Return the key of the answer or reply.

    A reply is counted before anything is read, as for a note (`services/notes.py`). `is_instructor_answer` is set
    once: a later change of the course's instructor does not change it.

    Raise NOT_FOUND, errors of the input, NOT_ENROLLED, FEATURE_DISABLED or LIMIT_REACHED.
    """
    question_key, parent_key = global_ids.decode_key("QAQuestion", question_id), None
    is_within_limit = True
    if parent_id is None:
        lock_row(session, QAQuestion, question_key)
    else:
        parent_key = global_ids.decode_key("QAAnswer", parent_id)
        is_within_limit = _count_reply(session, parent_key)
    question = require_visible_question(session, actor, question_key)
    validator = Validator()
    if parent_id is not None:
        parent = require_visible_answer(session, actor, parent_key, "parent_id")
        if parent.question_key != question.key:
            message = "This answer belongs to another question. Choose an answer to this question."
            validator.add_error(ErrorCode.INVALID, message, "parent_id")
        elif parent.parent_key is not None:
            message = "This is a reply, which cannot have replies. Reply to the answer above it."
            validator.add_error(ErrorCode.INVALID, message, "parent_id")
    text = validator.multi_line("content", content, required=True)
    validator.raise_errors()
    require_access(question.is_participant, "question_id")
    require_qa_enabled(question.allow_qa, "question_id")
    if not is_within_limit:
        message = f"This answer already has {MAX_REPLIES} replies. Write an answer to the question instead."
        raise DomainError(ErrorCode.LIMIT_REACHED, message, ("parent_id",), limit=MAX_REPLIES)
    is_instructor = question.instructor_key == actor.key
    return _insert_answer(session, question.key, parent_key, actor, content=text, is_instructor_answer=is_instructor)


def update_answer(session: Session, actor: Actor, answer_id: str, content: str) -> int:
    """
    Replace the text of an answer or reply and return its key.

    Raise NOT_FOUND, FORBIDDEN if the actor is not the author, or errors of the input.
    """
    answer = lock_answer(session, actor, answer_id)
    if not is_author(actor, answer):
        raise forbidden("Only the author can edit an answer.")
    validator = Validator()
    text = validator.multi_line("content", content, required=True)
    validator.raise_errors()
    execute_dml(session, update(QAAnswer).where(QAAnswer.id == answer.key).values(content=text))
    return answer.key


def delete_answer(session: Session, actor: Actor, answer_id: str) -> int:
    """
    Delete an answer or reply with its replies and all votes. Return the course's key.

    If it was the accepted answer, the question has no accepted answer afterwards, by the foreign key.
    """
    answer = lock_answer(session, actor, answer_id)
    if not may_delete(actor, answer):
        raise forbidden("Only the author and course staff can delete an answer.")
    execute_dml(session, delete(QAAnswer).where(QAAnswer.id == answer.key))
    if answer.parent_key is not None:
        parent = update(QAAnswer).where(QAAnswer.id == answer.parent_key, QAAnswer.reply_count > 0)
        values = {"reply_count": QAAnswer.reply_count - 1, "updated_at": QAAnswer.updated_at}
        execute_dml(session, parent.values(values))
    return answer.course_key


def accept_answer(session: Session, actor: Actor, question_id: str, fields: Mapping[str, str | None]) -> int:
    """
    Accept the answer `fields["answer_id"]`. If the id is null, withdraw the acceptance. Return the question's key.

    Raise NOT_FOUND, FORBIDDEN, REQUIRED if `answer_id` is missing, or INVALID if it is no answer to the question.
    """
    answer_id = fields.get("answer_id")
    answer_key = None if answer_id is None else global_ids.decode_key("QAAnswer", answer_id)
    lock_row(session, QAAnswer, answer_key)
    question = lock_question(session, actor, question_id)
    answer = None if answer_id is None else require_visible_answer(session, actor, answer_key)
    if not (is_author(actor, question) or may_edit_course(actor, question)):
        raise forbidden("Only the author of the question and course staff can accept an answer.")
    if "answer_id" not in fields:
        message = "The answer is missing. Pass its id, or null to withdraw the acceptance."
        raise DomainError(ErrorCode.REQUIRED, message, ("answer_id",))
    if answer is not None and (answer.question_key != question.key or answer.parent_key is not None):
        message = "This is not an answer to the question. Choose one of its answers that is not a reply."
        raise DomainError(ErrorCode.INVALID, message, ("answer_id",))
    update_without_timestamp(session, question.key, accepted_answer_id=answer_key)
    return question.key


def _count_reply(session: Session, parent_key: int | None) -> bool:
    """Add 1 to the answer's reply counter. Return False if it is at its limit or there is no such answer."""
    parent = (QAAnswer.id == parent_key, QAAnswer.parent_id.is_(None), QAAnswer.reply_count < MAX_REPLIES)
    values = {"reply_count": QAAnswer.reply_count + 1, "updated_at": QAAnswer.updated_at}
    return execute_dml(session, update(QAAnswer).where(*parent).values(values)) == 1


def _insert_answer(session: Session, question_key: int, parent_key: int | None, actor: Actor, **values: Any) -> int:
    answer = QAAnswer(question_id=question_key, parent_id=parent_key, user_id=actor.key, **values)
    session.add(answer)
    session.flush()
    return answer.id
