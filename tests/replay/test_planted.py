"""A checker must be seen to fail: with each of these bugs planted in it, a damage that it finds goes unnoticed."""

from collections.abc import Callable
from importlib.resources import files

import pytest

import replay.compare
import replay.legality
import replay.positions
import replay.projections
import replay.rebuilding
from database.queries import Queries, parse
from replay.commands import Commands
from replay.finding import FindingKind
from replay.positions import PositionWalk
from replay.rebuild import rebuild
from replay.streams import StreamWalk
from tests.replay.conftest import Damage, Recorded, compare, find, fold_live
from tests.replay.damaging import REHASH, read_state, rewrite
from tests.replay.world import Market, record

Plant = Callable[[pytest.MonkeyPatch], None]


def nothing(*args: object, **facts: object) -> None:
    """What a check does that was forgotten."""


def planted_sql(before: str, after: str) -> Queries:
    text = files("replay").joinpath("compare.sql").read_text()
    assert before in text
    return Queries("planted", parse(text.replace(before, after)))


LOG_PLANTS: dict[str, tuple[Plant, str, FindingKind]] = {
    "the leaf hash is not compared": (
        lambda patch: patch.setattr(PositionWalk, "_miss_leaf", nothing),
        "UPDATE escrow_events SET state = state || ' ' WHERE notification_id = 20",
        FindingKind.LEAF_HASH_DIFFERS,
    ),
    "the leaf hash leaves out the time": (
        lambda patch: patch.setattr(replay.positions, "leaf_hash", lambda *fields: stored_leaf(fields)),
        "UPDATE escrow_events SET recorded_at = recorded_at + interval '1 us' WHERE notification_id = 20",
        FindingKind.LEAF_HASH_DIFFERS,
    ),
    "a hole is not noticed": (
        lambda patch: patch.setattr(PositionWalk, "_miss_position", nothing),
        "DELETE FROM escrow_events WHERE notification_id = 20",
        FindingKind.POSITION_MISSING,
    ),
    "time may run backwards": (
        lambda patch: patch.setattr(PositionWalk, "_miss_time", nothing),
        "UPDATE escrow_events SET recorded_at = recorded_at - interval '1 day' WHERE notification_id = 20",
        FindingKind.TIME_BACKWARDS,
    ),
    "versions are not looked at": (
        lambda patch: patch.setattr(StreamWalk, "_miss_version", nothing),
        "DELETE FROM escrow_events WHERE originator_version = 2",
        FindingKind.VERSION_MISSING,
    ),
    "commands are not looked at": (
        lambda patch: patch.setattr(Commands, "_settle", nothing),
        "DELETE FROM idempotency WHERE first_position > 50",
        FindingKind.COMMAND_MISSING,
    ),
}


def stored_leaf(fields: tuple[object, ...]) -> bytes:
    """As if the time were not part of the leaf: damage to it cannot be seen."""
    del fields
    return AnyLeaf()


class AnyLeaf(bytes):
    """Equal to whatever it is compared with."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = bytes.__hash__


@pytest.mark.parametrize("name", LOG_PLANTS)
def test_a_bug_in_the_verification_of_the_log_shows(
    recorded: Recorded, damage: Damage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    plant, statement, kind = LOG_PLANTS[name]
    damage(statement)
    assert find(recorded, kind) != []
    plant(monkeypatch)
    assert find(recorded, kind) == []


def test_a_fold_without_rules_shows(recorded: Recorded, damage: Damage, monkeypatch: pytest.MonkeyPatch) -> None:
    rewrite(recorded, damage, "transaction.funds_held.v1", amount_minor=1)
    assert find(recorded, FindingKind.ILLEGAL) != []
    monkeypatch.setattr(replay.legality, "RULES", {})
    assert find(recorded, FindingKind.ILLEGAL) == []


def test_books_that_are_not_added_up_show(recorded: Recorded, damage: Damage, monkeypatch: pytest.MonkeyPatch) -> None:
    position, _ = read_state(recorded, "transaction.payment_received.v1")
    damage(
        "UPDATE escrow_events SET state = convert_to(replace(convert_from(state, 'UTF8'), "
        '\'"paystack:uncleared","",1\', \'"paystack:uncleared","",2\'), \'UTF8\') WHERE notification_id = %s',
        (position,),
    )
    damage(REHASH, (position,))
    assert find(recorded, FindingKind.UNBALANCED) != []
    monkeypatch.setattr(replay.positions, "is_balanced", lambda lines: True)
    assert find(recorded, FindingKind.UNBALANCED) == []


def test_debts_below_zero_show(recorded: Recorded, damage: Damage, monkeypatch: pytest.MonkeyPatch) -> None:
    _, state = read_state(recorded, "transaction.payment_received.v1")
    price = state["amount_minor"]
    lines = [["seller:payable", "", price], ["paystack:uncleared", "", -price]]  # type: ignore[operator]
    rewrite(recorded, damage, "transaction.payment_received.v1", postings=lines)
    assert find(recorded, FindingKind.LIABILITY_NEGATIVE) != []
    monkeypatch.setattr(replay.legality, "_check_debts", nothing)
    assert find(recorded, FindingKind.LIABILITY_NEGATIVE) == []


TABLE_PLANTS: dict[str, tuple[Plant, str]] = {
    "only rows that are too many are seen": (
        lambda patch: patch.setattr(replay.compare, "SQL", planted_sql("FULL JOIN", "LEFT JOIN")),
        "DELETE FROM ledger_entries WHERE position = (SELECT max(position) FROM ledger_entries)",
    ),
    "only rows that are missing are seen": (
        lambda patch: patch.setattr(replay.compare, "SQL", planted_sql("FULL JOIN", "RIGHT JOIN")),
        "INSERT INTO ledger_accounts VALUES ('made:up', 'KES', 1, 1, 1)",
    ),
    "only keys are compared": (
        lambda patch: patch.setattr(
            replay.compare,
            "SQL",
            planted_sql(
                "OR ROW({live_columns}) IS DISTINCT FROM ROW({shadow_columns})", "-- {live_columns}{shadow_columns}"
            ),
        ),
        "UPDATE transactions SET state = 'x'",
    ),
    "nulls are equal to everything": (
        lambda patch: patch.setattr(
            replay.compare, "SQL", planted_sql("IS DISTINCT FROM ROW({shadow", "<> ROW({shadow")
        ),
        "UPDATE transactions SET stuck_reason = NULL",
    ),
    "the shape is not looked at": (
        lambda patch: patch.setattr(replay.projections, "compare_shapes", lambda *shapes: []),
        "ALTER TABLE transactions DROP COLUMN fee_minor",
    ),
    "checkpoints are not looked at": (
        lambda patch: patch.setattr(replay.projections, "_check_place", lambda *places: []),
        "UPDATE projection_checkpoints SET position = 100000",
    ),
}


@pytest.mark.parametrize("name", TABLE_PLANTS)
def test_a_bug_in_the_comparison_of_tables_shows(
    folded: Recorded, damage: Damage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    plant, statement = TABLE_PLANTS[name]
    damage(statement)
    assert not compare(folded).ok
    plant(monkeypatch)
    assert compare(folded).ok


def test_a_swap_that_moves_the_checkpoint_too_far_shows(folded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tail is not folded, but the checkpoint says so: the events between are lost for ever."""
    monkeypatch.setattr(replay.rebuilding, "fold_group", lambda *tail: [])
    moving = replay.rebuilding.SQL.move_checkpoints
    wrong = moving.replace("    shadow.position,", "    (SELECT max(notification_id) FROM escrow_events),")
    assert wrong != moving
    monkeypatch.setitem(vars(replay.rebuilding.SQL)["_sections"], "move_checkpoints", wrong)

    def append_more(*tables: object) -> None:
        record(folded.database.owner_dsn, Market(9).run(sales=2, steps=40, funded=False))

    monkeypatch.setattr("replay.rebuild.finish_tables", append_more)
    rebuild(folded.database.owner_dsn, actor="tests", processes=1)
    fold_live(folded.database)
    assert not compare(folded).ok
