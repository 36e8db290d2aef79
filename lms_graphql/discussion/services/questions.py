"""Questions about a lecture: asked, reworded, taken out, put forward."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from lms_graphql.catalog.policies import may_edit_course
from lms_graphql.core import global_ids
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import not_found
from lms_graphql.core.statements import execute_dml
from lms_graphql.core.validation import MAX_TITLE_LENGTH, Validator
from lms_graphql.discussion.models import QAQuestion
from lms_graphql.discussion.policies import is_author, may_delete
from lms_graphql.discussion.reads.write_targets import find_lecture
from lms_graphql.discussion.services.checks import forbidden, require_qa_enabled, validate_position
from lms_graphql.discussion.services.locks import lock_question
from lms_graphql.learning.services.progress_locks import require_access


def ask_question(
    session: Session, actor: Actor, lecture_id: str, title: str, content: str, position_seconds: int | None
) -> int:
    """Its key."""
    lecture = find_lecture(session, actor, global_ids.decode_key("Lecture", lecture_id))
    if lecture is None:
        raise not_found("lecture_id")
    form = Validator()
    said = {
        "title": form.single_line("title", title, most=MAX_TITLE_LENGTH),
        "content": form.multi_line("content", content, required=True),
        "timestamp": validate_position(form, position_seconds),
    }
    form.raise_errors()
    require_access(lecture.takes_part, "lecture_id")
    require_qa_enabled(lecture.allow_qa, "lecture_id")
    question = QAQuestion(user_id=actor.key, lecture_id=lecture.key, **said)
    session.add(question)
    session.flush()
    return question.id


def update_question(session: Session, actor: Actor, question_id: str, changes: Mapping[str, Any]) -> int:
    """`changes`: what is not in it stays as it is. Its key."""
    question = lock_question(session, actor, question_id)
    if not is_author(actor, question):
        raise forbidden("Only who has asked changes the words of a question.")
    form = Validator()
    values: dict[str, Any] = {}
    if "title" in changes:
        values["title"] = form.single_line("title", changes["title"], most=MAX_TITLE_LENGTH)
    if "content" in changes:
        values["content"] = form.multi_line("content", changes["content"], required=True)
    form.raise_errors()
    if values:
        execute_dml(session, update(QAQuestion).where(QAQuestion.id == question.key).values(values))
    return question.key


def delete_question(session: Session, actor: Actor, question_id: str) -> str:
    """With its answers, their replies and all votes. The id that is no more."""
    question = lock_question(session, actor, question_id)
    if not may_delete(actor, question):
        raise forbidden("Only who has asked and the course's staff delete a question.")
    set_on_question(session, question.key, accepted_answer_id=None)  # the two rows point at each other
    execute_dml(session, delete(QAQuestion).where(QAQuestion.id == question.key))
    return question_id


def feature_question(session: Session, actor: Actor, question_id: str, is_featured: bool) -> int:
    """Its key."""
    question = lock_question(session, actor, question_id)
    if not may_edit_course(actor, question):
        raise forbidden("Only the course's staff put questions forward.")
    set_on_question(session, question.key, is_featured=is_featured)
    return question.key


def set_on_question(session: Session, key: int, **values: Any) -> None:
    """What others do with a question is no change of its words, of which `updated_at` tells."""
    kept = {**values, "updated_at": QAQuestion.updated_at}
    execute_dml(session, update(QAQuestion).where(QAQuestion.id == key).values(kept))
