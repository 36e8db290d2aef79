"""References of transactions, refunds and payouts: short enough to be typed, and impossible to guess."""

import secrets

from lms_graphql.core.codes import RandomChoice, random_groups

GROUP_COUNT = 3
"""12 characters out of 22 hold 53 random bits. A unique key rules out the rest."""


def new_transaction_reference(choose: RandomChoice = secrets.choice) -> str:
    """Return a reference such as `T-7KXM-3CDF-9QRT`, which buyers also write on bank transfers."""
    return f"T-{random_groups(GROUP_COUNT, choose)}"


def new_refund_reference(choose: RandomChoice = secrets.choice) -> str:
    return f"R-{random_groups(GROUP_COUNT, choose)}"


def new_payout_reference(choose: RandomChoice = secrets.choice) -> str:
    return f"P-{random_groups(GROUP_COUNT, choose)}"
