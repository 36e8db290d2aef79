"""What the rules about people need to know from the floors above. Filled in `lms_graphql/wiring.py`."""

from collections.abc import Callable

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from lms_graphql.core.hooks import Hook

public_user_filters: Hook[Callable[[], ColumnElement[bool]]] = Hook("accounts.public_user_filters")
"""Clauses on `User`: whoever one of them holds of is known to anonymous viewers, too."""

account_erased: Hook[Callable[[Session, int], None]] = Hook("accounts.account_erased")
"""Told the key of a person whose account is emptied, in the same transaction: what is theirs alone goes with it."""
