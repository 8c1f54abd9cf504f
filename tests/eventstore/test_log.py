"""Reading the log: nothing twice, nothing missed, whatever happens to the connection."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from database.connect import open_pool
from eventstore import log
from eventstore.log import MissingPosition, follow, get_head, get_position_at, read_after, read_stream, scan
from eventstore.transcoder import Undecodable
from tests.eventstore.running import SQL, append, connect, in_loop, proposal, running
from tests.waiting import PATIENCE_SECONDS, until


def fill(database, count, batch=100, **facts):
    with connect(database.app_dsn) as connection:
        for _ in range(count // batch):
            append(connection, *[proposal(**facts) for _ in range(batch)])


@in_loop
async def test_pages_come_in_order_and_only_of_the_topics_asked_for(database):
    fill(database, 10, 5)
    fill(database, 5, 5, topic="other")
    async with open_pool(database.auditor_dsn, max_size=2) as pool:
        assert await get_head(pool) == 15
        assert [event.position for event in await read_after(pool, 3, 4)] == [4, 5, 6, 7]
        assert [event.position for event in await read_after(pool, 0, 3, ["other"])] == [11, 12, 13]
        assert [event.position for event in await read_after(pool, 0, 99, until=2)] == [1, 2]
        assert await read_after(pool, 15) == []
        assert await read_stream(pool, uuid.uuid4()) == []


@in_loop
async def test_an_empty_log_has_no_head(database):
    async with open_pool(database.auditor_dsn, max_size=1) as pool:
        assert await get_head(pool) == 0
        assert [page async for page in scan(pool)] == []
        assert await get_position_at(pool, datetime.now(UTC)) == 0


@in_loop
async def test_a_moment_is_a_position(database):
    fill(database, 5, 5)
    async with open_pool(database.auditor_dsn, max_size=1) as pool:
        between = datetime.now(UTC)
        fill(database, 5, 5)
        assert await get_position_at(pool, between) == 5
        assert await get_position_at(pool, between + timedelta(hours=1)) == 10


@in_loop
async def test_every_moment_has_the_position_that_a_whole_scan_finds(database):
    for count in (1, 3, 7, 1, 20, 2, 10):
        fill(database, count, count)
    with connect(database.auditor_dsn) as connection:
        log = connection.execute("SELECT notification_id, recorded_at FROM escrow_events").fetchall()
    tick = timedelta(microseconds=1)
    moments = {at + step for _, at in log for step in (-tick, 0 * tick, tick)}
    assert len(moments) > 7
    async with open_pool(database.auditor_dsn, max_size=1) as pool:
        for moment in moments:
            assert await get_position_at(pool, moment) == max((place for place, at in log if at <= moment), default=0)


@in_loop
async def test_a_moment_is_found_around_what_was_cut_out(database):
    fill(database, 20, 1)
    with connect(database.superuser_dsn) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM escrow_events WHERE notification_id IN (1, 10, 11)")
        at = connection.execute("SELECT recorded_at FROM escrow_events WHERE notification_id = 15").fetchone()[0]
    async with open_pool(database.auditor_dsn, max_size=1) as pool:
        assert await get_position_at(pool, at) == 15
        assert await get_position_at(pool, datetime.now(UTC)) == 20


def test_a_moment_is_found_without_reading_the_log(database):
    with connect(database.app_dsn) as connection:
        for _ in range(40):
            append(connection, proposal(count=500))
        at = connection.execute("SELECT recorded_at FROM escrow_events WHERE notification_id = 7000").fetchone()[0]
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {SQL.get_position_at}"
        plan = connection.execute(explain, {"at": at}).fetchone()[0][0]["Plan"]
    reads = [node for node in nodes_of(plan) if node.get("Relation Name") == "escrow_events"]
    assert {node["Node Type"] for node in reads} <= {"Index Scan", "Index Only Scan"}, reads
    assert 10 < sum(read_by(node) for node in reads) < 20


def read_by(node):
    return (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]


def nodes_of(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes_of(child)


@in_loop
async def test_what_cannot_be_decoded_is_named_when_it_is_asked_for(database):
    fill(database, 1, 1, state=b"{")
    fill(database, 1, 1, topic="nobody.knows.v1")
    async with open_pool(database.auditor_dsn, max_size=1) as pool:
        broken, unknown = await read_after(pool, 0)
    with pytest.raises(Undecodable) as caught:
        _ = broken.data
    assert caught.value.facts["position"] == 1
    assert unknown.data == {}
    with pytest.raises(Undecodable) as caught:
        _ = unknown.event
    assert (caught.value.facts["position"], caught.value.facts["topic"]) == (2, "nobody.knows.v1")
    assert repr(broken).startswith("RecordedEvent(1, toy.any.v1")


@in_loop
async def test_a_scan_reads_everything_in_bounded_pages(database, monkeypatch):
    fill(database, 2_500)
    monkeypatch.setattr(log, "PAGE", 1000)
    async with open_pool(database.auditor_dsn, max_size=2) as pool:
        pages = [page async for page in scan(pool)]
        assert [len(page) for page in pages] == [1000, 1000, 500]
        assert [event.position for page in pages for event in page] == list(range(1, 2_501))
        assert [len(page) async for page in scan(pool, after=2_490)] == [10]
        async for page in scan(pool):
            assert len(page) == 1000
            break


@in_loop
@pytest.mark.parametrize("page", [3, 5_000])
async def test_a_hole_is_evidence_and_stops_every_reader(database, monkeypatch, page):
    monkeypatch.setattr(log, "PAGE", page)
    fill(database, 10, 10)
    with connect(database.superuser_dsn) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("DELETE FROM escrow_events WHERE notification_id = 4")
    async with open_pool(database.auditor_dsn, max_size=2) as pool:
        for reader in (scan(pool), follow(pool, 0)):
            with pytest.raises(MissingPosition) as caught:
                _ = [page async for page in reader]
            assert caught.value.facts == {"position": 4}
            await reader.aclose()


async def collect(events, count):
    """Positions as they come, until `count` of them have."""
    positions = []
    async for batch in events:
        positions += [event.position for event in batch]
        if len(positions) >= count:
            await events.aclose()
            break
    return positions


@in_loop
async def test_a_follower_is_woken_by_each_append(database, monkeypatch):
    monkeypatch.setattr(log, "POLL_SECONDS", 60)
    async with running(database.app_dsn) as at:
        following = asyncio.create_task(collect(follow(at.pool), 50))
        await asyncio.sleep(0.3)
        for _ in range(50):
            await at.appender.append(proposal())
        assert await asyncio.wait_for(following, PATIENCE_SECONDS) == list(range(1, 51))


@in_loop
async def test_a_follower_polls_when_notifications_are_lost(database, monkeypatch):
    monkeypatch.setattr(log, "POLL_SECONDS", 0.1)
    with connect(database.owner_dsn) as owner:
        owner.execute("ALTER FUNCTION append_events RENAME TO renamed")
        source = owner.execute("SELECT pg_get_functiondef('renamed'::regproc)").fetchone()[0]
        owner.execute(source.replace("renamed", "append_events").replace("NOTIFY escrow_events;", ""))
        owner.execute("GRANT EXECUTE ON FUNCTION append_events TO escrow_app")
    async with running(database.app_dsn) as at:
        following = asyncio.create_task(collect(follow(at.pool), 5))
        for _ in range(5):
            await at.appender.append(proposal())
            await asyncio.sleep(0.05)
        assert await asyncio.wait_for(following, PATIENCE_SECONDS) == [1, 2, 3, 4, 5]


@in_loop
async def test_a_follower_of_some_topics_gets_all_of_those(database):
    async with running(database.app_dsn) as at:
        following = asyncio.create_task(collect(follow(at.pool, 0, topics=["wanted"]), 20))
        for n in range(40):
            await at.appender.append(proposal(topic="wanted" if n % 2 else "other"))
        assert await asyncio.wait_for(following, PATIENCE_SECONDS) == list(range(2, 41, 2))


@in_loop
async def test_a_follower_resumes_where_it_was_cut_off(database, monkeypatch):
    monkeypatch.setattr(log, "PAGE", 7)
    async with running(database.app_dsn) as at:
        following = asyncio.create_task(collect(follow(at.pool, 10), 290))
        for n in range(300):
            await at.appender.append(proposal())
            if n % 60 == 30:
                with connect(database.superuser_dsn) as admin:
                    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    admin.execute(
                        query + " WHERE application_name = 'escrow follower' AND datname = current_database()"
                    )
        assert await asyncio.wait_for(following, 20) == list(range(11, 301))


@in_loop
async def test_a_follower_that_is_refused_says_so_once_and_goes_on_when_it_is_let_in(database):
    """A wrong password heals as little by itself as a typing error; in silence nobody would look for it."""
    async with running(database.app_dsn) as at:
        await at.appender.append(proposal())
        with capture_logs() as logs, connect(database.superuser_dsn) as admin:
            admin.autocommit = True
            admin.execute("UPDATE pg_database SET datallowconn = FALSE WHERE datname = current_database()")
            following = asyncio.create_task(collect(follow(at.pool), 1))
            await until(lambda: logs)
            await asyncio.sleep(2 * log.PAUSE_SECONDS)
            admin.execute("UPDATE pg_database SET datallowconn = TRUE WHERE datname = current_database()")
            assert await asyncio.wait_for(following, PATIENCE_SECONDS) == [1]
    (said,) = [entry for entry in logs if entry["event"] == "log_not_followed"]
    assert (said["log_level"], said["after"]) == ("warning", 0)
    assert "not currently accepting connections" in said["error"]
