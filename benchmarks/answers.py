"""The servers' answers, compared before anything is measured: who answers less would be faster."""

from collections.abc import Sequence
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import orjson

from benchmarks.contestants import Server
from benchmarks.processes import HOST, BenchmarkError
from benchmarks.workloads import Workload


def check(servers: Sequence[Server], workload: Workload) -> int:
    """The first one's answer is whole, and the others' equal it. Gives its size in bytes."""
    answers = [_ask(server, workload) for server in servers]
    first, whole = servers[0].contestant.title, orjson.loads(answers[0])
    if "errors" in whole or _objects(whole.get("data")) != workload.objects:
        raise BenchmarkError(f"{first} does not answer {workload.name}:\n{answers[0][:1000].decode()}")
    for server, answer in zip(servers, answers, strict=True):
        if place := _difference(whole["data"], orjson.loads(answer).get("data"), "data"):
            raise BenchmarkError(f"{server.contestant.title} and {first} differ in {workload.name} at {place}")
    return len(answers[0])


def _ask(server: Server, workload: Workload) -> bytes:
    address = f"http://{HOST}:{server.port}/graphql"
    headers = {"content-type": "application/json", "accept": "application/json"}
    try:
        with urlopen(Request(address, workload.body, headers), timeout=60) as response:
            return response.read()
    except HTTPError as error:
        return error.read()


def _objects(value: Any) -> int:
    """How many objects with an id are in there."""
    if isinstance(value, dict):
        return ("id" in value) + sum(map(_objects, value.values()))
    return sum(map(_objects, value)) if isinstance(value, list) else 0


def _difference(one: Any, other: Any, path: str) -> str | None:
    """Where two answers differ first; None where they are equal, to the type."""
    if type(one) is not type(other):
        return f"{path}: {one!r:.200} and {other!r:.200}"
    if isinstance(one, dict) and one.keys() == other.keys():
        parts = ((f".{key}", one[key], other[key]) for key in one)
    elif isinstance(one, list) and len(one) == len(other):
        parts = ((f"[{index}]", mine, theirs) for index, (mine, theirs) in enumerate(zip(one, other, strict=True)))
    else:
        return None if one == other else f"{path}: {one!r:.200} and {other!r:.200}"
    return next((found for name, mine, theirs in parts if (found := _difference(mine, theirs, path + name))), None)
