"""Comparison of the servers' responses before the measurement: a server that returned less would be faster."""

from collections.abc import Sequence
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import orjson

from benchmarks.processes import BenchmarkError
from benchmarks.servers import RunningServer
from benchmarks.workloads import Workload
from tests.mariadb import HOST


def check_responses(servers: Sequence[RunningServer], workload: Workload) -> int:
    """Check that the first response is complete and that all are equal. Return the size of the first in bytes."""
    bodies = [_request(server, workload) for server in servers]
    first_title, first = servers[0].spec.title, orjson.loads(bodies[0])
    if "errors" in first or _count_objects(first.get("data")) != workload.objects:
        message = f"{first_title} does not answer the workload {workload.name}:"
        raise BenchmarkError(f"{message}\n{bodies[0][:1000].decode()}")
    for server, body in zip(servers, bodies, strict=True):
        if difference := _first_difference(first["data"], orjson.loads(body).get("data"), "data"):
            raise BenchmarkError(f"{server.spec.title} and {first_title} differ in {workload.name} at {difference}")
    return len(bodies[0])


def _request(server: RunningServer, workload: Workload) -> bytes:
    url = f"http://{HOST}:{server.port}/graphql"
    headers = {"content-type": "application/json", "accept": "application/json"}
    try:
        with urlopen(Request(url, workload.body, headers), timeout=60) as response:
            return response.read()
    except HTTPError as error:
        return error.read()


def _count_objects(value: Any) -> int:
    """Return the number of objects with an id in the value, at any depth."""
    if isinstance(value, dict):
        return ("id" in value) + sum(map(_count_objects, value.values()))
    return sum(map(_count_objects, value)) if isinstance(value, list) else 0


def _first_difference(left: Any, right: Any, path: str) -> str | None:
    """Return path and values of the first difference; None if both are equal, including their types."""
    if type(left) is not type(right):
        return f"{path}: {left!r:.200} and {right!r:.200}"
    if isinstance(left, dict) and left.keys() == right.keys():
        parts = ((f".{key}", left[key], right[key]) for key in left)
    elif isinstance(left, list) and len(left) == len(right):
        parts = (
            (f"[{index}]", left_part, right_part)
            for index, (left_part, right_part) in enumerate(zip(left, right, strict=True))
        )
    else:
        return None if left == right else f"{path}: {left!r:.200} and {right!r:.200}"
    differences = (_first_difference(left_part, right_part, path + name) for name, left_part, right_part in parts)
    return next((difference for difference in differences if difference), None)
