"""The pool waits at most two seconds, bounds every statement, and survives a restart of the server."""

import asyncio
import os
import signal
import time
from functools import partial
from pathlib import Path

import psycopg
import pytest

from database.connect import Limits, Pool, open_connection, open_pool, resolve_dsn
from database.errors import DatabaseUnavailable, ServerNotRunning
from database.facts import read_facts
from database.postgres import EmbeddedServer
from database.settings import Settings
from tests.conftest import Database, embedded


@pytest.mark.guarantee("G18", faults="no connection is free")
def test_an_exhausted_pool_answers_within_two_seconds(database: Database) -> None:
    async def exhaust() -> float:
        async with open_pool(database.app_dsn, max_size=1) as pool, pool.connection():
            assert pool.timeout == 2.0
            began = time.monotonic()
            with pytest.raises(DatabaseUnavailable) as caught:
                async with pool.connection():
                    pass
            assert (caught.value.status, caught.value.retry_after_seconds) == (503, 1)
            return time.monotonic() - began

    assert asyncio.run(exhaust()) < 5.0


def test_an_absent_server_answers_within_two_seconds(home: Path) -> None:
    async def knock() -> float:
        async with open_pool(f"postgresql:///x?host={home}", max_size=2) as pool:
            assert pool.timeout == 2.0
            began = time.monotonic()
            with pytest.raises(DatabaseUnavailable):
                async with pool.connection():
                    pass
            return time.monotonic() - began

    assert asyncio.run(knock()) < 5.0


@pytest.mark.weakness("W35")
def test_every_session_is_bounded_and_in_utc(database: Database) -> None:
    async def ask() -> list[str]:
        async with open_pool(database.app_dsn, max_size=1) as pool, pool.connection() as connection:
            names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "TimeZone")
            rows = [await (await connection.execute(f"SHOW {name}")).fetchone() for name in names]
            return [row[0] for row in rows]

    assert asyncio.run(ask()) == ["10s", "2s", "15s", "UTC"]


def test_a_connection_of_its_own_has_the_bounds_of_a_pool(database: Database) -> None:
    async def ask() -> tuple[str, dict[str, str]]:
        async with await open_connection(database.app_dsn, "tests") as connection:
            row = await (await connection.execute("SHOW lock_timeout")).fetchone()
            return row[0], connection.info.get_parameters()

    lock_timeout, given = asyncio.run(ask())
    assert lock_timeout == "2s"
    assert (given["application_name"], given["connect_timeout"], given["tcp_user_timeout"]) == ("tests", "2", "5000")


def test_a_long_statement_is_cancelled(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep() -> None:
        async with open_pool(database.app_dsn, max_size=1) as pool, pool.connection() as connection:
            await connection.execute("SELECT pg_sleep(5)")

    monkeypatch.setattr("database.connect.Limits", partial(Limits, statement_ms=50))
    with pytest.raises(psycopg.errors.QueryCanceled):
        asyncio.run(sleep())


def test_a_pool_full_of_dead_connections_heals_at_once_after_a_restart(own_server: EmbeddedServer) -> None:
    async def survive() -> float:
        async with open_pool(own_server.dsn("app"), max_size=8, min_size=8, autocommit=True) as pool:
            await pool.wait()
            await kill_and_await_restart(own_server)
            began = time.monotonic()
            await asyncio.gather(*(ask(pool) for _ in range(8)))
            return time.monotonic() - began

    assert asyncio.run(survive()) < 5.0


def test_a_pool_opened_during_an_outage_heals_within_ten_seconds(home: Path) -> None:
    async def survive() -> float:
        with embedded(home) as server:
            dsn = server.dsn("app")
        async with open_pool(dsn, max_size=4) as pool:
            for _ in range(3):
                with pytest.raises(DatabaseUnavailable):
                    await ask(pool)
            with embedded(home):
                began = time.monotonic()
                await ask_until_answered(pool)
                return time.monotonic() - began

    assert asyncio.run(survive()) < 10.0


def test_the_embedded_server_is_found_while_it_runs(own_server: EmbeddedServer, home: Path) -> None:
    settings = Settings(escrow_home=home, database_url=None)
    assert resolve_dsn(settings, "auditor") == own_server.dsn("auditor")
    own_server.stop()
    with pytest.raises(ServerNotRunning):
        resolve_dsn(settings, "auditor")


async def ask(pool) -> None:
    async with pool.connection() as connection:
        await connection.execute("SELECT 1")


async def ask_until_answered(pool) -> None:
    while True:
        try:
            return await ask(pool)
        except DatabaseUnavailable:
            continue


async def kill_and_await_restart(server: EmbeddedServer) -> None:
    pid_file = read_facts(server.home).embedded.root / "data" / "postmaster.pid"
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
    await asyncio.sleep(0.2)
    while True:
        try:
            psycopg.connect(server.dsn("app")).close()
        except psycopg.OperationalError:
            await asyncio.sleep(0.05)
        else:
            return


def test_whoever_is_to_end_ends_although_a_connection_comes_in_the_same_moment(database: Database) -> None:
    """Otherwise a work that is cancelled goes on, and the whole worker waits for its end for ever."""

    async def work(pool: Pool) -> None:
        async with pool.connection():
            await asyncio.sleep(3600)

    async def end_after(pauses: int, pool: Pool) -> bool:
        async with pool.connection():
            working = asyncio.create_task(work(pool))
            while not pool.get_stats()["requests_waiting"]:
                await asyncio.sleep(0)
        for _ in range(pauses):
            await asyncio.sleep(0)
        working.cancel()
        await asyncio.wait([working], timeout=5)
        return working.cancelled()

    async def story() -> list[bool]:
        async with open_pool(database.app_dsn, max_size=1) as pool:
            return [await end_after(pauses, pool) for pauses in range(6)]

    assert asyncio.run(story()) == [True] * 6
