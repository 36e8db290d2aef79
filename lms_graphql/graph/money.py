"""Money in the schema, served by `core.money.Money`."""

from decimal import Decimal

from lms_graphql.graph.describing import described, object_type


@object_type
class Money:
    """An amount of money. `amount` has exactly the currency's number of decimals."""

    amount: Decimal = described('In the currency\'s main unit, e.g. "19.90".')
    currency: str = described("ISO 4217 code, e.g. USD.")
