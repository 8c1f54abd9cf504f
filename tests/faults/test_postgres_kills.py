"""PostgreSQL is killed in every way while clients work: nothing acknowledged is lost, nothing happens twice."""

import asyncio
import os
import signal
from pathlib import Path

import psycopg
import pytest

from database.postgres import EmbeddedServer
from tests.database.postmaster import find_postmaster
from tests.eventstore.running import in_loop, running
from tests.faults.journal import Journal
from tests.faults.purses import Clients, run_checker
from tests.waiting import until

CLIENTS = 8
VICTIMS = ("backend", "walwriter", "checkpointer", "postmaster")
HEAL_SECONDS = 30.0
BETWEEN_SECONDS = 0.3
APPENDER = "SELECT pid FROM pg_stat_activity WHERE application_name = 'escrow appender'"
PROCESS = "SELECT pid FROM pg_stat_activity WHERE backend_type = %s"


@pytest.mark.guarantee(
    "G4",
    "G5",
    "G6",
    faults="kill -9 of backend, WAL writer, checkpointer and postmaster, under 8 clients",
    runs="4 kills",
)
@in_loop
async def test_no_kill_of_postgresql_loses_an_acknowledged_command(victim: EmbeddedServer, tmp_path: Path) -> None:
    await kill_under_load(victim, tmp_path / "journal", VICTIMS)


@pytest.mark.guarantee("G4", "G5", "G6", faults="the same", runs="120 kills")
@pytest.mark.soak
@in_loop
async def test_no_kill_of_postgresql_loses_an_acknowledged_command_120_times(
    victim: EmbeddedServer, tmp_path: Path
) -> None:
    await kill_under_load(victim, tmp_path / "journal", VICTIMS * 30)


async def kill_under_load(server: EmbeddedServer, path: Path, victims: tuple[str, ...]) -> None:
    with Journal(path) as journal:
        async with running(server.dsn("app")) as run:
            clients = Clients([run.escrow], journal)
            await clients.open()
            working = asyncio.create_task(clients.run(CLIENTS))
            for victim in victims:
                await asyncio.sleep(BETWEEN_SECONDS)
                os.kill(find_victim(server, victim), signal.SIGKILL)
                await healed(journal, working)
            clients.stopping.set()
            await working
    assert run_checker(path, server.dsn("app")) == []


async def healed(journal: Journal, working: asyncio.Task[None]) -> None:
    """Clients are served again, without anybody having restarted anything."""
    enough = journal.acked + 3 * CLIENTS
    await until(lambda: working.done() or journal.acked >= enough, seconds=HEAL_SECONDS)
    assert not working.done(), working.exception()


def find_victim(server: EmbeddedServer, name: str) -> int:
    """Its process id; the appender's backend is the one that may be in the middle of a commit."""
    if name == "postmaster":
        return find_postmaster(server)
    with psycopg.connect(server.superuser_dsn("escrow")) as connection:
        row = connection.execute(APPENDER if name == "backend" else PROCESS, None if name == "backend" else [name])
        return row.fetchone()[0]
