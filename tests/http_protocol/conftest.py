from collections.abc import Iterator

import pytest

from tests.processes import ServiceProcess, run_cluster


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """Run one process of `lms-graphql serve` on SQLite."""
    folder = tmp_path_factory.mktemp("process")
    with run_cluster(folder, f"sqlite:///{folder}/lms.db", processes=1) as cluster:
        yield cluster.processes[0]
