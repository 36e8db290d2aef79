"""Faults of the database and of the process, at a drawn statement or COMMIT of a step."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from hypothesis import strategies as st

from lms_graphql.core.database import Database
from tests.error_injection import ErrorInjector, InjectedError

MAX_STATEMENT, MAX_COMMIT = 40, 3


class Fault(NamedTuple):
    """An error at the statement or the COMMIT with a number. Steps with fewer of them have no fault."""

    error: InjectedError
    number: int
    commits_only: bool = False


FAULTS: st.SearchStrategy[Fault | None] = st.one_of(
    st.none(),
    st.builds(Fault, st.sampled_from(InjectedError), st.integers(1, MAX_COMMIT), st.just(True)),
    st.builds(
        Fault,
        st.sampled_from([error for error in InjectedError if not error.is_after_commit]),
        st.integers(1, MAX_STATEMENT),
    ),
)


@contextmanager
def injected(database: Database, fault: Fault | None) -> Iterator[None]:
    if fault is None:
        yield
        return
    injector = ErrorInjector(database, fault.error, commits_only=fault.commits_only)
    with injector.inject_at(fault.number):
        yield
