"""Votes: one of a person for a question or an answer, none for one's own."""

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
    """`vote`: False takes one's own back. Its key."""
    question = lock_question(session, actor, question_id)
    _refuse_own(actor, question)
    if vote:
        require_access(question.takes_part, "question_id")
    _vote(session, QAQuestion, question.key, QAQuestionVote, QAQuestionVote.question_id, actor, vote)
    return question.key


def vote_answer(session: Session, actor: Actor, answer_id: str, vote: bool) -> int:
    """`vote`: False takes one's own back. Its key."""
    answer = lock_answer(session, actor, answer_id)
    _refuse_own(actor, answer)
    if vote:
        require_access(answer.takes_part, "answer_id")
    _vote(session, QAAnswer, answer.key, QAAnswerVote, QAAnswerVote.answer_id, actor, vote)
    return answer.key


def _vote(session: Session, model: Any, key: int, votes: Any, voted_for: Any, actor: Actor, vote: bool) -> None:
    """The number goes with the vote, so only where one came or went. To vote again changes neither."""
    if vote:
        mine = insert_ignore(votes).values({voted_for.key: key, "user_id": actor.key})
        moved = session.connection().execute(mine).rowcount
    else:
        moved = -execute_dml(session, delete(votes).where(voted_for == key, votes.user_id == actor.key))
    if moved:
        number = {"vote_count": model.vote_count + moved, "updated_at": model.updated_at}
        execute_dml(session, update(model).where(model.id == key).values(number))


def _refuse_own(actor: Actor, written: HasAuthor) -> None:
    if is_author(actor, written):
        raise forbidden("Nobody votes for what they have written themselves.")
