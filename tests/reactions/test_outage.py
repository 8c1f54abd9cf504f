"""While nobody could act no deadline runs out: what an outage took is given back, and a day more."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.transaction import Transaction
from domain.transaction.phase import Phase
from eventstore.log import read_stream
from reactions.outage import Outage, OutageInvalid, Outages
from reactions.watch import Watch
from reactions.worker import Worker
from tests.conftest import Database
from tests.reactions.working import beside
from tests.reactions.world import World, run
from tests.waiting import until

EXTENDED = "transaction.deadlines_extended.v1"


def outages_of(world: World) -> Outages:
    return Outages(world.tools, Watch(world.tools))


async def due(world: World, transaction_id: UUID) -> datetime:
    deadline = (await world.transaction(transaction_id)).next_deadline
    assert deadline is not None
    return deadline.at


async def reasons(world: World, transaction_id: UUID) -> list[object]:
    return [e.data["reason"] for e in await read_stream(world.pool, transaction_id) if e.topic == EXTENDED]


async def live(world: World, until: datetime) -> None:
    """The worker is there all the time."""
    while world.at < until:
        world.wait(minutes=14)
        await outages_of(world).give_sign()


@pytest.mark.weakness("W24")
def test_what_runs_out_while_the_worker_is_away_gets_its_time_back_and_a_day(database: Database) -> None:
    async def story(world: World) -> None:
        await outages_of(world).give_sign()
        transaction_id = await world.open()
        before = await due(world, transaction_id)
        world.wait(hours=30)
        assert (await world.advance(transaction_id)).phase is Phase.PENDING, "nobody could have paid"
        await outages_of(world).give_sign()
        assert await due(world, transaction_id) == before + timedelta(hours=30 + 24)
        await live(world, before + timedelta(hours=30 + 23))
        assert (await world.advance(transaction_id)).phase is Phase.PENDING
        await live(world, before + timedelta(hours=30 + 24))
        assert (await world.advance(transaction_id)).phase is Phase.EXPIRED
        assert len(await reasons(world, transaction_id)) == 1

    run(database.app_dsn, story)


def test_a_restart_is_no_outage(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        before = await due(world, transaction_id)
        await live(world, world.at + timedelta(hours=1))
        assert await due(world, transaction_id) == before

    run(database.app_dsn, story)


def test_making_up_twice_lengthens_nothing_twice_and_leaves_alone_what_does_not_run(database: Database) -> None:
    async def story(world: World) -> None:
        running, over = await world.open(), await world.hold()
        await world.confirm(over)
        await world.advance(over)
        began = world.at
        world.wait(hours=2)
        outage = Outage("the migration", began, world.at, "the database was moved")
        before = await due(world, running)
        assert await outages_of(world).make_up(outage) == 1
        world.wait(minutes=5)
        since = await world.open()
        await outages_of(world).make_up(outage._replace(ended_at=world.at))
        assert await due(world, running) == before + timedelta(hours=26)
        assert await reasons(world, running) == [
            f"outage {began.isoformat()} to {outage.ended_at.isoformat()}: the database was moved"
        ]
        assert (await reasons(world, over), await reasons(world, since)) == ([], [])

    run(database.app_dsn, story)


@pytest.mark.parametrize(("began", "ended"), [(0, 0), (1, 0), (-1, 1)])
def test_a_time_that_is_none_is_refused(database: Database, began: int, ended: int) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        times = (world.at + timedelta(hours=began), world.at + timedelta(hours=ended))
        with pytest.raises(OutageInvalid):
            await outages_of(world).make_up(Outage("x", *times, "a mistake of the hand"))
        assert await reasons(world, transaction_id) == []

    run(database.app_dsn, story)


def test_the_worker_makes_up_before_it_looks_at_any_clock(database: Database) -> None:
    async def story(world: World) -> None:
        await outages_of(world).give_sign()
        transaction_id = await world.open()
        world.wait(hours=100)
        async with beside(Worker(world.tools, database.app_dsn, poll_every=timedelta(seconds=0.1)).run()):
            await until(lambda: reasons(world, transaction_id))
            await asyncio.sleep(0.5)
        transaction = await world.escrow.get(Transaction, transaction_id)
        assert (transaction.phase, len(await reasons(world, transaction_id))) == (Phase.PENDING, 1)

    run(database.app_dsn, story)
