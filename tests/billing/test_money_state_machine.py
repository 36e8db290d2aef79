"""Random sequences of purchases, payments, refunds, disputes, payouts and faults, in any order and repeated.

All rules of the ledger hold after each step. `LMS_TEST_ROUNDS=10000 pytest …` runs more sequences.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from lms_graphql import wiring
from lms_graphql.core import clock
from tests.billing.money_machine.database import Clock, MachineDatabase, SqliteFile
from tests.billing.money_machine.machine import MoneyMachine
from tests.concurrency import race_rounds
from tests.conftest import DATABASES

EXAMPLES = {"sqlite": race_rounds(500), "mariadb": race_rounds(25)}
STEPS = 12


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MachineDatabase]:
    if request.param == "sqlite":
        database: MachineDatabase = SqliteFile(tmp_path)
    else:
        database = MachineDatabase(request.getfixturevalue("mariadb_server").new_database("lms_machine"))
    yield database
    database.close()


@pytest.fixture
def machine(database: MachineDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[MoneyMachine]]:
    wiring.register_hooks()
    MoneyMachine.database, MoneyMachine.clock, MoneyMachine.beginnings = database, Clock(), {}
    monkeypatch.setattr(clock, "now", MoneyMachine.clock.now)
    with asyncio.Runner() as runner:
        MoneyMachine.loop = runner
        yield MoneyMachine


@pytest.mark.slow
def test_money_is_neither_lost_nor_made(machine: type[MoneyMachine], request: pytest.FixtureRequest) -> None:
    is_sqlite = machine.database.database.is_sqlite
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES["sqlite" if is_sqlite else "mariadb"],
            stateful_step_count=STEPS,
            deadline=None,
            phases=(Phase.explicit, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
