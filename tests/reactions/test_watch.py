"""Money moves although no read model does: the reactions read the log themselves."""

import asyncio
import copy
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from domain.policy import Terms
from domain.transaction import Transaction
from domain.transaction.phase import Phase
from eventstore import log
from reactions import worker as worker_module
from reactions.watch import Watch
from tests.conftest import Database
from tests.projections.poison import POISON
from tests.reactions.spoiling import spoil
from tests.reactions.working import read, until_contract, until_phase, until_rows, working
from tests.reactions.world import World, run
from tests.waiting import until

STOPPED = "SELECT count(*) FROM projection_checkpoints WHERE error IS NOT NULL AND name = 'transactions'"


def poison(database: Database, topic: str = "transaction.never_heard_of.v1") -> None:
    """An event that nobody can read: every projection stops in front of it."""
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute(POISON, (topic, b"{}"))


@pytest.mark.parametrize("topic", ["transaction.never_heard_of.v1", "transaction.payout_requested.v1"])
def test_a_sale_goes_its_way_while_the_read_models_stand_still(database: Database, topic: str) -> None:
    """No webhook comes, and no table moves: polling alone brings payment, payout and refund forward."""

    async def tell(world: World) -> None:
        await world.list_account()
        poison(database, topic)
        late = await world.open(Terms(payment_seconds=3_600))
        world.wait(minutes=59)  # more at once, while the worker runs, would be an outage

        async with working(world, database.app_dsn, timedelta(seconds=0.2)), asyncio.timeout(60.0):
            await until_rows(database, STOPPED, [(1,)])
            sold = await world.open()
            await world.pay(sold)
            page = await world.page(late)
            await until_phase(world, sold, Phase.FUNDS_HELD)
            await until_contract(world, sold)
            await world.confirm(sold)
            await until_phase(world, sold, Phase.COMPLETED)
            world.wait(seconds=61)
            await until_phase(world, late, Phase.EXPIRED)
            await world.panel.post(page.authorization_url, json={"outcome": "success"})
            await until(lambda: world.moved("refund"), [-100_000].__eq__)
            assert await world.moved("transfer") == [-90_000]
        assert read(database, "SELECT count(*) FROM transactions") == [(0,)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker_module, "SWEEP_SECONDS", 0.2)
        run(database.app_dsn, tell)


def test_what_is_watched_is_the_same_however_the_log_is_read(database: Database) -> None:
    """In one go, event by event, twice over, and begun anew after the tables were lost."""
    rows = "SELECT * FROM watched_transactions ORDER BY 1"
    references = "SELECT * FROM watched_references ORDER BY 1"

    async def tell(world: World) -> None:
        watch = Watch(world.tools)
        transaction_id = await world.hold()
        await watch.catch_up()
        await world.confirm(transaction_id)
        await world.advance(transaction_id)
        await watch.catch_up()
        await world.page(await world.open())
        head = await watch.catch_up()
        found = read(database, rows), read(database, references)
        assert [len(each) for each in found] == [2, 3]
        assert await Watch(world.tools).catch_up() == head
        for page in (log.PAGE, 1):
            forget(database)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(log, "PAGE", page)
                await Watch(world.tools).catch_up()
            assert (read(database, rows), read(database, references)) == found, f"{page} at once"

    run(database.app_dsn, tell)


def forget(database: Database) -> None:
    """The tables of what is watched are lost."""
    with psycopg.connect(database.superuser_dsn) as connection:
        connection.execute("TRUNCATE watched_transactions, watched_references")
        connection.execute("DELETE FROM reaction_checkpoints WHERE name = 'watch'")


class AsItWas:
    """The log as somebody sees it who has read a transaction once."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = copy.deepcopy(transaction)

    async def get(self, _kind: type[Transaction], _stream_id: UUID) -> Transaction:
        return self.transaction


def test_an_older_worker_takes_nothing_back(database: Database) -> None:
    """It had read a transaction before another one took over, and writes after it."""

    async def tell(world: World) -> None:
        transaction_id = await world.hold()
        stale = await world.transaction(transaction_id)
        assert stale.stuck_reason is not None
        slow, fresh = Watch(replace(world.tools, escrow=AsItWas(stale))), Watch(world.tools)
        await slow.catch_up()
        await world.confirm(transaction_id)
        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED
        await fresh.catch_up()
        await slow.catch_up()
        query = f"SELECT is_unfinished FROM watched_transactions WHERE transaction_id = '{transaction_id}'"
        assert read(database, query) == [(False,)]

    run(database.app_dsn, tell)


def test_one_that_was_over_and_cannot_be_read_any_more_is_polled(database: Database) -> None:
    async def tell(world: World) -> None:
        transaction_id = await world.release()
        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED
        watch = Watch(world.tools)
        await watch.catch_up()
        assert [page async for page in watch.read_unfinished()] == []
        spoil(database, transaction_id)
        await watch.catch_up()
        assert [page async for page in watch.read_unfinished()] == [[transaction_id]]

    run(database.app_dsn, tell)


def test_nobody_is_polled_who_is_over_and_everybody_else_is(database: Database) -> None:
    async def tell(world: World) -> None:
        over, open_one = await world.hold(), await world.hold()
        await world.confirm(over)
        await world.advance(over)
        watch = Watch(world.tools)
        await watch.catch_up()
        assert [page async for page in watch.read_unfinished()] == [[open_one]]
        assert await watch.list_due(world.at) == []
        world.wait(hours=73)
        assert await watch.list_due(world.at) == [open_one]

    run(database.app_dsn, tell)
