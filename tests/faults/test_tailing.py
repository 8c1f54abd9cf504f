"""Whoever tails the log by position misses nothing, whatever writers do: no event appears behind a reader."""

import threading
import time

import pytest

from tests.conftest import Database
from tests.eventstore.running import append, connect, proposal
from tests.faults import plants

WRITERS = 8
BATCHES = 120
EVENTS = 2
AFTER = "SELECT notification_id FROM escrow_events WHERE notification_id > %s ORDER BY notification_id"


class Poller(threading.Thread):
    """The naive reader: all above the highest that it has seen."""

    def __init__(self, dsn: str) -> None:
        super().__init__()
        self.dsn = dsn
        self.seen: list[int] = []
        self.over = threading.Event()

    def run(self) -> None:
        last_look = False
        with connect(self.dsn) as connection:
            while not last_look:
                last_look = self.over.is_set()
                after = self.seen[-1] if self.seen else 0
                self.seen += [row[0] for row in connection.execute(AFTER, [after]).fetchall()]


def write(dsn: str, batches: int) -> None:
    """Append, and every tenth time change one's mind, which leaves no gap either."""
    with connect(dsn) as connection:
        for number in range(batches):
            with connection.transaction(force_rollback=number % 10 == 9):
                append(connection, proposal(count=EVENTS), proposal())


def hold_open(dsn: str, over: threading.Event) -> None:
    """Transactions that write late and stay open for a while."""
    with connect(dsn) as connection:
        while not over.is_set():
            with connection.transaction():
                append(connection, proposal())
                time.sleep(0.02)


def tail(database: Database, batches: int) -> tuple[list[int], list[int]]:
    """What the poller saw, and what is there."""
    poller, over = Poller(database.app_dsn), threading.Event()
    writers = [threading.Thread(target=write, args=(database.app_dsn, batches)) for _ in range(WRITERS)]
    sleeper = threading.Thread(target=hold_open, args=(database.app_dsn, over))
    run_all([poller, sleeper, *writers], writers)
    over.set()
    sleeper.join()
    poller.over.set()
    poller.join()
    with connect(database.app_dsn) as connection:
        return poller.seen, [row[0] for row in connection.execute(AFTER, [0]).fetchall()]


def run_all(threads: list[threading.Thread], until: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in until:
        thread.join()


@pytest.mark.guarantee(
    "G9",
    faults="8 writers, every tenth transaction rolled back, and transactions that stay open",
    runs="2,592 events or more",
)
def test_a_poller_under_eight_writers_misses_nothing(database: Database) -> None:
    seen, there = tail(database, BATCHES)
    assert len(there) >= WRITERS * BATCHES * 9 // 10 * (EVENTS + 1)
    assert there == list(range(1, len(there) + 1))
    assert seen == there


@pytest.mark.guarantee("G9", faults="the same", runs="100,000 events or more")
@pytest.mark.soak
def test_a_poller_misses_nothing_of_a_hundred_thousand_events(database: Database) -> None:
    seen, there = tail(database, 5_000)
    assert len(there) >= 100_000
    assert seen == there


@pytest.mark.guarantee("G9", planted="positions come from a sequence, without the lock")
def test_positions_from_a_sequence_are_missed_and_that_is_found(database: Database) -> None:
    plants.number_by_sequence(database.superuser_dsn)
    seen, there = tail(database, BATCHES)
    assert set(there) - set(seen), "the planted bug was not found"
    assert there != list(range(1, len(there) + 1))
