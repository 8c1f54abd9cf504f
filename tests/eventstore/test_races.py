"""Many writers at once: no gap, no duplicate, no lost acknowledgement, no late position; and the checker can fail."""

import asyncio
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from eventstore.appender import Appender, Waiting
from eventstore.proposal import Outcome, Verdict
from tests.eventstore.checker import Poller, find_faults
from tests.eventstore.running import connect, in_loop, new_id, proposal, request, running
from tests.eventstore.toys import OpenPurse, Purse, PutIn

WRITERS = 64


@in_loop
async def test_64_writers_on_one_stream_leave_no_gap_and_lose_nothing(database):
    async with running(database.app_dsn) as one, running(database.app_dsn) as other:
        stream = new_id()
        await one.escrow.execute(stream, OpenPurse(), request())

        async def write(at):
            for _ in range(4):
                await at.escrow.execute(stream, PutIn(amount_minor=1), request())

        await asyncio.gather(*(write(one) for _ in range(WRITERS)))
        assert (await other.escrow.get(Purse, stream)).held_minor == 4 * WRITERS
    with connect(database.app_dsn) as connection:
        assert find_faults(connection, ()) == []


@in_loop
async def test_64_writers_on_many_streams_in_two_processes_lose_nothing(database):
    acknowledged, refused = [], []
    async with Appender(database.app_dsn) as one, Appender(database.app_dsn) as other:
        streams = {new_id(): 0 for _ in range(WRITERS // 2)}

        async def write(appender, stream, name):
            for n in range(10):
                state = f"{name} {n}".encode()
                version = streams[stream] + 1
                outcome = await appender.append(proposal(stream, version, state=state))
                (acknowledged if outcome.verdict is Verdict.STORED else refused).append(state)
                streams[stream] = max(streams[stream], version)

        pairs = [(appender, stream) for stream in streams for appender in (one, other)]
        await asyncio.gather(*(write(*pair, name) for name, pair in enumerate(pairs)))
    with connect(database.app_dsn) as connection:
        assert find_faults(connection, acknowledged, refused) == []
    assert len(acknowledged) >= 10 * len(streams) / 2
    assert refused, "the writers never met"


@pytest.mark.guarantee("G9", faults="16 writers in two processes, a poller", runs="2,880 events")
@in_loop
async def test_positions_become_visible_in_order(database):
    """A reader that has seen n has seen all before it: followers may go on from the last one they saw."""
    poller, done = Poller(), threading.Event()

    def poll():
        with connect(database.auditor_dsn) as connection:
            while not done.is_set():
                poller.poll(connection)

    thread = threading.Thread(target=poll)
    thread.start()

    async def write(appender):
        for _ in range(60):
            await appender.append(proposal(count=3))

    async with Appender(database.app_dsn) as one, Appender(database.app_dsn) as other:
        await asyncio.gather(*(write(appender) for appender in (one, other) * 8))
    done.set()
    thread.join()
    with connect(database.auditor_dsn) as connection:
        poller.poll(connection)
        assert poller.find_late(connection) == []
        assert len(poller.seen) == 60 * 16 * 3


@pytest.mark.guarantee("G9", planted="the event library with its database functions on, which take no lock")
def test_planted_late_positions_of_the_stock_library_are_found(bare_database):
    """With its database functions on the library takes no lock: a reader then misses events, and the poller tells."""
    parts = conninfo_to_dict(bare_database.owner_dsn)
    datastore = PostgresDatastore(
        dbname=parts["dbname"],
        host=parts["host"],
        port=parts["port"],
        user=parts["user"],
        password=parts["password"],
        pool_size=10,
        enable_db_functions=True,
    )
    recorder = PostgresApplicationRecorder(datastore, events_table_name="stock_events")
    recorder.create_table()
    poller = Poller("SELECT notification_id FROM stock_events WHERE notification_id > %s ORDER BY 1")
    late, done = [], threading.Event()

    def poll():
        with connect(bare_database.owner_dsn) as connection:
            while not done.is_set():
                poller.poll(connection)

    def write(_):
        for _ in range(100):
            stream = uuid.uuid4()
            recorder.insert_events([StoredEvent(stream, n, "t", b"x" * 500) for n in range(4)])

    thread = threading.Thread(target=poll)
    thread.start()
    with connect(bare_database.owner_dsn) as connection, ThreadPoolExecutor(8) as writers:
        for _ in range(10):
            list(writers.map(write, range(8)))
            if late := poller.find_late(connection):
                break
    done.set()
    thread.join()
    datastore.close()
    assert late, "the poller cannot find late positions, so it proves nothing of ours either"


def replant(database, old, new):
    """Replace a part of the append function, which a patch of the product would."""
    with connect(database.owner_dsn) as owner:
        query = "SELECT pg_get_functiondef('public.append_events'::regproc)"
        source = owner.execute(query).fetchone()[0]
        assert old in source
        owner.execute(source.replace(old, new))


@in_loop
async def race_on_one_stream(database):
    acknowledged = []
    async with Appender(database.app_dsn) as one, Appender(database.app_dsn) as other:
        stream = new_id()

        async def write(appender, name):
            for n in range(10):
                state = f"{name} {n}".encode()
                outcome = await appender.append(proposal(stream, n + 1, state=state))
                if outcome.verdict is Verdict.STORED:
                    acknowledged.append(state)

        await asyncio.gather(*(write(appender, name) for name, appender in enumerate((one, other) * 4)))
    with connect(database.app_dsn) as connection:
        return find_faults(connection, acknowledged)


@pytest.mark.guarantee("G6", planted="the append checks no version")
def test_planted_append_without_version_check_is_found(database):
    assert race_on_one_stream(database) == []
    with connect(database.owner_dsn) as owner:
        owner.execute("ALTER TABLE escrow_events DROP CONSTRAINT escrow_events_version")
    replant(database, "HAVING bool_and(", "HAVING TRUE OR bool_and(")
    replant(database, "IF contested THEN", "IF FALSE THEN")
    assert any("goes from" in fault for fault in race_on_one_stream(database))


def test_the_unique_constraint_stands_behind_the_version_check(database):
    replant(database, "HAVING bool_and(", "HAVING TRUE OR bool_and(")
    replant(database, "IF contested THEN", "IF FALSE THEN")
    assert race_on_one_stream(database) == []


@in_loop
async def send_twice(database):
    async with Appender(database.app_dsn) as appender:
        acknowledged = []
        for n in range(20):
            state = f"command {n}".encode()
            for _ in range(2):
                await appender.append(proposal(key=n, state=state))
            acknowledged.append(state)
    with connect(database.app_dsn) as connection:
        return find_faults(connection, acknowledged)


@pytest.mark.guarantee("G5", planted="the table of commands forgets")
def test_planted_idempotency_that_forgets_is_found(database):
    assert send_twice(database) == []
    with connect(database.owner_dsn) as owner:
        owner.execute("ALTER TABLE idempotency DROP CONSTRAINT idempotency_command")
    replant(database, "WHERE c.command_id NOT IN", "WHERE TRUE OR c.command_id NOT IN")
    assert any("times" in fault for fault in send_twice(database))


def test_planted_holes_in_the_positions_are_found(database):
    replant(database, "SELECT e.notification_id, greatest", "SELECT e.notification_id + 1, greatest")
    assert "positions have gaps or duplicates" in race_on_one_stream(database)


def test_planted_acknowledgement_before_the_commit_is_found(database, monkeypatch):
    def hasty(proposal, loop):
        waiting = Waiting(proposal, loop)
        waiting.future.set_result(Outcome(Verdict.STORED, 1, 1, None, None))
        return waiting

    monkeypatch.setattr("eventstore.appender.Waiting", hasty)
    assert any("is lost" in fault for fault in race_on_one_stream(database))


@pytest.mark.parametrize("refused", [[b"ghost"]])
def test_the_checker_finds_ghosts(database, refused):
    @in_loop
    async def write():
        async with Appender(database.app_dsn) as appender:
            await appender.append(proposal(state=b"ghost"))

    write()
    with connect(database.app_dsn) as connection:
        assert find_faults(connection, (), refused) == ["b'ghost' was refused and is there"]
