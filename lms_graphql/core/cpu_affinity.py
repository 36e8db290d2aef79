"""CPU affinity: all threads of a process on one CPU, so that the interpreter's lock does not move from CPU to CPU.

Only one thread at a time runs Python code. On several CPUs, each statement that one of them sends or awaits wakes a
thread on another CPU. With 16 clients, a page of courses took 1.47 ms of CPU then, and takes 0.77 ms on one CPU:
docs/decisions/cpu-affinity.md.
"""

import os
import threading
import time
from collections.abc import Set
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

REVIEW_SECONDS = 2.0
CHOICE_SECONDS = 0.01
"""How long the scheduler may move the threads in each review. It wakes a thread on another CPU if its own is busy."""
TASKS = Path("/proc/self/task")
PROCESSOR_FIELD = 36
"""Index of the CPU that ran the thread last, among the fields of `/proc/PID/stat` that follow its name."""

_allowed_cpus: set[int] = set()
"""CPUs that the process may use. Empty unless it stays on one of them."""
_free_threads: set[int] = set()


class CpuAffinityChoice(StrEnum):
    """Choices of an operator: all threads on one CPU, or where the scheduler puts them."""

    AUTO = "auto"
    OFF = "off"


def free_this_thread() -> None:
    """Let this thread run on all CPUs of the process. For threads that compute for long without the interpreter."""
    if _allowed_cpus:
        _free_threads.add(threading.get_native_id())
        _move(0, _allowed_cpus)


def stay_on_one_cpu() -> None:
    """Keep the threads of this process together, from now on to its end, on the CPU that the scheduler chooses.

    The choice is reviewed regularly, because other processes may need that CPU. Do nothing on other systems than
    Linux, if the process may use one CPU only, or if a sandbox hides its CPUs or its threads.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    try:
        cpus = os.sched_getaffinity(0)
        _threads()
        _cpu_of_main_thread()
    except OSError:
        return
    if len(cpus) > 1:
        _allowed_cpus.update(cpus)
        threading.Thread(target=_review, name="cpu-affinity", daemon=True).start()


def _review() -> None:
    while True:
        with suppress(OSError):  # no file descriptor is free, so the next review has to do it
            _choose_cpu()
        time.sleep(REVIEW_SECONDS)


def _choose_cpu() -> None:
    for thread in _threads():  # free ones as well: one may have become free while the last review moved it
        _move(thread, _allowed_cpus)
    time.sleep(CHOICE_SECONDS)
    cpu = {_cpu_of_main_thread()}
    for thread in _threads() - _free_threads:
        _move(thread, cpu)


def _threads() -> set[int]:
    return set(map(int, os.listdir(TASKS)))


def _move(thread: int, cpus: Set[int]) -> None:
    with suppress(OSError):  # the thread has ended, the CPUs were taken from the process, or a sandbox forbids it
        os.sched_setaffinity(thread, cpus)


def _cpu_of_main_thread() -> int:
    fields = (TASKS / str(os.getpid()) / "stat").read_text().rpartition(")")[2].split()
    return int(fields[PROCESSOR_FIELD])
