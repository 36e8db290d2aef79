"""References of transactions, refunds and payouts: short enough to be typed, and impossible to guess."""

from lms_graphql.certificates.codes import random_groups

GROUP_COUNT = 3
"""12 characters out of 22 hold 53 random bits. A unique key rules out the rest."""


def new_transaction_reference() -> str:
    """Return a reference such as `T-7KXM-3CDF-9QRT`, which buyers also write on bank transfers."""
    return f"T-{random_groups(GROUP_COUNT)}"


def new_refund_reference() -> str:
    return f"R-{random_groups(GROUP_COUNT)}"


def new_payout_reference() -> str:
    return f"P-{random_groups(GROUP_COUNT)}"
