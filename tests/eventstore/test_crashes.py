"""kill -9 under load: what was acknowledged is in the log, and what was retried is there once."""

import asyncio
import os
import random
import signal

import psycopg
import pytest

from database.errors import DatabaseUnavailable
from domain.errors import Overloaded
from eventstore.appender import Appender
from eventstore.proposal import OutcomeUnknown, Verdict
from tests.eventstore.checker import find_faults
from tests.eventstore.running import connect, in_loop, migrated, new_id, proposal
from tests.waiting import until, wait_until

CLIENTS = 8
VICTIMS = """
SELECT pid FROM pg_stat_activity
WHERE application_name = 'escrow appender' OR backend_type IN ('walwriter', 'checkpointer', 'background writer')
"""


class Load:
    """Clients that append until they are told to stop, each with the same key until it has an answer."""

    def __init__(self, appender: Appender) -> None:
        self.appender = appender
        self.acknowledged: list[bytes] = []
        self.unknown = 0
        self.stopped = False

    async def run(self, client: int) -> None:
        stream, version, number = new_id(), 1, 0
        while not self.stopped:
            number += 1
            state = f"client {client} command {number}".encode()
            verdict = await self._insist(proposal(stream, version, key=state, state=state))
            assert verdict in {Verdict.STORED, Verdict.REPLAYED}
            self.acknowledged.append(state)
            stream, version = (new_id(), 1) if version == 5 else (stream, version + 1)

    async def _insist(self, wanted) -> Verdict:
        while True:
            try:
                return (await self.appender.append(wanted)).verdict
            except (OutcomeUnknown, DatabaseUnavailable, Overloaded):
                self.unknown += 1
                await asyncio.sleep(0.05)


def reach(server) -> psycopg.Connection | None:
    """A connection to a server that may not have noticed yet what was killed before, or recover from it."""
    try:
        return connect(server.superuser_dsn())
    except psycopg.OperationalError:
        return None


def reach_in_time(server) -> psycopg.Connection:
    connection = wait_until(lambda: reach(server), seconds=60)
    assert connection is not None
    return connection


def kill_a_process(server) -> None:
    with reach_in_time(server) as admin:
        os.kill(random.choice(admin.execute(VICTIMS).fetchall())[0], signal.SIGKILL)


def kill_the_server(server) -> None:
    with reach_in_time(server) as admin:
        data_dir = admin.execute("SHOW data_directory").fetchone()[0]
    with open(f"{data_dir}/postmaster.pid") as file:  # noqa: PTH123
        os.kill(int(file.readline()), signal.SIGKILL)


@in_loop
async def crash(server, cycles):
    """Kill something `cycles` times while clients append; return the load."""
    async with Appender(migrated(server), patience_seconds=1.0) as appender:
        load = Load(appender)
        clients = [asyncio.create_task(load.run(client)) for client in range(CLIENTS)]
        for cycle in range(cycles):
            before = len(load.acknowledged)
            await until(lambda before=before: len(load.acknowledged) > before + 50, seconds=60)
            await asyncio.sleep(random.random() * 0.05)
            await asyncio.to_thread(kill_a_process if cycle % 3 else kill_the_server, server)
            (await asyncio.to_thread(reach_in_time, server)).close()
        load.stopped = True
        await asyncio.gather(*clients)
    return load


def check(server, cycles):
    load = crash(server, cycles)
    with connect(server.dsn("auditor")) as connection:
        assert find_faults(connection, load.acknowledged) == []
        count = connection.execute("SELECT count(*) FROM escrow_events").fetchone()[0]
    assert count == len(load.acknowledged) > 50 * cycles


@pytest.mark.guarantee(
    "G4", faults="kill -9 of a random process of PostgreSQL, or of the whole server", runs="12 kills"
)
def test_kills_of_backends_and_the_server_lose_nothing_acknowledged(own_server):
    check(own_server, 12)


@pytest.mark.guarantee("G4", faults="the same", runs="120 kills")
@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_many_kills_lose_nothing_acknowledged(own_server):
    check(own_server, 120)


@pytest.mark.guarantee("G4", planted="the newest events are gone, as after a power cut without fsync")
def test_a_lost_tail_is_found_by_the_checker(own_server):
    """The control: what a server without fsync forgets in a power cut, this test takes away."""
    load = crash(own_server, 1)
    with connect(own_server.superuser_dsn("escrow")) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute(
            "DELETE FROM escrow_events WHERE notification_id > (SELECT max(notification_id) - 3 FROM escrow_events)"
        )
        assert sum("is lost" in fault for fault in find_faults(admin, load.acknowledged)) == 3
