"""Those who sign in let those who read go first, one after the other, and wait for nobody for ever."""

import asyncio
import contextlib
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import text

from lms_graphql.core.concurrency import MAX_YIELD_SECONDS, ReadPriorityGate
from tests.factories import PASSWORD, Factories
from tests.live_service import Client, Service

READ = "{ courses(first: 5) { nodes { sections { title } } } }"
LOGIN = """mutation ($e: String!, $p: String!) {
  login(input: {email: $e, password: $p}) { session { user { email } } errors { code } }
}"""


async def take_a_turn(courtesy: ReadPriorityGate, told: list[str], seconds: float = 0.0) -> None:
    async with courtesy.writer():
        told.append("in")
        await asyncio.sleep(seconds)
        told.append("out")


def test_who_comes_while_others_go_first_waits_until_the_last_of_them_has_passed() -> None:
    async def meet() -> list[str]:
        courtesy, told = ReadPriorityGate(), list[str]()
        with courtesy.reader():
            with courtesy.reader():
                waiting = asyncio.create_task(take_a_turn(courtesy, told))
                await asyncio.sleep(0)
            told.append("one has passed")
            await asyncio.sleep(0)
        with courtesy.reader():  # and who comes before the waiting one has begun goes before it, too
            await asyncio.sleep(MAX_YIELD_SECONDS / 4)
            told.append("all have passed")
        await waiting
        return told

    assert asyncio.run(meet()) == ["one has passed", "all have passed", "in", "out"]


def test_who_gives_way_does_not_wait_for_ever() -> None:
    async def meet() -> float:
        courtesy = ReadPriorityGate()
        with courtesy.reader():
            began = time.monotonic()
            await take_a_turn(courtesy, [])
            return time.monotonic() - began

    assert MAX_YIELD_SECONDS * 0.9 < asyncio.run(meet()) < 1


def test_turns_are_taken_one_after_the_other_also_where_one_fails_or_is_given_up() -> None:
    async def fail(courtesy: ReadPriorityGate) -> None:
        async with courtesy.writer():
            raise ValueError("on purpose")

    async def meet() -> list[str]:
        courtesy, told = ReadPriorityGate(), list[str]()
        first = asyncio.create_task(take_a_turn(courtesy, told, 0.005))
        given_up = asyncio.create_task(take_a_turn(courtesy, told))
        others = [fail(courtesy), take_a_turn(courtesy, told, 0.005), take_a_turn(courtesy, told)]
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(first, given_up, *others, return_exceptions=True)
        return told

    assert asyncio.run(meet()) == ["in", "out"] * 3


@pytest.mark.slow
@pytest.mark.parametrize("service_settings", ["mariadb"], indirect=True)
def test_a_read_that_hangs_keeps_nobody_from_signing_in(client: Client, make: Factories, service: Service) -> None:
    make.course()
    person = make.person()
    with closing(Client(service)) as reader, ThreadPoolExecutor(1) as pool, service.engine.connect() as holder:
        holder.execute(text("LOCK TABLES sections WRITE"))
        reading = pool.submit(reader.execute, READ)
        time.sleep(0.2)
        answer = client.execute(LOGIN, e=person.email, p=PASSWORD)["login"]
        assert (answer["errors"], reading.done()) == ([], False)
        assert answer["session"]["user"]["email"] == person.email
        holder.execute(text("UNLOCK TABLES"))
        assert len(reading.result()["courses"]["nodes"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("service_settings", ["mariadb"], indirect=True)
def test_those_who_sign_in_while_reads_never_cease_leave_room_for_others(make: Factories, service: Service) -> None:
    """Each turn takes its time then, and those who wait for theirs with a right or wrong password are many."""
    make.course()
    over, told, seen = threading.Event(), Counter[int](), Counter[int]()

    def sign_in(number: int) -> None:
        with closing(Client(service)) as client:
            while not over.wait(random.uniform(0.2, 0.6)):  # so that they do not come in one burst
                said = {"e": f"nobody{number}@example.com", "p": "a wrong one"}
                told[client.post({"query": LOGIN, "variables": said}).status_code] += 1

    with contextlib.ExitStack() as held:
        reader, another = (held.enter_context(closing(Client(service))) for _ in range(2))
        pool, holder = held.enter_context(ThreadPoolExecutor(81)), held.enter_context(service.engine.connect())
        holder.execute(text("LOCK TABLES sections WRITE"))
        try:
            reading = pool.submit(reader.execute, READ)
            others = [pool.submit(sign_in, number) for number in range(80)]
            for _ in range(60):
                over.wait(0.05)
                seen[another.post({"query": "{ __typename }"}).status_code] += 1
        finally:
            over.set()
            holder.execute(text("UNLOCK TABLES"))
        for one in [reading, *others]:
            one.result()
    assert seen[200] >= 55, "some may meet a burst"
    assert told.keys() == {200, 503}
