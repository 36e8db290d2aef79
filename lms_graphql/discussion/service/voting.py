"""Votes: one of a person for a question or an answer, none for one's own."""

from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from lms_graphql.core.actor import Actor
from lms_graphql.core.statements import changed, insert_unless_there
from lms_graphql.discussion.models import QAAnswer, QAAnswerVote, QAQuestion, QAQuestionVote
from lms_graphql.discussion.policies import Written, is_author
from lms_graphql.discussion.service.finding import answer_to_change, question_to_change
from lms_graphql.discussion.service.rules import forbidden
from lms_graphql.learning.service.entering import demand_access


def vote_question(session: Session, actor: Actor, question_id: str, vote: bool) -> int:
    """`vote`: False takes one's own back. Its key."""
    question = question_to_change(session, actor, question_id)
    _refuse_own(actor, question)
    if vote:
        demand_access(question.takes_part, "question_id")
    _vote(session, QAQuestion, question.key, QAQuestionVote, QAQuestionVote.question_id, actor, vote)
    return question.key


def vote_answer(session: Session, actor: Actor, answer_id: str, vote: bool) -> int:
    """`vote`: False takes one's own back. Its key."""
    answer = answer_to_change(session, actor, answer_id)
    _refuse_own(actor, answer)
    if vote:
        demand_access(answer.takes_part, "answer_id")
    _vote(session, QAAnswer, answer.key, QAAnswerVote, QAAnswerVote.answer_id, actor, vote)
    return answer.key


def _vote(session: Session, model: Any, key: int, votes: Any, voted_for: Any, actor: Actor, vote: bool) -> None:
    """The number goes with the vote, so only where one came or went. To vote again changes neither."""
    if vote:
        mine = insert_unless_there(votes).values({voted_for.key: key, "user_id": actor.id})
        moved = session.connection().execute(mine).rowcount
    else:
        moved = -changed(session, delete(votes).where(voted_for == key, votes.user_id == actor.id))
    if moved:
        number = {"vote_count": model.vote_count + moved, "updated_at": model.updated_at}
        changed(session, update(model).where(model.id == key).values(number))


def _refuse_own(actor: Actor, written: Written) -> None:
    if is_author(actor, written):
        raise forbidden("Nobody votes for what they have written themselves.")
