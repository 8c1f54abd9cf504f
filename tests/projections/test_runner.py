"""The live runner: one at a time, from where the last one was, and stopped by nothing but an event it cannot fold."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import psycopg
import pytest

from database.connect import open_pool
from projections import runner
from projections.alert import list_alerts
from projections.catch_up import Folding, catch_up_together
from projections.checkpoint import Fenced, take_over
from projections.install import install
from projections.registry import PROJECTIONS
from projections.runner import Runner, run_projections
from tests.projections.conftest import Log
from tests.projections.poison import POISON
from tests.projections.stories import Story, append
from tests.waiting import wait_until

pytestmark = pytest.mark.anyio

NAMES = [projection.name for projection in PROJECTIONS]
UNKNOWN, HARMLESS = "transaction.never_heard_of.v1", "configuration.started.v1"
OPEN = "SELECT count(*) FROM projection_failures WHERE resolved_at IS NULL"


@asynccontextmanager
async def running(log: Log) -> AsyncGenerator[None]:
    task = asyncio.create_task(run_projections(log.database.app_dsn))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextmanager
def thread(worker: Runner) -> Generator[None]:
    running = threading.Thread(target=worker.run)
    running.start()
    try:
        yield
    finally:
        worker.stop()
        running.join()


def positions(log: Log) -> set[object]:
    return {row[0] for row in log.rows("SELECT position FROM projection_checkpoints")}


async def test_what_is_appended_is_folded_while_the_runner_runs(log: Log) -> None:
    story = Story()
    async with running(log):
        for _ in range(3):
            story.sell()
            head = append(log.owner, story.events)
            story.events.clear()
            await asyncio.to_thread(wait_until, lambda: positions(log) == {head})  # noqa: B023
        assert log.rows("SELECT count(*) FROM transactions WHERE state = 'completed'") == [(3,)]


async def test_a_second_runner_stands_by_and_takes_over(log: Log) -> None:
    story = Story()
    first, second = Runner(log.database.app_dsn), Runner(log.database.app_dsn)
    with thread(second):
        with thread(first):
            story.sell()
            head = append(log.owner, story.events)
            wait_until(lambda: positions(log) == {head})
        story.events.clear()
        story.sell()
        head = append(log.owner, story.events)
        wait_until(lambda: positions(log) == {head})
    assert log.rows("SELECT count(*) FROM transactions") == [(2,)]


def test_a_notification_wakes_the_runner_long_before_it_would_look(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story()
    with thread(Runner(log.database.app_dsn)):
        story.sell()
        head = append(log.owner, story.events)
        wait_until(lambda: positions(log) == {head})
        monkeypatch.setattr(runner, "POLL_SECONDS", 30.0)
        time.sleep(0.6)
        story.events.clear()
        story.sell()
        head = append(log.owner, story.events)
        wait_until(lambda: positions(log) == {head})
        monkeypatch.undo()
        log.owner.execute("NOTIFY escrow_events")
        log.owner.commit()


def test_a_lost_notification_costs_a_moment_only(log: Log) -> None:
    story = Story()
    with thread(Runner(log.database.app_dsn)):
        for _ in range(2):
            story.sell()
            head = append(log.owner, story.events, says=False)
            story.events.clear()
            wait_until(lambda: positions(log) == {head})  # noqa: B023


def test_a_stale_runner_cannot_write(log: Log) -> None:
    story = Story()
    story.sell()
    head = append(log.owner, story.events)
    log.app.autocommit = True
    with psycopg.connect(log.database.app_dsn, autocommit=True) as newer:
        stale = Folding(log.app, PROJECTIONS, fences=take_over(log.app, NAMES))
        assert stale.step(head, 5) == 5
        current = Folding(newer, PROJECTIONS, fences=take_over(newer, NAMES))
        with pytest.raises(Fenced):
            stale.step(head, 5)
        assert current.step(head, 5) == 10
        assert positions(log) == {10}


def test_two_who_write_at_once_apply_nothing_twice(log: Log) -> None:
    """Without fences, as a rebuild that was started twice: the row lock of the checkpoint orders them."""
    story = Story()
    for _ in range(20):
        story.sell()
    head = append(log.owner, story.events)

    def fold() -> None:
        with psycopg.connect(log.database.app_dsn, autocommit=True) as connection:
            folding = Folding(connection, PROJECTIONS)
            while folding.step(head, 7) < head:
                pass

    threads = [threading.Thread(target=fold) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert positions(log) == {head}
    assert log.rows("SELECT count(*) FROM transactions WHERE state = 'completed'") == [(20,)]
    counted = log.rows("SELECT sum(entries) FROM ledger_accounts")
    assert counted == log.rows("SELECT count(*) FROM ledger_entries")


def test_a_lost_connection_is_made_anew(log: Log) -> None:
    story = Story()
    with thread(Runner(log.database.app_dsn)), psycopg.connect(log.database.superuser_dsn, autocommit=True) as root:
        for sales in (1, 2, 3):
            story.sell()
            head = append(log.owner, story.events)
            story.events.clear()
            wait_until(lambda: positions(log) == {head})  # noqa: B023
            killed = root.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'escrow projections'"
                " AND datname = current_database()"
            ).fetchall()
            assert killed == [(True,)]
            assert log.rows("SELECT count(*) FROM transactions") == [(sales,)]


@pytest.mark.parametrize(
    ("topic", "state", "stopped"),
    [
        ("transaction.never_heard_of.v1", b"{}", set(NAMES)),
        ("listing.drafted.v1", b"{not json", {"listings"}),
        ("transaction.payout_requested.v1", b"{}", {"transactions", "payouts", "ledger"}),
        ("user.role_granted.v1", b"[]", {"admin_actions", "alerts"}),
    ],
)
async def test_a_poisoned_event_stops_those_that_read_it_and_nobody_else(
    log: Log, topic: str, state: bytes, stopped: set[str]
) -> None:
    story = Story()
    story.sell()
    poisoned = append(log.owner, story.events) + 1
    story.events.clear()
    log.owner.execute(POISON, (topic, state))
    log.owner.commit()
    story.sell()
    head = append(log.owner, story.events)
    with thread(Runner(log.database.app_dsn)):
        wait_until(
            lambda: log.rows("SELECT count(*) FROM projection_checkpoints WHERE error IS NOT NULL") == [(len(stopped),)]
        )
        wait_until(lambda: positions(log) == {poisoned - 1} | ({head} if stopped != set(NAMES) else set()))
        found = log.rows("SELECT name, position, error_position FROM projection_checkpoints WHERE error IS NOT NULL")
        assert set(found) == {(name, poisoned - 1, poisoned) for name in stopped}
    async with open_pool(log.database.app_dsn, max_size=2) as pool:
        alerts = await list_alerts(pool, kind="projection_stopped")
    assert {(alert.subject, alert.position, alert.severity) for alert in alerts} == {
        (name, poisoned, "P0") for name in stopped
    }


def test_a_file_that_is_gone_stops_the_read_model_whose_it_is_and_nobody_else(log: Log) -> None:
    story = Story()
    story.sell()
    before = append(log.owner, story.events)
    catch_up_together(log.app, PROJECTIONS)
    story.events.clear()
    story.sell()
    head = append(log.owner, story.events)
    with psycopg.connect(log.database.superuser_dsn) as root:
        root.execute("UPDATE pg_class SET relfilenode = 1 WHERE oid = 'contracts'::regclass")
    with thread(Runner(log.database.app_dsn)):
        wait_until(lambda: log.rows(OPEN) == [(1,)])
        wait_until(lambda: positions(log) >= {head})
    ((name, position, error),) = log.rows("SELECT name, position, error FROM projection_failures")
    assert name == "contracts"
    assert before < int(str(position)) <= head
    assert "UndefinedFile" in str(error)


async def test_a_mended_log_lets_the_projection_go_on(log: Log) -> None:
    poisoned = stop_all(log)
    change_topic(log, poisoned, HARMLESS)
    with thread(Runner(log.database.app_dsn)):
        wait_until(lambda: positions(log) == {poisoned})
        wait_until(lambda: log.rows(OPEN) == [(0,)])
    assert log.rows("SELECT count(*) FROM projection_checkpoints WHERE error IS NOT NULL") == [(0,)]
    async with open_pool(log.database.app_dsn, max_size=1) as pool:
        alerts = await list_alerts(pool, kind="projection_stopped")
    assert {alert.detail for alert in alerts} == {f"it goes on since; it was UnknownTopic: {UNKNOWN}"}


def test_whoever_folds_past_the_event_ends_the_stop_with_the_same_commit(log: Log) -> None:
    """A runner that is killed right after its commit leaves no stop behind that is over."""
    poisoned = stop_all(log)
    change_topic(log, poisoned, HARMLESS)
    assert catch_up_together(log.app, PROJECTIONS) == poisoned
    assert log.rows(OPEN) == [(0,)]


def test_a_step_that_ends_before_the_event_ends_no_stop(log: Log) -> None:
    poisoned = stop_all(log)
    start_anew(log)
    assert catch_up_together(log.app, PROJECTIONS, upto=poisoned - 1) == poisoned - 1
    assert log.rows(OPEN) == [(len(NAMES),)]


def test_a_stop_at_the_same_event_after_it_was_over_is_told_again(log: Log) -> None:
    poisoned = stop_all(log)
    change_topic(log, poisoned, HARMLESS)
    start_anew(log)
    catch_up_together(log.app, PROJECTIONS)
    change_topic(log, poisoned, UNKNOWN)
    start_anew(log)
    with thread(Runner(log.database.app_dsn)):
        wait_until(lambda: log.rows(OPEN) == [(len(NAMES),)])
    assert log.rows("SELECT count(*) FROM projection_failures WHERE resolved_at IS NOT NULL") == [(len(NAMES),)]


def stop_all(log: Log) -> int:
    """Let every projection stop at an event that nobody knows; return its position."""
    story = Story()
    story.sell()
    poisoned = append(log.owner, story.events) + 1
    log.owner.execute(POISON, (UNKNOWN, b"{}"))
    log.owner.commit()
    with thread(Runner(log.database.app_dsn)):
        wait_until(lambda: log.rows(OPEN) == [(len(NAMES),)])
    return poisoned


def change_topic(log: Log, position: int, topic: str) -> None:
    with psycopg.connect(log.database.superuser_dsn) as root:
        root.execute("ALTER TABLE escrow_events DISABLE TRIGGER USER")
        root.execute("UPDATE escrow_events SET topic = %s WHERE notification_id = %s", (topic, position))


def start_anew(log: Log) -> None:
    """As `escrow migrate` does with a new version: empty tables, and checkpoints that know of nothing."""
    log.owner.execute("UPDATE projection_checkpoints SET version = 0")
    log.owner.commit()
    assert sorted(install(log.database.owner_dsn)) == sorted(NAMES)
