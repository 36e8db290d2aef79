"""Money in the schema, served by `core.money.Money`."""

from decimal import Decimal

from lms_graphql.graph.schema.fields import field, object_type


@object_type
class Money:
    """An amount of money. `amount` has exactly the currency's number of decimals."""

    amount: Decimal = field('In the currency\'s main unit, e.g. "19.90".')
    currency: str = field("ISO 4217 code, e.g. USD.")
