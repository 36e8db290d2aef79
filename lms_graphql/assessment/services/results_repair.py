"""Check and repair of `quiz_attempts.result_tokens` for `db check` and `db repair`."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import SUBMITTED_STATUSES, QuizAttempt
from lms_graphql.assessment.reads.attempt_results import results_by_attempt
from lms_graphql.assessment.result_tokens import result_tokens
from lms_graphql.core.statements import fetch_named_rows, update_by_key

BATCH_SIZE = 500


def find_result_drift(session: Session) -> list[str]:
    """Return a line if texts differ from the results of the attempts' questions."""
    number = sum(map(len, _drifted_tokens(session)))
    return [f"quiz_attempts.result_tokens: wrong in {number} rows"] if number else []


def repair_results(session: Session) -> list[str]:
    """Store the right texts. Return a line if there were wrong ones. Statistics are refreshed after that."""
    number = 0
    for tokens in _drifted_tokens(session):
        update_by_key(session, QuizAttempt, {key: {"result_tokens": text} for key, text in tokens.items()})
        number += len(tokens)
    return [f"quiz_attempts.result_tokens: {number} rows repaired"] if number else []


def _drifted_tokens(session: Session) -> Iterator[dict[int, str]]:
    """Yield the right texts of submitted attempts whose stored ones are wrong, in batches, by key."""
    last_key = 0
    attempts = select(QuizAttempt.id, QuizAttempt.result_tokens).order_by(QuizAttempt.id).limit(BATCH_SIZE)
    attempts = attempts.where(QuizAttempt.status.in_(SUBMITTED_STATUSES))
    while rows := fetch_named_rows(session, attempts.where(QuizAttempt.id > last_key)):
        last_key = rows[-1].id
        results = results_by_attempt(session, [row.id for row in rows])
        expected = {key: result_tokens(question_results) for key, question_results in results.items()}
        stored = {row.id: row.result_tokens for row in rows}
        yield {key: text for key, text in expected.items() if text != stored[key]}
