"""Questions about a lecture: ask, edit, delete and feature."""

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
from lms_graphql.discussion import search_index
from lms_graphql.discussion.models import QAQuestion
from lms_graphql.discussion.policies import is_author, may_delete
from lms_graphql.discussion.reads.write_targets import find_lecture
from lms_graphql.discussion.services.checks import forbidden, require_qa_enabled, validate_position
from lms_graphql.discussion.services.locks import lock_question
from lms_graphql.learning.services.progress_locks import require_access


def ask_question(
    session: Session, actor: Actor, lecture_id: str, title: str, content: str, position_seconds: int | None
) -> int:
    """
    Create a question and return its key.

    Raise NOT_FOUND, errors of the input, NOT_ENROLLED without access to the course, or FEATURE_DISABLED.
    """
    lecture = find_lecture(session, actor, global_ids.decode_key("Lecture", lecture_id))
    if lecture is None:
        raise not_found("lecture_id")
    validator = Validator()
    values = {
        "title": validator.single_line("title", title, max_length=MAX_TITLE_LENGTH),
        "content": validator.multi_line("content", content, required=True),
        "timestamp": validate_position(validator, position_seconds),
    }
    validator.raise_errors()
    require_access(lecture.is_participant, "lecture_id")
    require_qa_enabled(lecture.allow_qa, "lecture_id")
    question = QAQuestion(user_id=actor.key, lecture_id=lecture.key, course_id=lecture.course_key, **values)
    session.add(question)
    session.flush()
    search_index.index_question(session, question.id)
    return question.id


def update_question(session: Session, actor: Actor, question_id: str, changes: Mapping[str, Any]) -> int:
    """
    Change the fields that are in `changes` and return the question's key.

    Raise NOT_FOUND, FORBIDDEN if the actor is not the author, or errors of the input.
    """
    question = lock_question(session, actor, question_id)
    if not is_author(actor, question):
        raise forbidden("Only the author can edit a question.")
    validator = Validator()
    values: dict[str, Any] = {}
    if "title" in changes:
        values["title"] = validator.single_line("title", changes["title"], max_length=MAX_TITLE_LENGTH)
    if "content" in changes:
        values["content"] = validator.multi_line("content", changes["content"], required=True)
    validator.raise_errors()
    if values:
        execute_dml(session, update(QAQuestion).where(QAQuestion.id == question.key).values(values))
        search_index.index_question(session, question.key)
    return question.key


def delete_question(session: Session, actor: Actor, question_id: str) -> int:
    """Delete a question with its answers, their replies, all votes and its terms. Return the course's key."""
    question = lock_question(session, actor, question_id)
    if not may_delete(actor, question):
        raise forbidden("Only the author and course staff can delete a question.")
    # The question and its accepted answer refer to each other, so one of the references is cleared first.
    update_without_timestamp(session, question.key, accepted_answer_id=None)
    execute_dml(session, delete(QAQuestion).where(QAQuestion.id == question.key))
    return question.course_key


def feature_question(session: Session, actor: Actor, question_id: str, is_featured: bool) -> int:
    """Set whether a question is featured, as course staff. Return the question's key."""
    question = lock_question(session, actor, question_id)
    if not may_edit_course(actor, question):
        raise forbidden("Only course staff can feature questions.")
    update_without_timestamp(session, question.key, is_featured=is_featured)
    return question.key


def update_without_timestamp(session: Session, key: int, **values: Any) -> None:
    """Update a question but not `updated_at`, because that is the time of the last change to its text."""
    values_and_timestamp = {**values, "updated_at": QAQuestion.updated_at}
    execute_dml(session, update(QAQuestion).where(QAQuestion.id == key).values(values_and_timestamp))
