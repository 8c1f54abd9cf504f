"""What is heard of a transaction that is held back is not forgotten: it is asked about when it is let go."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import UUID

import pytest

from domain.restore import PaymentKind
from domain.transaction.system_commands import BeginHold
from gateways.paystack.sim.server import StandIn, build_sim
from projections.external_payment import list_open_payments
from reactions.asking import ask_about
from reactions.checkpoint import find_last_time
from reactions.hold import HeldBack, settle
from reactions.recovery import NAME
from reactions.toolbox import record
from reactions.worker import Worker
from tests.conftest import Database
from tests.domain.people import SUPER
from tests.reactions.holding import transfer_unheard
from tests.reactions.working import deliver, fold, read, work_off
from tests.reactions.world import SECRET, START, World, open_world

REASONS = "SELECT stuck_reason FROM transactions"
HOLDS = "SELECT topic FROM escrow_events WHERE topic LIKE 'transaction.hold%' ORDER BY originator_version"
DELIVERIES = "SELECT outcome, error FROM payment_events"


class Held(NamedTuple):
    """A sale whose seller was paid before anybody confirmed, as the processor says; and the charge that paid it."""

    transaction_id: UUID
    charge: str


async def hold_back(world: World, database: Database) -> Held:
    await world.top_up(500_000)
    transaction_id = await world.hold()
    await transfer_unheard(world, database, transaction_id, "seller", 90_000)
    return Held(transaction_id, (await world.transaction(transaction_id)).payment_reference or "")


async def let_go(world: World, database: Database, held: Held) -> None:
    (row,) = await list_open_payments(world.pool, held.transaction_id)
    await settle(world.escrow, row, "undone outside, ticket 4711", SUPER)
    fold(database)


async def charge_back(world: World, held: Held) -> int:
    answer = await world.panel.post("/_sim/disputes", json={"reference": held.charge})
    return int(answer.json()["id"])


def run(database: Database, story: Callable[[World, Held, Worker], Awaitable[None]]) -> None:
    """Tell a story of a sale that is held back; the processor's clock is the world's."""
    worlds: list[World] = []

    async def tell(stand_in: StandIn) -> None:
        async with open_world(database.app_dsn, known=stand_in) as world:
            worlds.append(world)
            await story(world, await hold_back(world, database), Worker(world.tools, database.app_dsn))

    with StandIn(build_sim(secret=SECRET, seed=1, clock=lambda: worlds[0].at if worlds else START)) as stand_in:
        asyncio.run(tell(stand_in))


def test_a_webhook_about_it_waits_until_it_is_let_go(database: Database) -> None:
    async def story(world: World, held: Held, worker: Worker) -> None:
        number = await charge_back(world, held)
        data = {"id": number, "transaction": {"reference": held.charge}}
        await deliver(world, json.dumps({"event": "charge.dispute.create", "data": data}).encode())
        await work_off(worker)
        assert read(database, DELIVERIES) == [(None, "held_back")]
        await let_go(world, database, held)
        world.wait(minutes=1)
        await work_off(worker)
        assert read(database, DELIVERIES) == [("applied", None)]
        assert len((await world.transaction(held.transaction_id)).disputes) == 1

    run(database, story)


def test_a_webhook_about_a_refund_of_it_waits_too(database: Database) -> None:
    async def story(world: World, held: Held, worker: Worker) -> None:
        data = {"status": "processed", "transaction_reference": held.charge}
        await deliver(world, json.dumps({"event": "refund.processed", "data": data}).encode())
        await work_off(worker)
        assert read(database, DELIVERIES) == [(None, "held_back")]

    run(database, story)


def test_a_chargeback_of_it_that_was_lost_meanwhile_is_found_when_it_is_let_go(database: Database) -> None:
    async def story(world: World, held: Held, worker: Worker) -> None:
        number = await charge_back(world, held)
        await worker.poll_chargebacks()
        await world.panel.post(f"/_sim/disputes/{number}", json={"outcome": "lost"})
        await worker.poll_chargebacks()
        assert await find_last_time(world.pool, "chargebacks") is None
        world.wait(days=3)
        await let_go(world, database, held)
        await worker.poll_chargebacks()
        transaction = await world.transaction(held.transaction_id)
        assert transaction.charged_back_minor == 100_000
        assert await find_last_time(world.pool, "chargebacks") == world.at
        assert await world.moved("refund") == []

    run(database, story)


def test_it_says_what_holds_it_back_until_it_is_let_go(database: Database) -> None:
    async def story(world: World, held: Held, worker: Worker) -> None:
        (row,) = await list_open_payments(world.pool, held.transaction_id)
        await worker.advance(held.transaction_id)
        assert (await world.transaction(held.transaction_id)).stuck_reason == f"held_back: transfer {row.reference}"
        fold(database)
        assert read(database, REASONS) == [(f"held_back: transfer {row.reference}",)]
        await let_go(world, database, held)
        assert read(database, REASONS) == [("awaiting_signatures",)]

    run(database, story)


def test_asking_about_it_by_hand_says_that_nothing_was_asked(database: Database) -> None:
    async def story(world: World, held: Held, _worker: Worker) -> None:
        with pytest.raises(HeldBack):
            await ask_about(world.tools, held.charge)

    run(database, story)


def test_what_was_let_go_is_held_back_no_more_however_late_the_table_is(database: Database) -> None:
    async def story(world: World, held: Held, worker: Worker) -> None:
        (row,) = await list_open_payments(world.pool, held.transaction_id)
        await worker.advance(held.transaction_id)
        await settle(world.escrow, row, "undone outside, ticket 4711", SUPER)
        assert await list_open_payments(world.pool, held.transaction_id) == [row]
        await worker.advance(held.transaction_id)
        assert (await world.transaction(held.transaction_id)).stuck_reason == "awaiting_signatures"

    run(database, story)


def test_a_hold_that_outlived_what_it_was_for_ends_at_the_next_look(database: Database) -> None:
    async def story(world: World, held: Held, worker: Worker) -> None:
        (row,) = await list_open_payments(world.pool, held.transaction_id)
        await settle(world.escrow, row, "undone outside, ticket 4711", SUPER)
        fold(database)
        late = BeginHold(external_payment_id=row.id, kind=PaymentKind(row.kind), reference=row.reference)
        await record(world.tools, NAME, held.transaction_id, late)
        await worker.advance(held.transaction_id)
        assert (await world.transaction(held.transaction_id)).stuck_reason == "awaiting_signatures"

    run(database, story)


def test_while_the_table_stands_still_a_hold_is_said_once_and_ended_once(database: Database) -> None:
    async def story(world: World, held: Held, worker: Worker) -> None:
        (row,) = await list_open_payments(world.pool, held.transaction_id)
        await worker.advance(held.transaction_id)
        await world.panel.post(f"/_sim/transfers/{row.reference}", json={"status": "reversed"})
        await worker.advance(held.transaction_id)
        ended = (await world.transaction(held.transaction_id)).version
        for _ in range(3):
            await worker.advance(held.transaction_id)
        assert (await world.transaction(held.transaction_id)).version == ended
        assert read(database, HOLDS) == [("transaction.hold_begun.v1",), ("transaction.hold_ended.v1",)]

    run(database, story)
