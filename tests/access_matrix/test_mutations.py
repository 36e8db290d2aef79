"""What mutations hand out is held against the same table as what is read: see tests/access_matrix."""

from collections.abc import Iterator

import pytest

from tests.access_matrix.checker import Verdict, blind_spots, told
from tests.access_matrix.mutations import cases, mutate, mutations_with_objects
from tests.access_matrix.runner import SCHEMA, Oracle
from tests.live_service import Service


@pytest.fixture(scope="module")
def oracle(running_service: Service) -> Iterator[Oracle]:
    running_service.empty()
    oracle = Oracle(running_service)
    yield oracle
    oracle.client.close()


@pytest.fixture(scope="module")
def verdict(oracle: Oracle) -> Verdict:
    return mutate(oracle)


@pytest.mark.slow
def test_what_comes_with_a_mutation_is_what_the_table_allows(verdict: Verdict) -> None:
    assert not verdict.complaints, told(verdict.complaints)


def test_every_mutation_that_hands_out_objects_is_tried(oracle: Oracle) -> None:
    assert {case.mutation for case in cases(oracle.world)} == mutations_with_objects()


@pytest.mark.slow
def test_everyone_who_signs_in_reads_all_of_their_session(oracle: Oracle, verdict: Verdict) -> None:
    blind = blind_spots(oracle.world.of_kind("Session"), SCHEMA, verdict)
    assert not blind, told(blind)
