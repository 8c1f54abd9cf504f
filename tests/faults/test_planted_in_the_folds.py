"""Bugs planted in the folds and in the money: an independent fold of the log finds each, and nothing without them."""

from collections.abc import Callable

import psycopg
import pytest

import domain.policy
from eventstore.log import RecordedEvent
from projections import catch_up, ledger
from projections.catch_up import Folding, catch_up_together
from projections.checkpoint import advance_checkpoints, enter_schema
from projections.registry import PROJECTIONS
from tests.conftest import Database
from tests.faults.books import check_books
from tests.projections.stories import Story, append

BATCH = 7
PRICE = 10_019


def tell(database: Database, sales: int = 3) -> None:
    story = Story()
    for _ in range(sales):
        story.sell(PRICE)
    with psycopg.connect(database.owner_dsn) as connection:
        append(connection, story.events)


def fold(database: Database) -> None:
    with psycopg.connect(database.app_dsn) as connection:
        catch_up_together(connection, PROJECTIONS, batch_size=BATCH)


def found(database: Database) -> set[str]:
    return {violation.partition(":")[0] for violation in check_books(database.app_dsn)}


def fold_ledger(database: Database) -> None:
    with psycopg.connect(database.app_dsn) as connection:
        catch_up_together(connection, (ledger.LEDGER,), batch_size=BATCH)


def find_fee(database: Database) -> int:
    """The position of an event that moves money and nothing else."""
    query = "SELECT min(notification_id) FROM escrow_events WHERE topic = 'transaction.payment_fee_assessed.v1'"
    with psycopg.connect(database.app_dsn) as connection:
        return connection.execute(query).fetchone()[0]


def test_without_a_planted_bug_nothing_is_found(database: Database) -> None:
    tell(database)
    fold(database)
    assert found(database) == set()


def change_reading(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[list[RecordedEvent]], list[RecordedEvent]]
) -> None:
    real = catch_up.read_range
    monkeypatch.setattr(catch_up, "read_range", lambda *arguments: change(real(*arguments)))


@pytest.mark.guarantee("G7", planted="an event is not folded")
def test_a_dropped_event_is_found(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(batch: list[RecordedEvent]) -> list[RecordedEvent]:
        return [event for event in batch if event.position != dropped]

    tell(database)
    dropped = find_fee(database)
    change_reading(monkeypatch, drop)
    fold_ledger(database)
    assert found(database) == {"entry missing", "account"}


@pytest.mark.guarantee("G7", planted="an event is folded twice")
def test_an_event_applied_twice_is_found(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    real, victims = ledger._move, []

    def move(rows, account, currency, amount_minor, entries, position) -> None:
        real(rows, account, currency, amount_minor, entries, position)
        if not victims or position == victims[0]:
            victims.append(position)
            real(rows, account, currency, amount_minor, entries, position)

    tell(database)
    monkeypatch.setattr(ledger, "_move", move)
    fold(database)
    assert found(database) == {"account"}


class Crash(Exception):
    """The process dies here."""


@pytest.mark.guarantee("G7", planted="the checkpoint is committed before its rows, and the process dies in between")
def test_a_checkpoint_in_another_transaction_is_found(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint is committed first, and a crash keeps the rows from following."""
    real, steps = Folding.step, []

    def step(folding: Folding, until: int, limit: int) -> int:
        connection, after = folding._connection, folding.position
        steps.append(after)
        if len(steps) == BATCH:
            with connection.transaction():
                enter_schema(connection, "public")
                advance_checkpoints(connection, [projection.name for projection in PROJECTIONS], after + limit)
            raise Crash
        return real(folding, until, limit)

    tell(database)
    with monkeypatch.context() as plant:
        plant.setattr(Folding, "step", step)
        with pytest.raises(Crash):
            fold(database)
    fold_ledger(database)
    assert found(database) == {"entry missing", "account"}


@pytest.mark.guarantee("G7", faults="crashes between batches, again and again", runs="one in seven batches")
def test_a_crash_between_two_batches_is_not(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    real, steps = catch_up.write, []

    def write(*arguments) -> None:
        real(*arguments)
        steps.append(1)
        if len(steps) % BATCH == 0:
            raise Crash

    tell(database)
    monkeypatch.setattr(catch_up, "write", write)
    for _ in range(200):
        try:
            fold(database)
        except (Crash, catch_up.ProjectionStopped):
            continue
        break
    assert len(steps) > 2 * BATCH
    monkeypatch.undo()
    fold(database)
    assert found(database) == set()


@pytest.mark.guarantee("G1", planted="the commission is computed in floating point")
def test_money_in_floating_point_is_found(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain.policy, "share", lambda amount, points: round(amount * (points / 10_000)))
    tell(database)
    fold(database)
    assert found(database) == {"fee"}
