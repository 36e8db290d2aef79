"""Refresh of the stored statistics of quizzes with many attempts. Maintenance runs it.

Statistics are computed by reads outside of the transaction that stores them, so that learners never wait for it.
"""

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import func, select, union, update
from sqlalchemy.orm import Session

from lms_graphql.assessment.models import SUBMITTED_STATUSES, Quiz, QuizAttempt
from lms_graphql.assessment.models import QuizStatistics as StoredStatistics
from lms_graphql.assessment.reads.quiz_statistics import STATISTICS_WATERMARK, live_statistics
from lms_graphql.assessment.statistics import QuizStatistics
from lms_graphql.core import clock, named_locks
from lms_graphql.core.database import Database
from lms_graphql.core.statements import execute_dml, insert_ignore

MIN_STORED_ATTEMPTS = 500
"""Submitted attempts from which statistics are stored. Those of fewer attempts are computed in about 20 ms."""
COMMIT_LAG = timedelta(minutes=1)
"""Longest time between `updated_at` of a change and its commit, which makes it visible. Later ones can be missed."""


def refresh_quiz_statistics(database: Database) -> int:
    """Refresh the stored statistics of quizzes that may have changed since the last refresh. Return their number."""
    until = clock.now()
    keys = database.read_sync(_stale_quizzes)
    for key in keys:
        as_of = clock.now()
        statistics = database.read_sync(partial(live_statistics, keys=[key]))
        if key in statistics:
            database.write_sync(partial(_store, key=key, as_of=as_of, statistics=statistics[key]))
    database.write_sync(lambda session: named_locks.advance_watermark(session, STATISTICS_WATERMARK, until))
    return len(keys)


def _stale_quizzes(session: Session) -> list[int]:
    """Return the quizzes with many attempts of which an attempt, or the quiz itself, may have changed."""
    since = named_locks.watermark(session, STATISTICS_WATERMARK) - COMMIT_LAG
    changed = union(
        select(QuizAttempt.quiz_id).where(QuizAttempt.updated_at >= since),
        select(Quiz.id).where(Quiz.updated_at >= since),
    )
    keys = list(session.scalars(changed))
    large = (
        select(QuizAttempt.quiz_id)
        .where(QuizAttempt.quiz_id.in_(keys), QuizAttempt.status.in_(SUBMITTED_STATUSES))
        .group_by(QuizAttempt.quiz_id)
        .having(func.count() >= MIN_STORED_ATTEMPTS)
    )
    stored = select(StoredStatistics.quiz_id).where(StoredStatistics.quiz_id.in_(keys))
    return sorted(session.scalars(union(large, stored)))


def _store(session: Session, key: int, as_of: datetime, statistics: QuizStatistics) -> None:
    """Store the statistics, unless newer ones are stored or the quiz was deleted in between."""
    values = {"as_of": as_of, "statistics": statistics.to_json()}
    is_older = (StoredStatistics.quiz_id == key, StoredStatistics.as_of < as_of)
    if not execute_dml(session, update(StoredStatistics).where(*is_older).values(values)):
        session.connection().execute(insert_ignore(StoredStatistics), {"quiz_id": key, **values})
