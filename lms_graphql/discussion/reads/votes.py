"""Reads of the viewer's votes for questions and answers."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.core.actor import VIEWER, Actor
from lms_graphql.core.statements import KEYS, fetch_rows
from lms_graphql.discussion.models import QAAnswerVote, QAQuestionVote

QUESTION_VOTES = select(QAQuestionVote.question_id).where(
    QAQuestionVote.user_id == VIEWER, QAQuestionVote.question_id.in_(KEYS)
)
ANSWER_VOTES = select(QAAnswerVote.answer_id).where(QAAnswerVote.user_id == VIEWER, QAAnswerVote.answer_id.in_(KEYS))


def votes_by_question(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, bool]:
    return {row[0]: True for row in fetch_rows(session, QUESTION_VOTES, {**actor.bind_params, "keys": keys})}


def votes_by_answer(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, bool]:
    return {row[0]: True for row in fetch_rows(session, ANSWER_VOTES, {**actor.bind_params, "keys": keys})}
