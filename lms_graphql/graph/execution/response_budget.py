"""What one answer may take, held while it is made: how long a list is, and what fails in it, is known only then.

The cost that is planned beforehand counts ten for a list without pages, and nothing for texts and errors. Objects are
completed in one go, without giving way, so a time limit of the event loop's alone would never be heard.
"""

import time
from typing import Any

from graphql import Undefined

from lms_graphql.core.errors import RequestError, RequestErrorCode

UNITS_PER_COST = 10
"""Objects and resolver calls for each unit of cost: an object brings fields and others without an id."""
MAX_ERRORS = 1_000
MAX_CHARACTERS = 10_000_000


class BudgetExceededError(RequestError):
    """Nothing more of this answer is made: it is refused whole."""


class ResponseBudget:
    """`cost`: what the viewer may ask for at once. `seconds`: from now."""

    def __init__(self, cost: int, seconds: float) -> None:
        self._units = cost * UNITS_PER_COST
        self._errors = MAX_ERRORS
        self._characters = MAX_CHARACTERS
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    def spend(self, units: int) -> None:
        """Before each object, or list of plain ones. SpentError where it is too much, or too late."""
        self._units -= units
        if self._units < 0:
            raise _too_much("The answer has too many objects.")
        if self._characters < 0:
            raise _too_much("The answer is too long.")
        if time.monotonic() > self._until:
            raise BudgetExceededError(RequestErrorCode.TIMEOUT, timeout_message(self._seconds))

    def charge_text(self, value: Any) -> Any:
        """A string as it is put out; Undefined where it is none."""
        if type(value) is not str:
            return Undefined
        self._characters -= len(value)
        return value

    def charge_error(self, error: Exception) -> None:
        """A field failed."""
        if isinstance(error, BudgetExceededError):
            raise error
        self._errors -= 1
        if self._errors < 0:
            raise _too_much(f"More than {MAX_ERRORS} fields fail.")


def timeout_message(seconds: float) -> str:
    return f"This takes longer than {seconds:g} seconds. Ask for less at once."


def _too_much(what: str) -> BudgetExceededError:
    return BudgetExceededError(RequestErrorCode.QUERY_TOO_COMPLEX, f"{what} Ask for less at once.")
