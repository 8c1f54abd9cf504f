"""After a restore nothing moves before the processor was asked; what the log had forgotten is in it again."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from database.standstill import begin_standstill, find_standstill
from domain.actor import reaction
from domain.restore import RestoreCause
from domain.transaction.commands import CancelTransaction, OpenDispute
from domain.transaction.dispute import Award
from domain.transaction.phase import Phase
from domain.transaction.records import DisputeCategory, Finding
from domain.transaction.staff_commands import ResolveDispute
from gateways.errors import GatewayUnavailable
from gateways.payment import Charge
from gateways.paystack.sim.server import StandIn, build_sim
from projections.alert import list_alerts
from projections.external_payment import find_open_payment
from projections.runner import run_projections
from reactions.checkpoint import save_checkpoint
from reactions.gate import Comparison, MemoryStale, RestoreGate
from reactions.hold import settle
from reactions.outage import ALIVE, find_last_sign
from reactions.toolbox import Processor
from reactions.watermark import FILE, LogWentBack, Mark, Watermark, read_mark
from reactions.worker import Worker
from reconciliation.run import Desk, reconcile
from tests.conftest import Database
from tests.domain.people import SUPER
from tests.reactions.restoring import copy
from tests.reactions.working import beside, fold, until_phase
from tests.reactions.world import SECRET, START, World, open_world
from tests.waiting import until

NUMBERS = count(1)


@dataclasses.dataclass
class Present:
    """The one time in which the processor and every world live."""

    at: datetime = START


@dataclasses.dataclass
class Sales:
    """Where each of them stood when the backup was made, and what happened to it since."""

    ordered: UUID
    refunded: UUID
    unpaid: UUID
    unasked: UUID
    held: UUID
    opened_later: UUID | None = None


@pytest.fixture
def stand_in() -> Generator[tuple[StandIn, Present]]:
    present = Present()
    with StandIn(build_sim(secret=SECRET, seed=1, clock=lambda: present.at)) as running:
        yield running, present


@asynccontextmanager
async def world_of(dsn: str, stand_in: tuple[StandIn, Present], home: Path) -> AsyncGenerator[World]:
    """A world whose reactions keep the mark of this home."""
    running, present = stand_in
    async with open_world(dsn, known=running) as world:
        world.at, world.numbers = present.at, NUMBERS
        world.tools = dataclasses.replace(world.tools, permit=Watermark(world.pool, home).permit)
        yield world


def pass_time(world: World, present: Present, **time: float) -> None:
    present.at += timedelta(**time)
    world.at = present.at


async def stay_there(world: World, **time: float) -> None:
    """The worker gives its sign of life all that time: it is no outage."""
    await until(lambda: find_last_sign(world.pool))
    async with world.pool.connection() as connection:
        await save_checkpoint(connection, ALIVE, 0, world.at + timedelta(**time))


def gate_of(world: World, home: Path) -> RestoreGate:
    desk = Desk(escrow=world.escrow, pool=world.pool, processor=world.tools.gateway, clock=world.clock)

    async def compare(key: str) -> Comparison:
        run = await reconcile(desk, key)
        assert run.reconciliation_id is not None
        return Comparison(run.reconciliation_id, len(run.outcome.differences))

    return RestoreGate(world.tools, Watermark(world.pool, home), compare, retry_seconds=0.2)


@asynccontextmanager
async def working(world: World, dsn: str, gate: RestoreGate | None) -> AsyncGenerator[None]:
    worker = Worker(world.tools, dsn, poll_every=timedelta(seconds=0.3), gate=gate.pass_through if gate else None)
    async with beside(run_projections(dsn), worker.run()):
        yield


async def sell(world: World) -> Sales:
    """Up to the backup: nothing has been sent yet."""
    ordered, refunded, held = [await world.hold() for _ in range(3)]
    await world.confirm(ordered)
    for actor in (world.as_buyer, world.as_seller):
        await world.do(actor, refunded, CancelTransaction(reason="called off"))  # type: ignore[arg-type]
    unpaid, unasked = await world.open(), await world.open()
    await world.page(unpaid)
    return Sales(ordered, refunded, unpaid, unasked, held)


async def go_on(world: World, sales: Sales) -> None:
    """What the restored log will not know."""
    for transaction_id in (sales.ordered, sales.refunded, sales.refunded):
        await world.advance(transaction_id)
    for transaction_id in (sales.unpaid, sales.unasked):
        await world.pay(transaction_id)
        await world.advance(transaction_id)
    await world.confirm(sales.held)
    assert (await world.advance(sales.held)).phase is Phase.COMPLETED
    sales.opened_later = await world.hold()


async def phases(world: World, sales: Sales) -> list[Phase]:
    ids = (sales.ordered, sales.refunded, sales.unpaid, sales.unasked, sales.held)
    return [(await world.transaction(each)).phase for each in ids]


async def until_reconciled(dsn: str) -> dict[str, Any]:
    query = "SELECT convert_from(state, 'UTF8') FROM escrow_events WHERE topic = 'restore.reconciled.v1'"
    with psycopg.connect(dsn, autocommit=True) as connection:
        (state,) = await until(lambda: connection.execute(query).fetchone())
    return json.loads(state)


async def lines_of(world: World, kind: str, reference: str | None) -> list[int]:
    lines = (await world.panel.get("/_sim/journal")).json()["lines"]
    return [line["difference_minor"] for line in lines if (line["kind"], line["reference"]) == (kind, reference)]


async def carry_on(
    database: Database, name: str, stand_in: tuple[StandIn, Present], home: Path, *, gated: bool
) -> None:
    """Sales, a backup, more sales, the restore, and then days in which clocks run out."""
    async with world_of(database.app_dsn, stand_in, home) as world:
        sales = await sell(world)
    copy(database, name)
    async with world_of(database.app_dsn, stand_in, home) as world:
        await go_on(world, sales)
        transfers, refunds = await world.moved("transfer"), await world.moved("refund")
        pass_time(world, stand_in[1], hours=2)
    dsn = database.app_dsn.replace(database.name, name)
    # Whoever skips the gate has no mark to look at either.
    async with world_of(dsn, stand_in, home if gated else home / "elsewhere") as world:
        async with working(world, dsn, gate_of(world, home) if gated else None):
            if gated:
                done = await until_reconciled(dsn)
                assert (done["cause"], done["applied"], done["discovered"]) == ("behind", 4, 2)
                assert (await world.moved("transfer"), await world.moved("refund")) == (transfers, refunds)
                assert (await world.transaction(sales.unasked)).phase is Phase.FUNDS_HELD
            await until_phase(world, sales.unpaid, Phase.FUNDS_HELD)
            # The buyer's word that he has access was lost: from now on the clock would give him his money back.
            await stay_there(world, days=4)
            pass_time(world, stand_in[1], days=4)
            await until_phase(world, sales.unpaid, Phase.REFUNDED)
            if not gated:
                await until_phase(world, sales.held, Phase.REFUNDED)
            await check_held(world, sales)
            await decide(world, sales)
            await until_phase(world, sales.held, Phase.COMPLETED)
            await check_rest(world, sales)
            assert await world.moved("transfer") == transfers
        # Whoever folds was stopped with the worker, perhaps before the last events.
        fold(dataclasses.replace(database, app_dsn=dsn))
        assert (await differences(world)) == [("missing_here", "charge")]


async def check_held(world: World, sales: Sales) -> None:
    held = await world.transaction(sales.held)
    assert await lines_of(world, "refund", held.payment_reference) == [], "the seller was paid, and the buyer too"
    assert held.phase is Phase.FUNDS_HELD
    assert (held.stuck_reason or "").startswith("held_back: transfer po-")
    alerts = await list_alerts(world.pool, kind="external_payment_discovered")
    assert [(alert.severity, alert.transaction_id) for alert in alerts] == [
        ("P0", sales.held),
        ("P0", sales.opened_later),
    ]


async def decide(world: World, sales: Sales) -> None:
    """A person decides the sale whose end was forgotten, the way that the money went."""
    dispute_id = await open_dispute(world, sales.held)
    await resolve(world, sales.held, dispute_id, Finding.BUYER)


async def open_dispute(world: World, transaction_id: UUID) -> UUID:
    dispute_id = uuid4()
    opened = OpenDispute(
        dispute_id=dispute_id, category=DisputeCategory.NOT_WORKING, statement_id=None, statement_sha256=None
    )
    await world.do(SUPER, transaction_id, opened)  # type: ignore[arg-type]
    return dispute_id


async def resolve(world: World, transaction_id: UUID, dispute_id: UUID, finding: Finding) -> None:
    award = Award(finding=finding, reason="decided by what Paystack has")
    resolved = ResolveDispute(dispute_id=dispute_id, award=award, limit_usd_cents=100_000)
    await world.do(SUPER, transaction_id, resolved)  # type: ignore[arg-type]


async def check_rest(world: World, sales: Sales) -> None:
    assert (await world.transaction(sales.ordered)).phase is Phase.COMPLETED
    assert (await world.transaction(sales.refunded)).phase is Phase.REFUNDED
    for transaction_id in (sales.ordered, sales.refunded, sales.held):
        assert (await world.transaction(transaction_id)).is_flat


async def differences(world: World) -> list[tuple[str, str]]:
    """What is left is what nobody can know any more: the payment of a sale that was opened after the backup."""
    desk = Desk(escrow=world.escrow, pool=world.pool, processor=world.tools.gateway, clock=world.clock)
    world.wait(hours=1)
    found = (await reconcile(desk, None)).outcome.differences
    return [(each.kind.value, each.subject) for each in found if each.subject in {"charge", "transfer", "refund"}]


@pytest.mark.guarantee("G3", faults="the log is set back to a backup, and the processor is ahead of it")
def test_a_restored_log_asks_the_processor_before_it_moves_money(
    backup: tuple[Database, str], stand_in: tuple[StandIn, Present], tmp_path: Path
) -> None:
    asyncio.run(carry_on(*backup, stand_in, tmp_path, gated=True))


@pytest.mark.guarantee("G3", planted="after a restore nobody asks the processor first")
def test_without_the_gate_the_buyer_gets_back_what_the_seller_has(
    backup: tuple[Database, str], stand_in: tuple[StandIn, Present], tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="the seller was paid, and the buyer too"):
        asyncio.run(carry_on(*backup, stand_in, tmp_path, gated=False))


class Silent:
    """A processor that does not answer for a while."""

    def __init__(self, real: Processor) -> None:
        self.real = real
        self.is_silent = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def list_charges(self, *, since: datetime) -> tuple[Charge, ...]:
        if self.is_silent:
            raise GatewayUnavailable("no route to host")
        return await self.real.list_charges(since=since)


def test_while_the_processor_is_silent_the_reactions_wait_and_say_why(
    database: Database, stand_in: tuple[StandIn, Present], tmp_path: Path
) -> None:
    async def story() -> None:
        async with world_of(database.app_dsn, stand_in, tmp_path) as world:
            transaction_id = await world.hold()
            await world.confirm(transaction_id)
            await begin_standstill(world.pool, "restore", RestoreCause.ORDERED, world.clock())
            with pytest.raises(LogWentBack):
                await world.advance(transaction_id)
            world.tools = dataclasses.replace(world.tools, gateway=(silent := Silent(world.tools.gateway)))  # type: ignore[arg-type]
            async with working(world, database.app_dsn, gate_of(world, tmp_path)):
                found = await until(lambda: find_standstill(world.pool, "restore"), lambda found: found and found.error)
                assert (found.reason, found.error) == ("ordered", "gateway_unavailable")
                (alert,) = await list_alerts(world.pool, kind="log_restored")
                assert (alert.severity, alert.detail) == ("P0", "no money moves (ordered): gateway_unavailable")
                assert await world.moved("transfer") == []
                silent.is_silent = False
                await until_phase(world, transaction_id, Phase.COMPLETED)
            assert await world.moved("transfer") == [-90_000]
            assert (await list_alerts(world.pool, kind="log_restored"))[-1].detail == "money moves again (ordered)"

    asyncio.run(story())


def test_a_log_that_goes_on_where_it_was_waits_for_nothing(
    database: Database, stand_in: tuple[StandIn, Present], tmp_path: Path
) -> None:
    async def story() -> None:
        async with world_of(database.app_dsn, stand_in, tmp_path) as world:
            await world.hold()
            gate = gate_of(world, tmp_path)
            await gate.pass_through()
            mark = read_mark(tmp_path / FILE)
            await world.hold()
            await gate_of(world, tmp_path).pass_through()
            later = read_mark(tmp_path / FILE)
            assert mark is not None
            assert later is not None
            assert later.position > mark.position
            assert await find_standstill(world.pool, "restore") is None

    asyncio.run(story())


def test_a_worker_that_outlives_a_restore_stops(
    database: Database, stand_in: tuple[StandIn, Present], tmp_path: Path
) -> None:
    async def story() -> None:
        async with world_of(database.app_dsn, stand_in, tmp_path) as world:
            await world.hold()
            gate = gate_of(world, tmp_path)
            await gate.pass_through()
            mark = read_mark(tmp_path / FILE)
            assert mark is not None
            (tmp_path / FILE).write_text(json.dumps(Mark(mark.log, mark.position, "another")._asdict()))
            with pytest.raises(LogWentBack):
                await world.tools.permit()
            with pytest.raises(MemoryStale):
                await gate.pass_through()

    asyncio.run(story())


def test_a_person_can_lift_what_holds_a_transaction_back(
    backup: tuple[Database, str], stand_in: tuple[StandIn, Present], tmp_path: Path
) -> None:
    async def story() -> None:
        database, name = backup
        async with world_of(database.app_dsn, stand_in, tmp_path) as world:
            transaction_id = await world.hold()
        copy(database, name)
        async with world_of(database.app_dsn, stand_in, tmp_path) as world:
            await world.confirm(transaction_id)
            (reference,) = (await world.advance(transaction_id)).payouts
        dsn = database.app_dsn.replace(database.name, name)
        async with world_of(dsn, stand_in, tmp_path) as world, working(world, dsn, gate_of(world, tmp_path)):
            await until_reconciled(dsn)
            found = await find_open_payment(world.pool, reference)
            assert found is not None
            assert found.transaction_id == transaction_id
            await world.top_up(100_000)
            await settle(world.escrow, found, "the seller has sent it back", reaction("command-line"))
            await stay_there(world, days=4)
            pass_time(world, stand_in[1], days=4)
            await until_phase(world, transaction_id, Phase.REFUNDED)

    asyncio.run(story())


@pytest.mark.guarantee("G3", faults="a dispute's decision and the payout after it are lost with the end of the log")
@pytest.mark.parametrize(("finding", "phase"), [(Finding.BUYER, Phase.COMPLETED), (Finding.SELLER, Phase.REFUNDING)])
def test_a_payout_that_was_forgotten_under_an_open_dispute_is_followed_by_no_refund(
    backup: tuple[Database, str], stand_in: tuple[StandIn, Present], tmp_path: Path, finding: Finding, phase: Phase
) -> None:
    """Before the failure the buyer was at fault; whoever decides anew may find otherwise."""

    async def story() -> None:
        database, name = backup
        async with world_of(database.app_dsn, stand_in, tmp_path) as world:
            transaction_id = await world.release()
            dispute_id = await open_dispute(world, transaction_id)
        copy(database, name)
        async with world_of(database.app_dsn, stand_in, tmp_path) as world:
            await resolve(world, transaction_id, dispute_id, Finding.BUYER)
            (reference,) = (await world.advance(transaction_id)).payouts
        dsn = database.app_dsn.replace(database.name, name)
        async with world_of(dsn, stand_in, tmp_path) as world:
            async with working(world, dsn, gate_of(world, tmp_path)):
                assert (await until_reconciled(dsn))["discovered"] == 1
            await world.top_up(200_000)
            await world.advance(transaction_id)
            assert await find_open_payment(world.pool, reference) is not None
            await resolve(world, transaction_id, dispute_id, finding)
            assert (await world.advance(transaction_id)).phase is phase
            assert (await world.moved("transfer"), await world.moved("refund")) == ([-90_000], [])

    asyncio.run(story())
