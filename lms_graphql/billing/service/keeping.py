"""Billing's roll-up: what a course has brought in, kept with the course's other figures."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from lms_graphql.billing.models import CourseRevenue, Transaction
from lms_graphql.billing.reads.revenue import Revenue, count_revenue, kept_revenue
from lms_graphql.core.statements import Rows
from lms_graphql.learning.openings import RollUp


def _changed(since: datetime, until: datetime) -> list[Rows]:
    return [select(Transaction.course_id).where(Transaction.updated_at >= since)]


def _keep(session: Session, keys: Sequence[int], counted: Mapping[int, list[Revenue]]) -> None:
    session.execute(delete(CourseRevenue).where(CourseRevenue.course_id.in_(keys)))
    rows = [{"course_id": key, **revenue._asdict()} for key in keys for revenue in counted.get(key, ())]
    if rows:
        session.execute(insert(CourseRevenue), rows)


OF_REVENUE = RollUp(_changed, count_revenue, kept_revenue, _keep)
