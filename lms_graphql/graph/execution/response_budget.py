"""Limits that are enforced while a response is built, because lengths of lists and failing fields are unknown before.

The cost computed beforehand counts ten for a list without pages, and nothing for texts and errors. Values are
completed without giving control back to the event loop, so a timeout of the event loop alone would come too late.
"""

import time
from typing import Any

from graphql import Undefined

from lms_graphql.core.errors import RequestError, RequestErrorCode

UNITS_PER_COST = 10
"""Objects and resolver calls for each unit of cost. Fields, and objects without an id, have no cost of their own."""
MAX_ERRORS = 1_000
MAX_CHARACTERS = 10_000_000


class BudgetExceededError(RequestError):
    """The response exceeds its budget, or is too large for a busy service. The whole request is rejected."""


class ResponseBudget:
    """Budget of one response: units, errors, characters and time.

    `cost` is the cost that the viewer may request. `seconds` is the time limit. It begins now, unless
    `count_time_from` moves it.
    """

    def __init__(self, cost: int, seconds: float) -> None:
        self._cost = cost
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self.reset()

    def reset(self) -> None:
        """Refund all that was charged, because the response is built again. The time limit stays."""
        self._units = self._cost * UNITS_PER_COST
        self._errors = MAX_ERRORS
        self._characters = MAX_CHARACTERS

    def count_time_from(self, started: float) -> None:
        """Let the time limit begin at this instant of `time.monotonic`, when the request arrived."""
        self._deadline = started + self._seconds

    def remaining_seconds(self) -> float:
        """Return the seconds until the deadline; 0 if it has passed."""
        return max(0.0, self._deadline - time.monotonic())

    def spend(self, units: int) -> None:
        """Charge units before an object, or a list of plain objects, is completed.

        Raise BudgetExceededError if the units or the characters are used up, or if the deadline has passed.
        """
        self._units -= units
        if self._units < 0:
            raise _too_complex("The response has too many objects.")
        if self._characters < 0:
            raise _too_complex("The response is too long.")
        if time.monotonic() > self._deadline:
            raise BudgetExceededError(RequestErrorCode.TIMEOUT, timeout_message(self._seconds))

    def charge_text(self, value: Any) -> Any:
        """Charge and return a string. Return Undefined if the value is not a string."""
        if type(value) is not str:
            return Undefined
        self._characters -= len(value)
        return value

    def charge_characters(self, count: int) -> None:
        """Charge the texts of a whole level."""
        self._characters -= count

    def refund(self, units: int, characters: int) -> None:
        """Refund what was charged for a part of the response that is charged again when it is used."""
        self._units += units
        self._characters += characters

    def charge_error(self, error: Exception) -> None:
        """Charge a failed field. Raise BudgetExceededError if there are too many, or if this error is one."""
        if isinstance(error, BudgetExceededError):
            raise error
        self._errors -= 1
        if self._errors < 0:
            raise _too_complex(f"More than {MAX_ERRORS} fields failed.")


def timeout_message(seconds: float) -> str:
    return f"The request took longer than {seconds:g} seconds. Request less data at once."


def _too_complex(problem: str) -> BudgetExceededError:
    return BudgetExceededError(RequestErrorCode.QUERY_TOO_COMPLEX, f"{problem} Request less data at once.")
