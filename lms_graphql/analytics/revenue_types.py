"""Billing in the schema: what hangs on types of lower floors."""

import strawberry

from lms_graphql.analytics.types import CourseAnalytics
from lms_graphql.billing.reads.revenue import Revenue, live_revenue_by_course, stored_revenue_by_course
from lms_graphql.core import money
from lms_graphql.graph.context import Info
from lms_graphql.graph.money import Money
from lms_graphql.graph.schema.type_extensions import extend_type


@extend_type(CourseAnalytics)
async def gross_revenue(analytics: strawberry.Parent[CourseAnalytics], info: Info) -> list[Money]:
    """What has come in, also where it was paid back later: an amount for each currency, in their order."""
    return _amounts({revenue.currency: revenue.gross for revenue in await _revenue(analytics, info)})


@extend_type(CourseAnalytics)
async def refunded_revenue(analytics: strawberry.Parent[CourseAnalytics], info: Info) -> list[Money]:
    """What was paid back: an amount for each currency, in their order."""
    return _amounts({revenue.currency: revenue.refunded for revenue in await _revenue(analytics, info)})


async def _revenue(analytics: CourseAnalytics, info: Info) -> list[Revenue]:
    read = stored_revenue_by_course if analytics.is_kept else live_revenue_by_course
    return await info.context.load_async(read, analytics.key) or []


def _amounts(units: dict[str, int]) -> list[Money]:
    amounts: list[object] = [money.Money(number, currency) for currency, number in units.items() if number]
    return amounts  # type: ignore[return-value]
