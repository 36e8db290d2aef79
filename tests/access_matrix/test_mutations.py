"""Payloads of mutations match the access matrix."""

from collections.abc import Iterator

import pytest

from tests.access_matrix.checker import MatrixResult, summary, unreached_fields
from tests.access_matrix.mutations import cases, mutations_with_objects, run_mutations
from tests.access_matrix.runner import SCHEMA, MatrixRunner
from tests.live_service import Service


@pytest.fixture(scope="module")
def runner(running_service: Service) -> Iterator[MatrixRunner]:
    running_service.delete_all_rows()
    runner = MatrixRunner(running_service)
    yield runner
    runner.client.close()


@pytest.fixture(scope="module")
def result(runner: MatrixRunner) -> MatrixResult:
    return run_mutations(runner)


@pytest.mark.slow
def test_payloads_match_the_matrix(result: MatrixResult) -> None:
    assert not result.violations, summary(result.violations)


def test_all_mutations_with_objects_have_a_case(runner: MatrixRunner) -> None:
    assert {case.mutation for case in cases(runner.objects)} == mutations_with_objects()


@pytest.mark.slow
def test_viewers_read_all_fields_of_their_session(runner: MatrixRunner, result: MatrixResult) -> None:
    unreached = unreached_fields(runner.objects.of_kind("Session"), SCHEMA, result)
    assert not unreached, summary(unreached)
