"""Answers to questions, replies to answers, and the answer that is accepted."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.policies import may_write
from lms_graphql.core import ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import ErrorCode, Refusal
from lms_graphql.core.forms import Form
from lms_graphql.core.statements import changed
from lms_graphql.discussion.models import QAAnswer, QAQuestion
from lms_graphql.discussion.policies import is_author, may_delete
from lms_graphql.discussion.service.asking import set_on_question
from lms_graphql.discussion.service.finding import (
    answer_to_change,
    lock,
    question_to_change,
    seen_answer,
    seen_question,
)
from lms_graphql.discussion.service.rules import demand_qa, forbidden
from lms_graphql.learning.service.entering import demand_access

MOST_REPLIES = 100
"""To an answer."""


def answer_question(session: Session, actor: Actor, question_id: str, content: str, parent_id: str | None) -> int:
    """
    Its key. Room for a reply is taken before anything is read, as for a note. Whether an instructor answers is what
    is true now, and stays.
    """
    question_key, parent_key = ids.key_of("QAQuestion", question_id), None
    has_room = True
    if parent_id is None:
        lock(session, QAQuestion, question_key)
    else:
        parent_key = ids.key_of("QAAnswer", parent_id)
        has_room = _take_room(session, parent_key)
    question = seen_question(session, actor, question_key)
    form = Form()
    if parent_id is not None:
        parent = seen_answer(session, actor, parent_key, "parent_id")
        if parent.question_key != question.key:
            form.fault(ErrorCode.INVALID, "This is an answer to another question.", "parent_id")
        elif parent.parent_key is not None:
            form.fault(ErrorCode.INVALID, "This is a reply: reply to the answer above it.", "parent_id")
    text = form.text("content", content, required=True)
    form.done()
    demand_access(question.takes_part, "question_id")
    demand_qa(question.allow_qa, "question_id")
    if not has_room:
        message = f"An answer has at most {MOST_REPLIES} replies."
        raise Refusal(ErrorCode.LIMIT_REACHED, message, ("parent_id",))
    by_instructor = question.instructor_key == actor.id
    return _added(session, question.key, parent_key, actor, content=text, is_instructor_answer=by_instructor)


def update_answer(session: Session, actor: Actor, answer_id: str, content: str) -> int:
    """Its key."""
    answer = answer_to_change(session, actor, answer_id)
    if not is_author(actor, answer):
        raise forbidden("Only who has written an answer changes its words.")
    form = Form()
    text = form.text("content", content, required=True)
    form.done()
    changed(session, update(QAAnswer).where(QAAnswer.id == answer.key).values(content=text))
    return answer.key


def delete_answer(session: Session, actor: Actor, answer_id: str) -> str:
    """With its replies and all votes; where it was accepted, none is. The id that is no more."""
    answer = answer_to_change(session, actor, answer_id)
    if not may_delete(actor, answer):
        raise forbidden("Only who has written an answer and the course's staff delete it.")
    changed(session, delete(QAAnswer).where(QAAnswer.id == answer.key))
    if answer.parent_key is not None:
        parent = update(QAAnswer).where(QAAnswer.id == answer.parent_key, QAAnswer.reply_count > 0)
        one_less = {"reply_count": QAAnswer.reply_count - 1, "updated_at": QAAnswer.updated_at}
        changed(session, parent.values(one_less))
    return answer_id


def accept_answer(session: Session, actor: Actor, question_id: str, said: Mapping[str, str | None]) -> int:
    """`said`: `answer_id`, null to take the acceptance back. The question's key."""
    answer_id = said.get("answer_id")
    answer_key = None if answer_id is None else ids.key_of("QAAnswer", answer_id)
    lock(session, QAAnswer, answer_key)
    question = question_to_change(session, actor, question_id)
    answer = None if answer_id is None else seen_answer(session, actor, answer_key)
    if not (is_author(actor, question) or may_write(actor, question)):
        raise forbidden("Only who has asked and the course's staff accept an answer.")
    if "answer_id" not in said:
        message = "Say which answer, or null to take the acceptance back."
        raise Refusal(ErrorCode.REQUIRED, message, ("answer_id",))
    if answer is not None and (answer.question_key != question.key or answer.parent_key is not None):
        raise Refusal(ErrorCode.INVALID, "Choose one of the answers to this question, no reply.", ("answer_id",))
    set_on_question(session, question.key, accepted_answer_id=answer_key)
    return question.key


def _take_room(session: Session, parent_key: int | None) -> bool:
    parent = (QAAnswer.id == parent_key, QAAnswer.parent_id.is_(None), QAAnswer.reply_count < MOST_REPLIES)
    one_more = {"reply_count": QAAnswer.reply_count + 1, "updated_at": QAAnswer.updated_at}
    return changed(session, update(QAAnswer).where(*parent).values(one_more)) == 1


def _added(session: Session, question_key: int, parent_key: int | None, actor: Actor, **values: Any) -> int:
    answer = QAAnswer(question_id=question_key, parent_id=parent_key, user_id=actor.id, **values)
    session.add(answer)
    session.flush()
    return answer.id
