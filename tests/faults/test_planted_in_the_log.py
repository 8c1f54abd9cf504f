"""Bugs planted in the way to the log: the checker finds each of them, and nothing without them."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import psycopg
import pytest
from eventsourcing.domain import OriginatorVersionError

from database.connect import open_pool
from eventstore.appender import Appender
from eventstore.escrow import Escrow
from tests.conftest import Database
from tests.eventstore.running import clock, in_loop, new_id
from tests.eventstore.toys import Purse, PutIn, TakeOut
from tests.faults import plants
from tests.faults.journal import Journal
from tests.faults.purses import Clients, rules_broken

CLIENTS = 8
SECONDS = 0.8
LONGEST_SECONDS = 20.0
APPENDER = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'escrow appender'"


async def work(
    database: Database,
    path: Path,
    make: Callable[[str], Appender] = Appender,
    *,
    processes: int = 2,
    sends_twice: bool = False,
    kills: int = 0,
    until: float = SECONDS,
) -> set[str]:
    """Let clients of several escrows meet on the same purses until a rule is broken, and no longer than `until` says;
    return the rules that were broken."""
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(Journal(path))
        escrows = [await enter(stack, database.app_dsn, make, journal) for _ in range(processes)]
        clients = Clients(escrows, journal)
        clients.sends_twice = sends_twice
        await clients.open()
        began, broken = time.monotonic(), set[str]()
        while not broken and (journal.acked <= CLIENTS or time.monotonic() - began < until):
            await run(clients, database, kills)
            broken = rules_broken(path, database.app_dsn)
    return broken


async def run(clients: Clients, database: Database, kills: int) -> None:
    """For a moment, with so many kills in it."""
    clients.stopping.clear()
    working = asyncio.create_task(clients.run(CLIENTS))
    for _ in range(kills + 1):
        await asyncio.sleep(SECONDS / (kills + 1))
        if kills:
            kill_appenders(database)
    clients.stopping.set()
    with suppress(OriginatorVersionError):  # the product notices a log that contradicts itself, too
        await working


async def enter(stack: AsyncExitStack, dsn: str, make: Callable[[str], Appender], journal: Journal) -> Escrow:
    pool = await stack.enter_async_context(open_pool(dsn, max_size=4))
    appender = make(dsn)
    if isinstance(appender, plants.PublishesFirst):
        appender.publish = journal.publish
    return Escrow(pool, await stack.enter_async_context(appender), clock, new_id)


def kill_appenders(database: Database) -> None:
    with psycopg.connect(database.superuser_dsn, autocommit=True) as connection:
        connection.execute(APPENDER + " AND datname = %s", [database.name])


def acknowledges_first(dsn: str) -> Appender:
    appender = Appender(dsn)
    appender._writer = plants.AcknowledgesFirst(dsn)
    return appender


@pytest.mark.guarantee(
    "G6",
    faults="two processes on the same four purses, every command sent twice, the writers' connections cut",
    runs="2 cuts",
)
@in_loop
async def test_without_a_planted_bug_nothing_is_found(database: Database, tmp_path: Path) -> None:
    assert await work(database, tmp_path / "journal", sends_twice=True, kills=2) == set()


@pytest.mark.guarantee("G5", planted="nobody looks whether a command was done before")
@in_loop
async def test_a_skipped_idempotency_lookup_is_found(database: Database, tmp_path: Path) -> None:
    plants.skip_idempotency_lookup(database.superuser_dsn)
    assert "twice" in await work(database, tmp_path / "journal", sends_twice=True, until=LONGEST_SECONDS)


@pytest.mark.guarantee("G6", planted="a decision that rests on an overtaken version is written")
@in_loop
async def test_an_accepted_stale_version_is_found(database: Database, tmp_path: Path) -> None:
    plants.accept_stale_version(database.superuser_dsn)
    assert "version" in await work(database, tmp_path / "journal", until=LONGEST_SECONDS)


@pytest.mark.guarantee("G4", "G6", planted="a conflict is answered as a success")
@in_loop
async def test_a_swallowed_conflict_is_found(database: Database, tmp_path: Path) -> None:
    assert "lost" in await work(database, tmp_path / "journal", plants.SwallowsConflicts, until=LONGEST_SECONDS)


@pytest.mark.guarantee("G4", planted="the answer goes out before the commit, and the server dies")
@in_loop
async def test_an_acknowledgement_before_the_commit_is_found(database: Database, tmp_path: Path) -> None:
    broken = await work(database, tmp_path / "journal", acknowledges_first, processes=1, kills=4, until=LONGEST_SECONDS)
    assert broken & {"lost", "answer"}


@pytest.mark.guarantee("G6", planted="somebody is told before it is known whether it is stored")
@in_loop
async def test_a_publication_before_the_commit_is_found(database: Database, tmp_path: Path) -> None:
    """Two take the same last coin: the loser's taking was announced, and is then refused."""
    path = tmp_path / "journal"
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(Journal(path))
        escrows = [await enter(stack, database.app_dsn, plants.PublishesFirst, journal) for _ in range(2)]
        clients = Clients(escrows, journal)
        await clients.open()
        for purse in clients.purses:
            await clients.send(escrows[0], purse, PutIn(amount_minor=1), f"put {purse}")
            await escrows[1].get(Purse, purse)
            take = TakeOut(amount_minor=1)
            await asyncio.gather(
                *[clients.send(escrow, purse, take, f"{n} {purse}") for n, escrow in enumerate(escrows)]
            )
    assert rules_broken(path, database.app_dsn) == {"published"}
