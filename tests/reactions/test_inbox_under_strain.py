"""The inbox when tables lag, calls hang or forgers come: nothing is lost, nothing else is held up."""

import asyncio
import json
from datetime import UTC, datetime
from hashlib import sha256

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from database.connect import open_pool
from domain.transaction.phase import Phase
from reactions.refusals import Refusals
from reactions.worker import Worker
from tests.conftest import Database
from tests.reactions.working import beside, deliver, hang_transfers, read, until_phase, until_rows, working
from tests.reactions.world import World, run

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def rename(database: Database, before: str, after: str) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute(SQL("ALTER TABLE {} RENAME TO {}").format(Identifier(before), Identifier(after)))


def test_a_transfer_reported_before_any_table_knows_it_is_not_called_unmatched(database: Database) -> None:
    async def tell(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.advance(transaction_id)
        (reference,) = (await world.transaction(transaction_id)).payouts
        await world.panel.post(f"/_sim/transfers/{reference}", json={"status": "reversed"})
        await deliver(world, json.dumps({"event": "transfer.reversed", "data": {"reference": reference}}).encode())
        async with beside(Worker(world.tools, database.app_dsn).run()):
            await until_rows(database, "SELECT outcome, error FROM payment_events", [("applied", None)])
        assert read(database, "SELECT count(*) FROM payouts") == [(0,)]
        assert (await world.transaction(transaction_id)).phase is Phase.PAYOUT_FAILED

    run(database.app_dsn, tell)


def test_many_deliveries_about_a_transaction_that_hangs_hold_up_no_other(database: Database) -> None:
    async def tell(world: World) -> None:
        hanging, other = await world.hold(), await world.open()

        async with working(world, database.app_dsn):
            called = hang_transfers(world)
            await world.confirm(hanging)
            await called.wait()
            reference = (await world.transaction(hanging)).payment_reference
            for number in range(100):
                body = {"event": "charge.success", "data": {"reference": reference, "nonce": number}}
                await deliver(world, json.dumps(body).encode())
            page = await world.pay(other)
            body = {"event": "charge.success", "data": {"reference": page.reference}}
            await deliver(world, json.dumps(body).encode())
            await until_phase(world, other, Phase.FUNDS_HELD)
            query = f"SELECT outcome FROM payment_events WHERE reference = '{page.reference}'"
            await until_rows(database, query, [("applied",)])

    run(database.app_dsn, tell)


@pytest.mark.parametrize("at_once", [1, 500])
def test_a_flood_of_forgeries_is_counted_to_the_last_and_written_a_few_times(database: Database, at_once: int) -> None:
    async def flood() -> None:
        refusals = Refusals(pause_seconds=0.05)
        async with open_pool(database.app_dsn, max_size=2, autocommit=True) as pool:
            for first in range(0, 500, at_once):
                digests = [sha256(bytes([number % 256])).digest() for number in range(first, first + at_once)]
                await asyncio.gather(*(refusals.count(pool, lambda: NOW, digest) for digest in digests))
            await until_rows(database, "SELECT refused FROM webhook_refusals", [(500,)])

    asyncio.run(flood())
    last = sha256(bytes([499 % 256])).digest()
    assert read(database, "SELECT minute, last_body_sha256 FROM webhook_refusals") == [(NOW, last)]
    (row,) = read(database, "SELECT pg_stat_get_tuples_updated('webhook_refusals'::regclass)")
    assert row[0] < 50  # type: ignore[operator]


def test_a_forgery_that_could_not_be_written_is_counted_with_the_next(database: Database) -> None:
    async def break_down() -> None:
        refusals = Refusals(pause_seconds=0.05)
        async with open_pool(database.app_dsn, max_size=1, autocommit=True) as pool:
            rename(database, "webhook_refusals", "elsewhere")
            with pytest.raises(psycopg.Error):
                await refusals.count(pool, lambda: NOW, bytes(32))
            rename(database, "elsewhere", "webhook_refusals")
            await refusals.count(pool, lambda: NOW, bytes(32))
            await until_rows(database, "SELECT refused FROM webhook_refusals", [(2,)])

    asyncio.run(break_down())
