"""Hooks of accounts: facts and effects of upper layers. `lms_graphql/wiring.py` registers them."""

from collections.abc import Callable

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from lms_graphql.core.hooks import Hook

public_user_filters: Hook[Callable[[], ColumnElement[bool]]] = Hook("accounts.public_user_filters")
"""Clauses on `User`. Anonymous viewers see the users that match at least one of them."""

account_erased: Hook[Callable[[Session, int], None]] = Hook("accounts.account_erased")
"""Called with the key of a user whose account is erased, in the same transaction.

The functions delete what belongs to that user alone.
"""
