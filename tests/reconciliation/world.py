"""A business of many sales, driven over the real stand-in, and a way to tamper with what the processor says of it."""

import asyncio
import dataclasses
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import psycopg

from cli.run.treasury import move_funds
from database.connect import open_pool
from domain.actor import Actor, Role
from domain.ids import uuid7
from domain.money import Currency, Money
from domain.transaction import Transaction
from domain.transaction.commands import CancelTransaction
from domain.treasury import MoveFunds, Movement, OpenTreasury, treasury_id
from eventstore.appender import Appender
from eventstore.escrow import Escrow
from gateways.errors import GatewayUnavailable
from gateways.paystack.client import Paystack
from gateways.paystack.limiter import UNLIMITED_PER_MINUTE, Limiter
from gateways.paystack.sim.server import build_sim
from gateways.paystack.sim.state import Behaviour
from projections.alert import AlertRow, list_alerts
from projections.catch_up import catch_up_together
from projections.registry import PROJECTIONS
from reactions.advance import advance
from reactions.toolbox import Toolbox
from reconciliation.run import Desk, Run, reconcile
from tests.conftest import Database
from tests.permit import always
from tests.reactions.world import SECRET, START, World, meet
from tests.reconciliation.orders import read_orders
from tests.standing import standing
from tests.waiting import until

CAPITAL_MINOR = 100_000_000
AT_ONCE = 8
OWNER = Actor(str(UUID(int=0x0A)), Role.SUPER_ADMIN)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclasses.dataclass
class Business:
    """The world, and its books."""

    world: World
    database: Database
    processor: Any

    @property
    def desk(self) -> Desk:
        world = self.world
        return Desk(escrow=world.escrow, pool=world.pool, processor=self.processor, clock=world.clock)

    def fold(self) -> None:
        """Bring the tables up to date with the log."""
        with psycopg.connect(self.database.owner_dsn) as connection:
            catch_up_together(connection, PROJECTIONS, schema="public", batch_size=1_000)

    async def reconcile(self, key: str = "test", *, dry: bool = False) -> Run:
        self.fold()
        return await reconcile(self.desk, None if dry else key)

    def count_runs(self) -> int:
        """How often the books were reconciled."""
        query = "SELECT count(*) FROM escrow_events WHERE topic = 'reconciliation.completed.v1'"
        with psycopg.connect(self.database.owner_dsn) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]

    async def top_up(self) -> None:
        """Money that the platform pays in, on both sides."""
        await self.world.top_up(CAPITAL_MINOR)
        stream_id = treasury_id(Currency.KES)
        await self.world.do(OWNER, stream_id, OpenTreasury(currency=Currency.KES))
        for movement in (Movement.CAPITAL_PAID_IN, Movement.BALANCE_TOPPED_UP):
            amount = Money(CAPITAL_MINOR, Currency.KES)
            await self.world.do(OWNER, stream_id, MoveFunds(movement=movement, amount=amount, evidence="statement 1"))

    async def sell(self, number: int) -> None:
        """One transaction to its end, of five kinds."""
        world, kind = self.world, number % 5
        if kind == 0:
            await world.page(await world.open())
            return
        transaction_id = await world.hold()
        if kind == 1:
            return
        if kind == 2:
            for actor in (world.as_buyer, world.as_seller):
                await world.do(actor, transaction_id, CancelTransaction(reason="we changed our minds"))
        else:
            await world.confirm(transaction_id)
        # The stand-in moves refunds on in a thread of its own.
        transaction = await until(lambda: world.advance(transaction_id), has_no_open_refund)
        if kind == 3 and number % 3 == 0:
            await self.reverse(transaction)

    async def until_settled(self) -> None:
        """Wait for the stand-in, which settles in a thread of its own."""
        await until(lambda: self.processor.list_settlements(since=LONG_AGO))

    async def until_refunded(self) -> None:
        """Wait until every refund that the processor was asked for has come to its end."""
        await until(
            lambda: self.processor.list_refunds(since=LONG_AGO), lambda refunds: all(one.refunded_at for one in refunds)
        )

    async def paste(self, commands: str) -> list[bool]:
        """Do what `escrow ledger record` does with these words, and return which of them were recorded already."""
        return [(await move_funds(self.world.escrow, order)).replayed for order in read_orders(commands)]

    async def reverse(self, transaction: Transaction) -> None:
        """The bank sends a payout back, and the webhook is heard."""
        (reference,) = transaction.payouts
        await self.move_transfer(reference, "reversed")
        await advance(self.world.tools, transaction.id, reference)

    async def move_transfer(self, reference: str, status: str) -> None:
        answer = await self.world.panel.post(f"/_sim/transfers/{reference}", json={"status": status})
        assert answer.status_code == 200, answer.text

    async def trade(self, sales: int) -> None:
        """Many sales, a few at a time."""
        numbers = iter(range(sales))

        async def work() -> None:
            for number in numbers:
                await self.sell(number)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))


@asynccontextmanager
async def open_business(
    database: Database, behaviour: Behaviour | None = None, start: datetime = START
) -> AsyncIterator[Business]:
    """A world whose processor lives in the same time as its books."""
    world = World.__new__(World)
    world.at = start

    def clock() -> datetime:
        return world.at

    with standing(build_sim(secret=SECRET, seed=1, behaviour=behaviour, clock=clock)) as stand_in:
        async with (
            open_pool(database.app_dsn, max_size=6, autocommit=True) as pool,
            Appender(database.app_dsn) as appender,
            Paystack.connect(
                secret=SECRET, base_url=stand_in.base_url, limiter=Limiter(UNLIMITED_PER_MINUTE)
            ) as gateway,
            httpx.AsyncClient(base_url=stand_in.base_url, trust_env=False) as panel,
        ):
            escrow = Escrow(pool, appender, clock, lambda: uuid7(clock(), os.urandom))
            buyer, seller = await meet(pool, escrow)
            tools = Toolbox(escrow=escrow, pool=pool, gateway=gateway, clock=clock, permit=always)
            world.__init__(pool=pool, escrow=escrow, tools=tools, panel=panel, buyer=buyer, seller=seller, at=start)
            business = Business(world, database, gateway)
            await business.top_up()
            yield business


def run(
    database: Database,
    story: Callable[[Business], Awaitable[None]],
    behaviour: Behaviour | None = None,
    start: datetime = START,
) -> None:
    """Tell a story in a fresh business."""

    async def tell() -> None:
        async with open_business(database, behaviour, start) as business:
            await story(business)

    asyncio.run(tell())


async def alerts(business: Business, kind: str) -> list[AlertRow]:
    world = business.world
    return await list_alerts(world.pool, kind=kind, at=world.clock())


class Tampered:
    """The processor, but one of its lists is not what it was: `change` gets the list and returns another."""

    def __init__(self, processor: Any, name: str, change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> None:
        self._processor = processor
        self._name = name
        self._change = change

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._processor, name)
        if name != self._name:
            return method

        async def tampered(*args: Any, **options: Any) -> tuple[Any, ...]:
            return self._change(await method(*args, **options))

        return tampered


def cut_off(lines: tuple[Any, ...]) -> tuple[Any, ...]:
    """A change for `Tampered`: the list breaks off."""
    raise GatewayUnavailable(f"{len(lines)} lines came, and no more")


def has_no_open_refund(transaction: Transaction) -> bool:
    return not any(refund.status.is_open for refund in transaction.refunds.values())
