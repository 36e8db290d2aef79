"""CPU affinity: the threads of a server process share one CPU, except those that hash passwords."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes import ServiceProcess, run_cluster

ALL_CPUS = os.sched_getaffinity(0) if sys.platform == "linux" else set[int]()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has the affinity of threads."),
    pytest.mark.skipif(len(ALL_CPUS) == 1, reason="This process may use one CPU only."),
]

LOGIN = """
mutation { login(input: {email: "nobody@example.com", password: "wrong password"}) { errors { code } } }
"""
IN_SANDBOX = """
import os, threading, time
from lms_graphql.core.cpu_affinity import stay_on_one_cpu

def forbid(*_):
    raise PermissionError(1, "Operation not permitted")

os.{name} = forbid
stay_on_one_cpu()
time.sleep(0.1)
print(threading.active_count())
"""
WITHOUT_FILE_DESCRIPTORS = """
import resource, threading, time
from lms_graphql.core.cpu_affinity import REVIEW_SECONDS, stay_on_one_cpu

stay_on_one_cpu()
time.sleep(0.5)
resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
time.sleep(REVIEW_SECONDS + 0.5)
print(threading.active_count())
"""
SECONDS = 60


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("affinity")
    with run_cluster(folder, f"sqlite:///{folder}/lms.db", processes=1) as cluster:
        yield cluster.processes[0]


def affinities(service: ServiceProcess) -> dict[int, set[int]]:
    """Return the CPUs on which each thread may run, by thread id."""
    threads = [int(path.name) for path in Path(f"/proc/{service.pid}/task").iterdir()]
    return {thread: os.sched_getaffinity(thread) for thread in threads}


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_together(service: ServiceProcess) -> bool:
    return len(set.union(*affinities(service).values())) == 1


def test_threads_stay_on_one_cpu_except_those_that_hash(service: ServiceProcess) -> None:
    wait_until(lambda: is_together(service))
    before = set(affinities(service))
    response = httpx.post(f"{service.url}/graphql", json={"query": LOGIN}, timeout=SECONDS)
    assert response.json()["data"]["login"]["errors"][0]["code"] == "INVALID_CREDENTIALS"

    def free_threads() -> list[int]:
        return [thread for thread, cpus in affinities(service).items() if thread not in before and cpus == ALL_CPUS]

    wait_until(lambda: len(free_threads()) == 1)
    hashing = free_threads()[0]
    os.sched_setaffinity(hashing, {min(ALL_CPUS)})  # as by a review that began before the thread was free
    wait_until(lambda: affinities(service)[hashing] == ALL_CPUS)


def test_threads_are_collected_again_after_they_were_moved(service: ServiceProcess) -> None:
    wait_until(lambda: len(affinities(service)[service.pid]) == 1)
    moved = service.pid
    os.sched_setaffinity(moved, ALL_CPUS)
    wait_until(lambda: len(affinities(service)[moved]) == 1)


def run_program(program: str) -> tuple[str, str]:
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return process.stdout, process.stderr


@pytest.mark.parametrize("name", ["sched_getaffinity", "listdir"])
def test_threads_are_left_alone_if_a_sandbox_forbids_a_call(name: str) -> None:
    assert run_program(IN_SANDBOX.format(name=name)) == ("1\n", "")


def test_reviews_go_on_after_a_lack_of_file_descriptors() -> None:
    assert run_program(WITHOUT_FILE_DESCRIPTORS) == ("2\n", "")


def test_threads_use_all_cpus_if_affinity_is_off(tmp_path: Path) -> None:
    with run_cluster(tmp_path, f"sqlite:///{tmp_path}/lms.db", processes=1, LMS_CPU_AFFINITY="off") as cluster:
        assert set(map(frozenset, affinities(cluster.processes[0]).values())) == {frozenset(ALL_CPUS)}
