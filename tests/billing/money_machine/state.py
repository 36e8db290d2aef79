"""State of a sequence, and how its steps send requests."""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from hypothesis.stateful import RuleBasedStateMachine
from sqlalchemy.orm import Session

from lms_graphql.billing.gateways.bank_transfer import BankTransferGateway
from lms_graphql.billing.gateways.interface import Gateway, GatewayRejectedError, GatewayUnavailableError
from lms_graphql.billing.models import PaymentMethod
from lms_graphql.billing.services.gateway_calls import PaymentResources
from lms_graphql.core import db_errors
from lms_graphql.core.actor import Actor
from lms_graphql.core.errors import DomainError, DomainErrors
from tests.billing.money_machine.database import Clock, MachineDatabase
from tests.billing.money_machine.faults import Fault, injected
from tests.billing.money_machine.gateway import Behavior, ModelGateway
from tests.billing.money_machine.people import SETTINGS
from tests.error_injection import InjectedError, ProcessKilledError
from tests.row_writer import START

GatewayCall = Callable[[PaymentResources, int], Awaitable[None]]


@dataclass
class KeyedRequest:
    """A request with an idempotency key: a service, its arguments, and the call of the gateway that follows.

    `result` is what the service has returned, if an answer arrived. It never changes.
    """

    service: Callable[..., Any]
    arguments: tuple[Any, ...]
    gateway_call: GatewayCall | None = None
    result: Any = None


class Beginning(NamedTuple):
    """State of a sequence, from which others can start."""

    image: Any
    time: datetime
    gateway: ModelGateway
    requests: list[KeyedRequest]


class MoneyState(RuleBasedStateMachine):
    """The database, the gateway and the requests so far. Indexes are taken modulo the number of rows."""

    database: MachineDatabase
    clock: Clock
    loop: asyncio.Runner

    def start(self, beginning: Beginning | None = None) -> None:
        """Start a sequence with people and a course, or as one that was saved."""
        if beginning is None:
            self.database.reset()
            self.clock.time = START
            self.gateway, self.requests = ModelGateway(), list[KeyedRequest]()
        else:
            self.database.restore(beginning.image)
            self.clock.time = beginning.time
            self.gateway, self.requests = copy.deepcopy((beginning.gateway, beginning.requests))
        gateways: dict[PaymentMethod, Gateway] = {
            PaymentMethod.FAKE: self.gateway,
            PaymentMethod.BANK_TRANSFER: BankTransferGateway(),
        }
        self.resources = PaymentResources(self.database.database, SETTINGS, gateways)
        self.paid_payouts: dict[int, int] = {}
        self.checked_version: object = None

    def save(self) -> Beginning | None:
        """Return the state of the sequence, if that is quicker than the steps that lead to it."""
        image = self.database.image()
        if image is None:
            return None
        return Beginning(image, self.clock.time, *copy.deepcopy((self.gateway, self.requests)))

    def attempt(
        self, work: Callable[[], Any], fault: Fault | None = None, behavior: Behavior = Behavior.SUCCESS
    ) -> Any:
        """Do something, and return its result. Return None if it is refused, or if its answer is lost.

        A deadlock must not be noticed: the service runs the transaction again.
        """
        self.gateway.behavior = behavior
        try:
            with injected(self.database.database, fault):
                return work()
        except (DomainError, DomainErrors, GatewayRejectedError, GatewayUnavailableError):
            return None
        except ProcessKilledError:
            assert behavior is Behavior.KILLED or (fault is not None and fault.error.is_kill)
        except Exception as error:
            if fault is None or fault.error is InjectedError.DEADLOCK or not db_errors.is_repeatable(error):
                raise
        finally:
            self.gateway.behavior = Behavior.SUCCESS

    def change(self, service: Callable[..., Any], *arguments: Any, fault: Fault | None = None) -> Any:
        """Run a service without an idempotency key in a transaction, as `attempt` does."""
        return self.attempt(lambda: self.database.run(service, *arguments), fault)

    def request(
        self,
        service: Callable[..., Any],
        *arguments: Any,
        gateway_call: GatewayCall | None = None,
        fault: Fault | None = None,
        behavior: Behavior = Behavior.SUCCESS,
    ) -> None:
        """Send a new request with an idempotency key."""
        self.requests.append(KeyedRequest(service, arguments, gateway_call))
        self.send(self.requests[-1], fault, behavior)

    def send(self, request: KeyedRequest, fault: Fault | None = None, behavior: Behavior = Behavior.SUCCESS) -> None:
        """Send a request, perhaps again. It has the result of the first time, and is not refused after an answer."""

        async def answer() -> None:
            work = partial(_run, service=request.service, arguments=request.arguments)
            try:
                result = await self.database.database.write(self.resources.with_settings(work))
            except (DomainError, DomainErrors):
                assert request.result is None
                raise
            assert request.result in (None, result)
            request.result = result
            if request.gateway_call is not None:
                await request.gateway_call(self.resources, result)

        self.attempt(lambda: self.run_async(answer()), fault, behavior)

    def run_async(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run(work)

    def pick(self, index: int, table: str, columns: str = "id") -> Any:
        """Return a row of a table, which may have a condition; None if there is none."""
        rows = self.database.rows(f"SELECT {columns} FROM {table} ORDER BY id")
        return rows[index % len(rows)] if rows else None

    def new_key(self) -> str:
        return f"key {len(self.requests)}"


def _run(session: Session, service: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    return service(session, *arguments)


def owned_by(actor: Actor) -> str:
    """Return the SQL condition of transactions that an actor has started."""
    return f"transactions WHERE user_id = {actor.key}"
