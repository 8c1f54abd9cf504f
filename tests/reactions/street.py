"""A small world beside a stand-in of the processor in the same process: one clock for both, and mail that we bring."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import httpx

from database.connect import open_pool
from domain.ids import uuid7
from domain.transaction import Transaction
from eventstore.appender import Appender
from eventstore.escrow import Escrow
from eventstore.log import RecordedEvent, read_stream
from gateways.paystack.client import Paystack
from gateways.paystack.http import PaystackHttp
from gateways.paystack.limiter import UNLIMITED_PER_MINUTE, Limiter
from gateways.paystack.sim.in_process import InProcess
from gateways.paystack.sim.records import DisputeRecord
from gateways.paystack.sim.server import build_sim
from gateways.paystack.sim.state import Behaviour
from gateways.paystack.webhook import signature
from reactions import inbox
from reactions.advance import advance
from reactions.refusals import Refusals
from reactions.toolbox import Processor, Toolbox
from reactions.worker import Worker
from tests.permit import always
from tests.reactions.world import CAPITAL_MINOR, NONE, SECRET, START, World, meet

HOOK = "http://escrow/webhooks/paystack"


@dataclass
class Street:
    """The world, what stands across the street, and what is in the mail between them."""

    world: World
    paystack: InProcess
    worker: Worker
    mail: list[bytes] = field(default_factory=list)

    async def pass_time(self, **time: float) -> None:
        """What is due at the processor happens at its time; nobody here works meanwhile."""
        target = self.world.at + timedelta(**time)
        while (due_at := self.paystack.next_due_at()) is not None and due_at <= target:
            self.world.at = max(self.world.at, due_at)
            await self.paystack.run_due()
        self.world.at = target

    async def dispute(self, transaction_id: UUID, **details: object) -> DisputeRecord:
        """The buyer's bank wants the money back."""
        reference = (await self.world.transaction(transaction_id)).payment_reference
        answer = await self.world.panel.post("/_sim/disputes", json={"reference": reference, **details})
        assert answer.status_code == 201, answer.text
        return DisputeRecord.model_validate(answer.json())

    async def decide(self, dispute: DisputeRecord, outcome: str, **words: str) -> None:
        """The buyer's bank decides."""
        answer = await self.world.panel.post(f"/_sim/disputes/{dispute.id}", json={"outcome": outcome, **words})
        assert answer.status_code == 200, answer.text

    def there(self, dispute: DisputeRecord) -> DisputeRecord:
        """How it stands at the processor."""
        found = self.paystack.sim.store.disputes.get(str(dispute.id))
        assert found is not None
        return found

    def answers(self, dispute: DisputeRecord) -> int:
        """How often the merchant answered it."""
        return sum(step.by == "merchant" for step in self.there(dispute).steps)

    async def poll(self, transaction_id: UUID) -> Transaction:
        """What the worker does every few minutes: find what nobody told of, and go on."""
        await self.worker.poll_chargebacks()
        return await self.world.advance(transaction_id)

    async def bring(self, *bodies: bytes) -> None:
        """Webhooks arrive in this order, and the worker works them off."""
        world = self.world
        for raw in bodies:
            await inbox.receive(world.pool, SECRET, world.clock, raw, signature(SECRET, raw), Refusals())
            backlog = self.worker.backlog
            for transaction_id, deliveries in await backlog.sort(await backlog.take()):
                await backlog.apply(transaction_id, deliveries)
            await backlog.flush()

    def letters(self, event: str) -> list[bytes]:
        """The webhooks of a kind that the processor has sent so far."""
        return [raw for raw in self.mail if json.loads(raw)["event"] == event]

    async def history(self, transaction_id: UUID, *names: str) -> list[RecordedEvent]:
        """The events of these names in the log."""
        events = await read_stream(self.world.pool, transaction_id)
        return [event for event in events if event.topic.split(".")[1] in names]


async def work(street: Street, transaction_id: UUID) -> Transaction:
    """The worker hears of the charge again."""
    reference = (await street.world.transaction(transaction_id)).payment_reference
    await advance(street.world.tools, transaction_id, reference, is_disputed=True)
    return await street.world.transaction(transaction_id)


@asynccontextmanager
async def open_street(dsn: str, wrap: Callable[[Processor], Processor] = lambda real: real) -> AsyncIterator[Street]:
    """A world on a fresh database; `wrap` may put something between the reactions and the processor."""
    world = World.__new__(World)
    world.at = START
    mail: list[bytes] = []
    letterbox = httpx.AsyncClient(transport=httpx.MockTransport(lambda request: _post(mail, request)))
    sim = build_sim(secret=SECRET, seed=1, clock=lambda: world.at, behaviour=Behaviour(webhook_url=HOOK))
    paystack = InProcess(sim, merchant=letterbox)
    http = PaystackHttp(
        secret=SECRET,
        base_url=paystack.base_url,
        retries=NONE,
        limiter=Limiter(UNLIMITED_PER_MINUTE),
        transport=paystack.transport,
    )
    async with (
        open_pool(dsn, max_size=6, autocommit=True) as pool,
        Appender(dsn) as appender,
        Paystack(http) as gateway,
        httpx.AsyncClient(transport=paystack.transport, base_url=paystack.base_url) as panel,
    ):
        escrow = Escrow(pool, appender, lambda: world.at, lambda: uuid7(world.at, os.urandom))
        tools = Toolbox(escrow=escrow, pool=pool, gateway=wrap(gateway), clock=lambda: world.at, permit=always)
        buyer, seller = await meet(pool, escrow)
        world.__init__(pool=pool, escrow=escrow, tools=tools, panel=panel, buyer=buyer, seller=seller)
        await world.top_up(CAPITAL_MINOR)
        yield Street(world=world, paystack=paystack, worker=Worker(tools, dsn), mail=mail)


def _post(mail: list[bytes], request: httpx.Request) -> httpx.Response:
    mail.append(request.content)
    return httpx.Response(200)


def tell(dsn: str, story: Callable[[Street], Awaitable[None]]) -> None:
    """Tell a story in a fresh street."""

    async def begin() -> None:
        async with open_street(dsn) as street:
            await story(street)

    asyncio.run(begin())
