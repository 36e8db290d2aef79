"""Stored revenue of courses, by currency. `billing.reads.revenue` computes it live."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms_graphql.analytics.models import CourseRevenue
from lms_graphql.billing.reads.revenue import Revenue
from lms_graphql.core.actor import Actor
from lms_graphql.core.statements import KEYS, fetch_rows, group_rows

STORED_REVENUE = (
    select(CourseRevenue.course_id, CourseRevenue.currency, CourseRevenue.gross, CourseRevenue.refunded)
    .where(CourseRevenue.course_id.in_(KEYS))
    .order_by(CourseRevenue.course_id, CourseRevenue.currency)
)


def stored_revenue(session: Session, keys: Sequence[int]) -> dict[int, list[Revenue]]:
    """Return the stored revenue of each course, ordered by currency. A course without revenue is left out."""
    return group_rows(fetch_rows(session, STORED_REVENUE, {"keys": keys}), lambda row: Revenue._make(row[1:]), by=0)


def stored_revenue_by_course(session: Session, actor: Actor, keys: Sequence[int]) -> dict[int, list[Revenue]]:
    return stored_revenue(session, keys)
