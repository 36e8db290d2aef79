"""Votes: a user votes once for a question or an answer, and never for their own."""

from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from lms_graphql.core.actor import Actor
from lms_graphql.core.statements import execute_dml, insert_ignore
from lms_graphql.discussion.models import QAAnswer, QAAnswerVote, QAQuestion, QAQuestionVote
from lms_graphql.discussion.policies import HasAuthor, is_author
from lms_graphql.discussion.services.checks import forbidden
from lms_graphql.discussion.services.locks import lock_answer, lock_question
from lms_graphql.learning.services.progress_locks import require_access


def vote_question(session: Session, actor: Actor, question_id: str, vote: bool) -> int:
    """
    Vote for a question, or withdraw the actor's vote if `vote` is False. Return the question's key.

    Raise NOT_FOUND, FORBIDDEN for the author, or NOT_ENROLLED. Withdrawing needs no access to the course.
    """
    question = lock_question(session, actor, question_id)
    _require_other_author(actor, question)
    if vote:
        require_access(question.is_participant, "question_id")
    _vote(session, QAQuestion, question.key, QAQuestionVote, QAQuestionVote.question_id, actor, vote)
    return question.key


def vote_answer(session: Session, actor: Actor, answer_id: str, vote: bool) -> int:
    """
    Vote for an answer, or withdraw the actor's vote if `vote` is False. Return the answer's key.

    Raise NOT_FOUND, FORBIDDEN for the author, or NOT_ENROLLED. Withdrawing needs no access to the course.
    """
    answer = lock_answer(session, actor, answer_id)
    _require_other_author(actor, answer)
    if vote:
        require_access(answer.is_participant, "answer_id")
    _vote(session, QAAnswer, answer.key, QAAnswerVote, QAAnswerVote.answer_id, actor, vote)
    return answer.key


def _vote(
    session: Session, model: Any, key: int, vote_model: Any, target_column: Any, actor: Actor, vote: bool
) -> None:
    """Insert or delete the vote. Change the counter only with a vote row, so that repeats change nothing."""
    if vote:
        statement = insert_ignore(vote_model).values({target_column.key: key, "user_id": actor.key})
        change = session.connection().execute(statement).rowcount
    else:
        own_vote = (target_column == key, vote_model.user_id == actor.key)
        change = -execute_dml(session, delete(vote_model).where(*own_vote))
    if change:
        values = {"vote_count": model.vote_count + change, "updated_at": model.updated_at}
        execute_dml(session, update(model).where(model.id == key).values(values))


def _require_other_author(actor: Actor, post: HasAuthor) -> None:
    if is_author(actor, post):
        raise forbidden("You cannot vote for your own question or answer.")
