"""What the rules about people need to know from the floors above. Filled in `lms_graphql/wiring.py`."""

from collections.abc import Callable

from sqlalchemy import ColumnElement

publicly_known: list[Callable[[], ColumnElement[bool]]] = []
"""Clauses on `User`: whoever one of them holds of is known to anonymous viewers, too."""
