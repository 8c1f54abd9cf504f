"""A backlog is worked off in batches: each delivery once on record, and nothing lost when the worker is killed."""

import asyncio
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from domain.transaction.phase import Phase
from gateways.payment import Charge
from reactions.backlog import Backlog, Group
from reactions.inbox import Delivery
from reactions.worker import Worker
from tests.conftest import Database
from tests.reactions.working import beside, read, until_rows
from tests.reactions.world import START, World, run

KEEP = """INSERT INTO payment_events (body_sha256, body, event, reference, received_at, next_attempt_at)
VALUES (%s, %s, %s, %s, %s, %s)"""
LEFT = "SELECT count(*) FROM payment_events WHERE processed_at IS NULL"
EARLY = """SELECT id FROM payment_events AS kept WHERE outcome = 'applied' AND NOT EXISTS (
    SELECT FROM escrow_events
    WHERE originator_id = kept.transaction_id AND topic = 'transaction.payment_received.v1'
)"""
NONE_LEFT: list[tuple[object, ...]] = [(0,)]
NOBODYS = 2_000
REPEATS = 40
SALES = 5
KILLS = 4


def body(event: str, reference: str, number: int) -> bytes:
    return json.dumps({"event": event, "data": {"reference": reference, "nonce": number}}).encode()


def keep(database: Database, deliveries: Sequence[tuple[str, str]]) -> None:
    """Put deliveries into the inbox, all different, as `receive` does."""
    rows = []
    for number, (event, reference) in enumerate(deliveries):
        raw = body(event, reference, number)
        rows.append((hashlib.sha256(raw).digest(), raw, event, reference, START, START))
    with psycopg.connect(database.app_dsn) as connection, connection.cursor() as cursor:
        cursor.executemany(KEEP, rows)


async def until_worked_off(world: World, database: Database) -> None:
    async with beside(Worker(world.tools, database.app_dsn, poll_every=timedelta(hours=1)).run()):
        await until_rows(database, LEFT, NONE_LEFT)


def test_many_deliveries_are_put_on_record_in_few_commits(database: Database) -> None:
    async def tell(world: World) -> None:
        keep(database, [("charge.success", f"nobodys-{number}") for number in range(NOBODYS)])
        await until_worked_off(world, database)

    run(database.app_dsn, tell)
    commits = "SELECT count(*), count(DISTINCT xmin::text) < 40 FROM escrow_events WHERE topic = 'webhook.received.v1'"
    assert read(database, commits) == [(NOBODYS, True)]
    assert read(database, "SELECT DISTINCT outcome FROM payment_events") == [("unmatched",)]


def test_deliveries_that_wait_together_about_one_charge_are_answered_by_one_question(database: Database) -> None:
    async def tell(world: World) -> None:
        page = await world.pay(transaction_id := await world.open())
        keep(database, [("charge.success", page.reference)] * 200)
        asked, real = [], world.tools.gateway.verify_charge

        async def count(reference: str) -> Charge:
            asked.append(reference)
            return await real(reference)

        world.tools.gateway.verify_charge = count  # type: ignore[method-assign]
        await until_worked_off(world, database)
        assert (await world.transaction(transaction_id)).phase is Phase.FUNDS_HELD
        # One for them all; the followed log and the first poll may have asked as well.
        assert 1 <= len(asked) < 10

    run(database.app_dsn, tell)
    assert read(database, "SELECT outcome, count(*) FROM payment_events GROUP BY 1") == [("applied", 200)]


def test_a_question_answered_before_a_delivery_came_does_not_answer_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processor said «not paid» while the news of the payment was on its way: the news asks again."""

    async def tell(world: World) -> None:
        page = await world.page(transaction_id := await world.open())
        asked, go_on, real = asyncio.Event(), asyncio.Event(), world.tools.gateway.verify_charge
        come, sort = asyncio.Event(), Backlog.sort

        async def notice(self: Backlog, batch: Sequence[Delivery]) -> list[Group]:
            groups = await sort(self, batch)
            if groups:
                come.set()
            return groups

        async def slow(reference: str) -> Charge:
            answer = await real(reference)
            asked.set()
            await go_on.wait()
            return answer

        world.tools.gateway.verify_charge = slow  # type: ignore[method-assign]
        monkeypatch.setattr(Backlog, "sort", notice)
        async with beside(Worker(world.tools, database.app_dsn, poll_every=timedelta(hours=1)).run()):
            await asked.wait()
            await world.panel.post(page.authorization_url, json={"outcome": "success"})
            keep(database, [("charge.success", page.reference)])
            await come.wait()
            go_on.set()
            await until_rows(database, LEFT, NONE_LEFT)
        assert (await world.transaction(transaction_id)).phase is Phase.FUNDS_HELD

    run(database.app_dsn, tell)


def test_bytes_that_stand_in_the_log_already_hold_up_nothing_when_they_come_again(database: Database) -> None:
    """The inbox came back from an older backup than the log: the processor sends what it does not know was kept."""

    async def tell(world: World) -> None:
        keep(database, [("charge.success", "nobodys-1"), ("charge.success", "nobodys-2")])
        await until_worked_off(world, database)
        with psycopg.connect(database.superuser_dsn) as connection:
            connection.execute("TRUNCATE payment_events")
        world.wait(hours=1)
        keep(database, [("charge.success", "nobodys-1"), ("charge.success", "nobodys-2"), ("x", "nobodys-3")])
        with psycopg.connect(database.superuser_dsn) as connection:
            connection.execute("UPDATE payment_events SET received_at = %s", (world.at,))
        await until_worked_off(world, database)

    run(database.app_dsn, tell)
    assert read(database, "SELECT count(*) FROM escrow_events WHERE topic = 'webhook.received.v1'") == [(3,)]


@pytest.mark.guarantee("G15", faults="kill -9 in the middle of a batch", runs=f"{KILLS} kills")
def test_a_worker_that_is_killed_in_the_middle_of_a_batch_loses_and_doubles_nothing(database: Database) -> None:
    async def tell(world: World) -> None:
        sales = [await world.open() for _ in range(SALES)]
        pages = [await world.pay(sale) for sale in sales]
        ours = [("charge.success", page.reference) for page in pages] * REPEATS
        nobodys = [("transfer.success", f"po-nobodys-{number}") for number in range(NOBODYS)]
        keep(database, [*nobodys[: NOBODYS // 2], *ours, *nobodys[NOBODYS // 2 :]])
        total = NOBODYS + SALES * REPEATS
        arguments = [database.app_dsn, str(world.panel.base_url), str(time.time()), START.isoformat()]
        at_work = 0
        for kill in range(KILLS):
            at_work += await killed(database, arguments, recorded=total * kill // KILLS + 1)
        assert at_work > 0
        await until_worked_off(world, database)
        for sale in sales:
            assert (await world.transaction(sale)).phase is Phase.FUNDS_HELD
        await complete(world, sales)

    run(database.app_dsn, tell)
    for topic, expected in (
        ("webhook.received.v1", NOBODYS + SALES * REPEATS),
        ("transaction.payment_received.v1", SALES),
    ):
        assert read(database, f"SELECT count(*) FROM escrow_events WHERE topic = '{topic}'") == [(expected,)], topic
    outcomes = read(database, "SELECT outcome, count(*) FROM payment_events GROUP BY 1 ORDER BY 1")
    assert outcomes == [("applied", SALES * REPEATS), ("unmatched", NOBODYS)]


async def killed(database: Database, arguments: list[str], recorded: int) -> bool:
    """Let a worker put so many on record, and kill it; whether it left something undone."""
    query = "SELECT count(*) FROM escrow_events WHERE topic = 'webhook.received.v1'"
    command = (sys.executable, "-m", "tests.weaknesses.worker_process", *arguments)
    process = await asyncio.create_subprocess_exec(*command)
    try:
        async with asyncio.timeout(30.0):
            while int(str(read(database, query)[0][0])) < recorded:
                await asyncio.sleep(0.005)
    finally:
        process.kill()
        await process.wait()
    assert read(database, EARLY) == [], "called applied before it was"
    return read(database, LEFT) != NONE_LEFT


async def complete(world: World, sales: Sequence[UUID]) -> None:
    for sale in sales:
        await world.confirm(sale)
        assert (await world.advance(sale)).phase is Phase.COMPLETED
    assert await world.moved("transfer") == [-90_000] * len(sales)
