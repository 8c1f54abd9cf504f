"""The live tables equal what the log folds to from zero, whenever one looks, whoever folded, wherever it was killed."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import IsolationLevel

from eventstore.log import RecordedEvent
from projections import catch_up
from projections.catch_up import Folding, ProjectionStopped, catch_up_together
from projections.install import install_tables
from projections.ledger import LEDGER
from projections.projection import Projection
from projections.registry import PROJECTIONS
from projections.rows import Rows
from projections.runner import Runner
from tests.conftest import Database
from tests.projections.comparing import digest_tables, fold_from_zero
from tests.projections.conftest import Log
from tests.projections.stories import append
from tests.projections.wandering import told, wander
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


def fold_elsewhere(dsn: str, schema: str, batch: int, **environment: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "tests.projections.folding", dsn, schema, str(batch)]
    return subprocess.Popen(arguments, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True)


def look(connection: psycopg.Connection) -> tuple[int, dict[str, str]]:
    """The position of the live tables and their digests, of one moment."""
    with connection.transaction():
        return position_of(connection), digest_tables(connection, "public")


def position_of(connection: psycopg.Connection) -> int:
    with connection.transaction():
        positions = connection.execute("SELECT DISTINCT position FROM projection_checkpoints").fetchall()
    assert len(positions) == 1
    return positions[0][0]


def compare_under_load(log: Log, seed: int, comparisons: int) -> None:
    """Append, fold and compare at the same time."""
    story, _ = wander(seed, sales=3 * comparisons, steps=75 * comparisons)
    chance = random.Random(seed)
    parts = [story.events[start : start + 12] for start in range(0, len(story.events), 12)]
    allowed = threading.Semaphore(0)  # so that the load lasts as long as the comparisons, however slow these are

    def load() -> None:
        with psycopg.connect(log.database.owner_dsn) as connection:
            for part in parts:
                allowed.acquire()
                append(connection, part)

    runner = Runner(log.database.app_dsn)
    threads = [threading.Thread(target=load), threading.Thread(target=runner.run)]
    for thread in threads:
        thread.start()
    log.owner.isolation_level = IsolationLevel.REPEATABLE_READ
    seen = {0}
    try:
        with psycopg.connect(log.database.owner_dsn) as shadow:
            for comparison in range(comparisons):
                allowed.release(len(parts) // comparisons)
                time.sleep(chance.uniform(0, 0.1))
                wait_until(lambda: position_of(log.owner), lambda position: position not in seen, seconds=120)
                position, live = look(log.owner)
                batch_size = chance.choice((1, 17, 300, 20_000)) if position < 100 else chance.choice((17, 300, 20_000))
                assert live == fold_from_zero(shadow, f"shadow_{comparison}", position, batch_size), position
                seen.add(position)
    finally:
        allowed.release(len(parts))
        runner.stop()
        for thread in threads:
            thread.join()


@pytest.mark.guarantee(
    "G7", faults="looked at while commands flow, folded in batches of any size", runs="20 comparisons"
)
def test_the_live_tables_equal_a_fold_from_zero_at_any_moment_under_load(log: Log) -> None:
    compare_under_load(log, 7, comparisons=20)


@pytest.mark.guarantee("G7", faults="the same", runs="10 x 100 comparisons")
@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_comparisons_find_no_difference(log: Log, seed: int) -> None:
    compare_under_load(log, seed, comparisons=100)


@pytest.fixture
def folded(log: Log) -> Log:
    append(log.owner, told(3, sales=30, steps=500))
    return log


def honest(log: Log) -> dict[str, str]:
    return fold_from_zero(log.owner, "honest", 10**9, 20_000)


@pytest.mark.guarantee("G7", faults="kill -9 of the folding process", runs="6 kills")
def test_kills_between_and_within_batches_lose_nothing_and_apply_nothing_twice(folded: Log) -> None:
    chance = random.Random(11)
    for _ in range(6):
        process = fold_elsewhere(folded.database.app_dsn, "public", 3)
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 20)):
            process.stdout.readline()
        process.kill()
        process.wait()
    (reached,) = folded.rows("SELECT max(position), count(DISTINCT position) FROM projection_checkpoints")
    assert 0 < int(str(reached[0])) < len(folded.rows("SELECT FROM escrow_events"))
    assert reached[1] == 1
    catch_up_together(folded.app, PROJECTIONS, batch_size=50)
    assert digest_tables(folded.owner, "public") == honest(folded)


@pytest.mark.guarantee(
    "G8",
    faults="ten hash seeds, three time zones, two locales, three batch sizes, other formats of dates in PostgreSQL",
    runs="10 processes",
)
def test_hash_seeds_time_zones_and_locales_change_no_row(folded: Log) -> None:
    zones, locales = ("UTC", "Asia/Kathmandu", "America/St_Johns"), ("C", "tr_TR.UTF-8")
    expected = honest(folded)
    for seed in range(10):
        with psycopg.connect(folded.database.owner_dsn) as connection:
            connection.execute("DROP SCHEMA IF EXISTS elsewhere CASCADE")
            connection.execute("CREATE SCHEMA elsewhere")
            install_tables(connection, PROJECTIONS, schema="elsewhere", with_indexes=False)
        zone, locale = zones[seed % 3], locales[seed % 2]
        options = "-c DateStyle=German -c IntervalStyle=sql_standard" if seed % 2 else ""
        process = fold_elsewhere(
            folded.database.owner_dsn,
            "elsewhere",
            (7, 400, 20_000)[seed % 3],
            PYTHONHASHSEED=str(seed),
            TZ=zone,
            PGTZ=zone,
            LC_ALL=locale,
            PGOPTIONS=options,
        )
        process.communicate()
        assert process.returncode == 0
        assert digest_tables(folded.owner, "elsewhere") == expected, (seed, zone, locale)


def drop_one(batch: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
    """The last one; also one in the middle, because what the last one said may be said again by a later batch."""
    half = len(batch) // 2
    return [*batch[:half], *batch[half + 1 : -1]] if len(batch) > 3 else batch


def repeat_one(batch: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
    return [*batch, batch[-1]]


def planted(projection: Projection, bug: Callable[[Sequence[RecordedEvent]], Sequence[RecordedEvent]]) -> Projection:
    """A projection whose fold does not get the batch that was read."""

    def fold(batch: Sequence[RecordedEvent], rows: Rows) -> None:
        projection.fold(bug(batch), rows)

    return replace(projection, fold=fold)


def is_caught(log: Log, projection: Projection) -> bool:
    """Whether the projection stops by itself, or its tables differ from an honest fold."""
    try:
        catch_up_together(log.app, (projection,), batch_size=300)
    except ProjectionStopped:
        return True
    name = projection.name
    true = next(p for p in PROJECTIONS if p.name == name)
    found = digest_tables(log.owner, "public", (projection,))
    return found != fold_from_zero(log.owner, "honest", 10**9, 20_000, (true,))


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_an_honest_fold_is_not_accused(folded: Log, projection: Projection) -> None:
    assert not is_caught(folded, projection)


@pytest.mark.guarantee("G7", planted="one event of a batch is not folded, in each projection")
@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.name)
def test_a_dropped_event_is_caught(folded: Log, projection: Projection) -> None:
    assert is_caught(folded, planted(projection, drop_one))


@pytest.mark.guarantee("G7", planted="one event is folded twice, in each projection that only appends")
@pytest.mark.parametrize(
    "projection", [p for p in PROJECTIONS if any(table.is_append_only for table in p.tables)], ids=lambda p: p.name
)
def test_an_event_that_is_applied_twice_is_caught(folded: Log, projection: Projection) -> None:
    """Where rows are put by key, a second time changes nothing; the aggregates of `transactions` refuse it too."""
    assert is_caught(folded, planted(projection, repeat_one))


def test_a_transaction_refuses_an_event_that_comes_twice_or_too_early(folded: Log) -> None:
    transactions = next(p for p in PROJECTIONS if p.name == "transactions")
    assert is_caught(folded, planted(transactions, repeat_one))


def test_a_balance_that_is_moved_twice_is_caught(folded: Log) -> None:
    """The entries are right, the account is not."""

    def fold(batch: Sequence[RecordedEvent], rows: Rows) -> None:
        LEDGER.fold(batch, rows)
        row = rows.get("ledger_accounts", "escrow:held", "KES")
        rows.put("ledger_accounts", {**row, "balance_minor": 1 + int(str(row["balance_minor"]))})

    assert is_caught(folded, replace(LEDGER, fold=fold))


@pytest.mark.guarantee("G7", planted="the rows are committed and the checkpoint is not")
@pytest.mark.parametrize("projection", [p for p in PROJECTIONS if p.name in {"ledger", "alerts"}], ids=lambda p: p.name)
def test_a_checkpoint_that_is_saved_apart_from_its_rows_is_caught(
    folded: Log, monkeypatch: pytest.MonkeyPatch, projection: Projection
) -> None:
    """The rows are committed, the process dies, and the checkpoint never hears of them."""
    folded.app.autocommit = True
    with monkeypatch.context() as patch:
        patch.setattr(catch_up, "advance_checkpoints", lambda *_: None)
        Folding(folded.app, (projection,)).step(10**9, 10**9)
    assert is_caught(folded, projection)


@pytest.mark.guarantee("G7", planted="the checkpoint is ahead of its rows")
def test_a_checkpoint_that_runs_ahead_of_its_rows_is_caught(folded: Log, database: Database) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("UPDATE projection_checkpoints SET position = 200 WHERE name = 'listings'")
    listings = next(p for p in PROJECTIONS if p.name == "listings")
    assert is_caught(folded, listings)
