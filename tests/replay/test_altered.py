"""Whatever somebody took away or made something else of: it is named, and so is all else that is wrong."""

import psycopg
import pytest

from replay.damage import LogDamaged, TableUnreadable
from replay.finding import FindingKind
from replay.guards import GUARDS
from replay.repair import repair
from replay.status import status
from replay.verify import NO_TABLES, verify
from tests.replay.conftest import Damage, Recorded, find

UNREADABLE = FindingKind.BLOCK_UNREADABLE


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE escrow_events CASCADE",
        "ALTER TABLE escrow_events DROP COLUMN recorded_at CASCADE",
        "DROP VIEW event_log; ALTER TABLE escrow_events ALTER originator_id TYPE text",
        "REVOKE ALL ON escrow_events FROM escrow_owner",
    ],
)
def test_a_log_that_is_another_table_is_named_and_nothing_is_folded(
    folded: Recorded, damage: Damage, statement: str
) -> None:
    damage(statement)
    report = verify(folded.database.owner_dsn, actor="tests", processes=1)
    assert (UNREADABLE, "escrow_events") in {(finding.kind, finding.table) for finding in report.findings}
    assert report.not_checked[-1] == NO_TABLES
    with pytest.raises(LogDamaged):
        repair(folded.database.owner_dsn, actor="tests", processes=1)


@pytest.mark.parametrize("column", ["originator_version", "topic", "state", "recorded_at", "leaf_hash"])
def test_what_is_null_in_an_event_is_named_by_its_position(recorded: Recorded, damage: Damage, column: str) -> None:
    damage(f"ALTER TABLE escrow_events ALTER {column} DROP NOT NULL")
    damage(f"UPDATE escrow_events SET {column} = NULL WHERE notification_id = 20")
    assert [finding.position for finding in find(recorded, FindingKind.LEAF_HASH_DIFFERS)] == [20]


def test_an_event_of_a_time_that_no_program_can_say_stops_the_read_models_that_read_it(
    folded: Recorded, damage: Damage
) -> None:
    damage("UPDATE escrow_events SET recorded_at = 'infinity' WHERE notification_id = %s", (folded.head,))
    report = verify(folded.database.owner_dsn, actor="tests", processes=1)
    assert report.counts[FindingKind.LEAF_HASH_DIFFERS] == 1
    stopped = {finding.projection for finding in report.findings if finding.kind is FindingKind.PROJECTION_FAILS}
    assert stopped == set(report.differing)
    assert stopped


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE idempotency",
        "ALTER TABLE idempotency DROP COLUMN stream_id",
        "REVOKE ALL ON idempotency FROM escrow_owner",
    ],
)
def test_a_table_of_commands_that_is_another_one_is_named(folded: Recorded, damage: Damage, statement: str) -> None:
    damage(statement)
    report = verify(folded.database.owner_dsn, actor="tests", processes=1)
    assert [(f.kind, f.table) for f in report.findings] == [(FindingKind.TABLE_UNREADABLE, "idempotency")]
    with pytest.raises(TableUnreadable):
        repair(folded.database.owner_dsn, actor="tests", processes=1)


@pytest.mark.parametrize("column", ["request_digest", "first_position", "last_position", "stream_id"])
def test_what_is_null_in_a_command_is_found_and_folded_anew(folded: Recorded, damage: Damage, column: str) -> None:
    damage(f"ALTER TABLE idempotency ALTER {column} DROP NOT NULL")
    damage(f"UPDATE idempotency SET {column} = NULL WHERE first_position = 60")
    assert repair(folded.database.owner_dsn, actor="tests", processes=1).ok


def test_a_record_of_runs_without_a_column_is_told_with_the_name_of_its_table(folded: Recorded, damage: Damage) -> None:
    damage("ALTER TABLE replay_runs DROP COLUMN actor")
    with pytest.raises(TableUnreadable, match="replay_runs"):
        status(folded.database.auditor_dsn)


def test_every_guard_of_the_log_and_of_the_commands_is_looked_for(folded: Recorded) -> None:
    with psycopg.connect(folded.database.owner_dsn) as connection:
        rows = connection.execute(
            "SELECT conname FROM pg_constraint WHERE contype <> 'n' AND conrelid = ANY(%(tables)s::regclass[]) "
            "UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = ANY(%(tables)s::regclass[])",
            {"tables": ["escrow_events", "idempotency"]},
        ).fetchall()
    assert {name for (name,) in rows} == set(GUARDS)


def test_a_guard_that_is_gone_or_switched_off_is_named_and_stops_a_repair(folded: Recorded, damage: Damage) -> None:
    damage("ALTER TABLE escrow_events DISABLE TRIGGER USER, DROP CONSTRAINT escrow_events_version")
    damage("ALTER TABLE idempotency DROP CONSTRAINT idempotency_command")
    report = verify(folded.database.owner_dsn, actor="tests", processes=1)
    assert [(finding.kind, finding.key) for finding in report.findings] == [
        (FindingKind.GUARD_MISSING, "escrow_events_are_immutable"),
        (FindingKind.GUARD_MISSING, "escrow_events_version"),
        (FindingKind.GUARD_MISSING, "idempotency_command"),
    ]
    with pytest.raises(LogDamaged):
        repair(folded.database.owner_dsn, actor="tests", processes=1)
