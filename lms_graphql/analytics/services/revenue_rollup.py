"""Billing's roll-up: what a course has brought in, kept with the course's other figures."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from lms_graphql.billing.models import CourseRevenue, Transaction
from lms_graphql.billing.reads.revenue import Revenue, compute_revenue, stored_revenue
from lms_graphql.core.statements import RowSelect
from lms_graphql.learning.hooks import AnalyticsRollup


def _changed(since: datetime, until: datetime) -> list[RowSelect]:
    return [select(Transaction.course_id).where(Transaction.updated_at >= since)]


def _keep(session: Session, keys: Sequence[int], counted: Mapping[int, list[Revenue]]) -> None:
    session.execute(delete(CourseRevenue).where(CourseRevenue.course_id.in_(keys)))
    rows = [{"course_id": key, **revenue._asdict()} for key in keys for revenue in counted.get(key, ())]
    if rows:
        session.execute(insert(CourseRevenue), rows)


REVENUE_ROLLUP = AnalyticsRollup(_changed, compute_revenue, stored_revenue, _keep)
