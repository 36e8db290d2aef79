"""What the rules about people need to know from the floors above. Filled in `lms_graphql/wiring.py`."""

from collections.abc import Callable

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

public_user_filters: list[Callable[[], ColumnElement[bool]]] = []
"""Clauses on `User`: whoever one of them holds of is known to anonymous viewers, too."""

account_erased: list[Callable[[Session, int], None]] = []
"""Told the key of a person whose account is emptied, in the same transaction: what is theirs alone goes with it."""
