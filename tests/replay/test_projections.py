"""Whoever changes a row of a read model is found, with table, key and column."""

import json
from collections.abc import Iterable, Iterator
from itertools import count

import psycopg
import pytest
from psycopg.rows import TupleRow

from projections.registry import PROJECTIONS
from projections.rows import Table
from replay.compare import Pair, compare_rows
from replay.damage import TableUnreadable
from replay.finding import Finding, FindingKind
from replay.log import connect_reading
from replay.places import Place, list_places
from replay.rebuild import Rebuilt, rebuild
from replay.repair import repair
from replay.runs import list_last_runs
from replay.shadow import SQL as SHADOW
from replay.shadow import connect_owner, drop_stale, run_on_schema, spare_the_log
from replay.verify import NO_TABLES, UnknownProjection, verify
from tests.projections.comparing import digest_tables
from tests.replay.conftest import Damage, Recorded, compare, fold_live
from tests.replay.damaging import lose_file
from tests.replay.world import Market, record

TABLES = {table.name: (projection.name, table) for projection in PROJECTIONS for table in projection.tables}

OTHER_VALUE = {
    "text": "coalesce({column}, '') || 'x'",
    "uuid": "gen_random_uuid()",
    "bigint": "coalesce({column}, 0) + 1",
    "integer": "coalesce({column}, 0) + 1",
    "smallint": "coalesce({column}, 0) + 1",
    "boolean": "NOT coalesce({column}, false)",
    "numeric": "coalesce({column}, 0) + 0.01",
    "timestamp with time zone": "coalesce({column}, now()) + interval '1 us'",
    "bytea": "coalesce({column}, '') || '\\x00'",
    "jsonb": """'{{"damaged": true}}'""",
    "ARRAY": "array_append({column}, NULL)",
}


def columns_of(recorded: Recorded, table: str) -> dict[str, str]:
    with psycopg.connect(recorded.database.owner_dsn) as connection:
        return dict(
            connection.execute(
                "SELECT column_name, data_type FROM information_schema.columns "
                "WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position",
                (table,),
            ).fetchall()
        )


def keys_of(recorded: Recorded, table: Table) -> list[str]:
    key = ", ".join(table.key)
    with psycopg.connect(recorded.database.owner_dsn) as connection:
        rows = connection.execute(f"SELECT jsonb_build_array({key})::text FROM {table.name} ORDER BY {key}").fetchall()
    return [row[0] for row in rows]


def at(table: Table) -> str:
    return f"jsonb_build_array({', '.join(table.key)})::text = %s"


def test_honest_tables_have_no_findings(folded: Recorded) -> None:
    report = compare(folded)
    assert [finding.describe() for finding in report.findings] == []
    assert report.ok
    assert {summary.position for summary in report.projections} == {folded.head}


def test_every_table_has_rows_to_damage(folded: Recorded) -> None:
    assert [name for name, (_, table) in TABLES.items() if not keys_of(folded, table)] == []


@pytest.mark.parametrize("table", TABLES)
def test_every_column_counts(folded: Recorded, damage: Damage, table: str) -> None:
    """One column after the other, each in a row of its own as long as there are rows."""
    projection, described = TABLES[table]
    keys = keys_of(folded, described)
    expected: set[tuple[str, str]] = set()
    columns = {name: kind for name, kind in columns_of(folded, table).items() if name not in described.key}
    drop_checks(folded, damage, table)
    for place, (column, kind) in enumerate(columns.items()):
        key = keys[place % len(keys)]
        value = OTHER_VALUE[kind].format(column=column)
        damage(f"UPDATE {table} SET {column} = {value} WHERE {at(described)}", (key,))
        expected.add((key, column))
    findings = [f for f in compare(folded, projection).findings if f.kind is not FindingKind.INDEX_MISSING]
    assert {(finding.key, finding.column) for finding in findings} == expected
    assert {(finding.kind, finding.table) for finding in findings} == {(FindingKind.VALUE_DIFFERS, table)}


def drop_checks(folded: Recorded, damage: Damage, table: str) -> None:
    with psycopg.connect(folded.database.owner_dsn) as connection:
        rows = connection.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'", (table,)
        ).fetchall()
    for (name,) in rows:
        damage(f"ALTER TABLE {table} DROP CONSTRAINT {name}")


@pytest.mark.parametrize("table", TABLES)
def test_a_deleted_row_an_added_row_and_a_changed_key_are_named(folded: Recorded, damage: Damage, table: str) -> None:
    projection, described = TABLES[table]
    keys = keys_of(folded, described)
    column = described.key[0]
    value = OTHER_VALUE[columns_of(folded, table)[column]].format(column=column)
    damage(f"CREATE TEMPORARY TABLE copy AS SELECT * FROM {table} WHERE {at(described)}", (keys[-1],))
    damage(f"DELETE FROM {table} WHERE {at(described)}", (keys[0],))
    damage(f"UPDATE copy SET {column} = {value}")
    damage(f"INSERT INTO {table} SELECT * FROM copy")
    findings = compare(folded, projection).findings
    assert [(f.kind, f.key) for f in findings if f.kind is FindingKind.ROW_MISSING] == [
        (FindingKind.ROW_MISSING, keys[0])
    ]
    (extra,) = [finding for finding in findings if finding.kind is FindingKind.ROW_EXTRA]
    assert extra.table == table
    assert extra.key not in keys
    assert len(findings) == 2


@pytest.mark.parametrize("table", ["ledger_entries", "payouts"])
def test_a_row_that_stands_there_twice_is_named(folded: Recorded, damage: Damage, table: str) -> None:
    """As after an upgrade of the C library that sorts otherwise: a unique index lets the same key in again."""
    _, described = TABLES[table]
    (key, *_) = keys_of(folded, described)
    damage(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
    damage(f"INSERT INTO {table} SELECT * FROM {table} WHERE {at(described)}", (key,))
    findings = [finding for finding in compare(folded).findings if finding.kind is not FindingKind.INDEX_MISSING]
    assert [(finding.kind, finding.table, finding.key) for finding in findings] == [(FindingKind.ROW_EXTRA, table, key)]
    assert (findings[0].expected, findings[0].found) == ("1 row", "2 rows")


def test_a_value_is_shown_as_it_is_and_as_it_should_be(folded: Recorded, damage: Damage) -> None:
    (key, *_) = keys_of(folded, TABLES["transactions"][1])
    damage("UPDATE transactions SET stuck_reason = NULL, state = 'completely' WHERE id = %s", json.loads(key))
    findings = {finding.column: finding for finding in compare(folded).findings}
    assert findings["state"].found == '"completely"'
    assert findings["state"].expected != findings["state"].found
    assert (findings["state"].projection, findings["state"].table) == ("transactions", "transactions")


def test_dropped_tables_are_named(folded: Recorded, damage: Damage) -> None:
    kept, *dropped = TABLES
    damage("DROP TABLE " + ", ".join(dropped))
    findings = compare(folded).findings
    assert {(finding.kind, finding.table) for finding in findings} == {
        (FindingKind.TABLE_MISSING, table) for table in dropped
    }
    assert kept not in {finding.table for finding in findings}


def test_a_dropped_or_added_or_retyped_column_is_named(folded: Recorded, damage: Damage) -> None:
    damage("ALTER TABLE transactions DROP COLUMN fee_minor")
    damage("ALTER TABLE transactions ADD COLUMN nobody_knows text")
    damage("ALTER TABLE transactions ALTER COLUMN held_minor TYPE numeric")
    damage("UPDATE transactions SET state = 'x'")
    found = {(f.kind, f.column) for f in compare(folded).findings}
    assert found >= {
        (FindingKind.COLUMN_MISSING, "fee_minor"),
        (FindingKind.COLUMN_EXTRA, "nobody_knows"),
        (FindingKind.COLUMN_DIFFERS, "held_minor"),
        (FindingKind.VALUE_DIFFERS, "state"),
    }


def test_a_lost_key_column_is_named_and_nothing_is_compared(folded: Recorded, damage: Damage) -> None:
    damage("ALTER TABLE transactions DROP COLUMN id")
    assert (FindingKind.COLUMN_MISSING, "id") in {(f.kind, f.column) for f in compare(folded).findings}


def test_lost_indexes_checks_and_grants_are_named(folded: Recorded, damage: Damage) -> None:
    damage("DROP INDEX transactions_buyer")
    damage("REVOKE UPDATE ON transactions FROM escrow_app")
    damage("REVOKE SELECT (suite) ON credential_vaults FROM escrow_auditor")
    found = {(f.kind, f.table, f.key) for f in compare(folded).findings}
    assert found == {
        (FindingKind.INDEX_MISSING, "transactions", "transactions_buyer"),
        (FindingKind.GRANT_MISSING, "transactions", "escrow_app UPDATE"),
        (FindingKind.GRANT_MISSING, "credential_vaults", "escrow_auditor SELECT (suite)"),
    }


@pytest.mark.parametrize("by", [-40, 40])
def test_a_moved_checkpoint_shows_in_the_rows(folded: Recorded, damage: Damage, by: int) -> None:
    if by > 0:
        damage("TRUNCATE " + ", ".join(TABLES))
        damage("UPDATE projection_checkpoints SET position = 0")
        fold_live(folded.database, folded.head - 60)
    damage("UPDATE projection_checkpoints SET position = position + %s", (by,))
    report = compare(folded)
    assert {"transactions", "ledger"} <= set(report.differing)
    assert all(finding.table in TABLES for finding in report.findings)


def test_a_checkpoint_ahead_of_the_log_is_named(folded: Recorded, damage: Damage) -> None:
    damage("UPDATE projection_checkpoints SET position = position + 1 WHERE name = 'ledger'")
    (finding,) = compare(folded).findings
    assert (finding.kind, finding.key, finding.position) == (FindingKind.CHECKPOINT_AHEAD, "ledger", folded.head + 1)


def test_a_checkpoint_that_a_worker_moves_meanwhile_is_not_ahead(
    folded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = count(9)

    def move_first(connection: psycopg.Connection[TupleRow]) -> dict[str, Place]:
        record(folded.database.owner_dsn, Market(next(seeds)).run(sales=1, steps=3, funded=False))
        fold_live(folded.database)
        return list_places(connection)

    monkeypatch.setattr("replay.projections.list_places", move_first)
    assert compare(folded).findings == ()


def test_a_lost_and_an_unknown_checkpoint_and_another_version_are_named(folded: Recorded, damage: Damage) -> None:
    damage("DELETE FROM projection_checkpoints WHERE name = 'ledger'")
    damage("INSERT INTO projection_checkpoints (name, version) VALUES ('nobody', 1)")
    damage("UPDATE projection_checkpoints SET version = 99 WHERE name = 'payouts'")
    assert {(f.kind, f.key) for f in compare(folded).findings} == {
        (FindingKind.CHECKPOINT_MISSING, "ledger"),
        (FindingKind.CHECKPOINT_UNKNOWN, "nobody"),
        (FindingKind.PROJECTION_VERSION_DIFFERS, "payouts"),
    }


def test_without_the_table_of_checkpoints_every_projection_misses_its_own(folded: Recorded, damage: Damage) -> None:
    damage("DROP TABLE projection_checkpoints")
    found = compare(folded).findings
    assert [f.table for f in found if f.kind is FindingKind.TABLE_MISSING] == ["projection_checkpoints"]
    assert {f.kind for f in found} == {FindingKind.TABLE_MISSING, FindingKind.CHECKPOINT_MISSING}


def test_tables_that_lag_behind_are_compared_where_they_are(folded: Recorded, damage: Damage) -> None:
    damage("TRUNCATE " + ", ".join(TABLES))
    damage("UPDATE projection_checkpoints SET position = 0")
    fold_live(folded.database, folded.head // 2)
    report = compare(folded)
    assert report.ok
    assert {summary.position for summary in report.projections} == {folded.head // 2}


def test_only_what_was_asked_for_is_compared(folded: Recorded, damage: Damage) -> None:
    damage("TRUNCATE ledger_entries")
    assert compare(folded, "transactions").ok
    assert compare(folded, "ledger").differing == ("ledger",)
    with pytest.raises(UnknownProjection):
        compare(folded, "nonsense")


def test_nothing_is_left_behind_not_even_after_a_crash(folded: Recorded) -> None:
    with connect_owner(folded.database.owner_dsn) as connection:
        run_on_schema(connection, SHADOW.create, "replay_verify_999999")
        compare(folded)
        names = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'replay%'").fetchall()
    assert names == []


def test_the_schema_of_a_living_verification_is_left_alone(folded: Recorded) -> None:
    with connect_owner(folded.database.owner_dsn) as one, connect_owner(folded.database.owner_dsn) as other:
        run_on_schema(one, SHADOW.create, "replay_verify_1")
        one.execute(SHADOW.lock, ("replay_verify_1",))
        assert drop_stale(other) == []
        one.execute(SHADOW.unlock, ("replay_verify_1",))
        assert drop_stale(other) == ["replay_verify_1"]


def test_each_run_is_recorded_with_who_asked(folded: Recorded, damage: Damage) -> None:
    compare(folded)
    damage("UPDATE transactions SET state = 'x'")
    verify(folded.database.owner_dsn, actor="the auditor", processes=1)
    with psycopg.connect(folded.database.auditor_dsn) as connection:
        runs = {run.kind: run for run in list_last_runs(connection)}
    assert (runs["diff"].outcome, runs["diff"].findings, runs["diff"].actor) == ("clean", 0, "tests")
    assert (runs["verify"].outcome, runs["verify"].actor) == ("differs", "the auditor")
    assert (runs["verify"].position, (runs["verify"].findings or 0) > 0) == (folded.head, True)


def test_a_run_that_fails_is_recorded_as_failed(folded: Recorded, damage: Damage) -> None:
    damage("CREATE SCHEMA replay_shape")
    with pytest.raises(psycopg.errors.DuplicateSchema):
        compare(folded)
    with psycopg.connect(folded.database.auditor_dsn) as connection:
        (run,) = list_last_runs(connection)
    assert run.outcome == "failed"


def test_the_report_is_one_stable_object(folded: Recorded, damage: Damage) -> None:
    damage("UPDATE transactions SET state = 'x'")
    report = verify(folded.database.owner_dsn, actor="tests", processes=1)
    again = json.loads(json.dumps(report.as_json()))
    assert again["ok"] is False
    assert again["counts"] == {"value_differs": len(again["findings"])}
    assert again["findings"][0]["column"] == "state"
    assert again["log"]["events"] == again["head"] == folded.head


def test_the_same_log_gives_the_same_fingerprint_and_one_bit_another(folded: Recorded, damage: Damage) -> None:
    def prints() -> dict[str, str]:
        with connect_reading(folded.database.owner_dsn) as connection:
            return digest_tables(connection, "public")

    before = prints()
    damage("TRUNCATE " + ", ".join(TABLES))
    damage("UPDATE projection_checkpoints SET position = 0")
    fold_live(folded.database, folded.head // 3)
    fold_live(folded.database)
    assert prints() == before
    damage("UPDATE transactions SET held_minor = held_minor + 1")
    assert {table for table, value in prints().items() if value != before[table]} == {"transactions"}


def test_tables_that_a_rebuild_exchanges_meanwhile_are_compared_as_they_are_then(
    folded: Recorded, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snapshot is older than the rows of the new tables, and sees none of them."""
    damage("UPDATE payouts SET recipient = 'x'")
    rebuilt: list[Rebuilt] = []

    def rebuild_first(connection: psycopg.Connection[TupleRow], pair: Pair, schema: str) -> Iterator[Finding]:
        if not rebuilt:
            names = ["transactions", "ledger"]
            rebuilt.append(rebuild(folded.database.owner_dsn, actor="tests", projections=names, processes=1))
        yield from compare_rows(connection, pair, schema)

    monkeypatch.setattr("replay.projections.compare_rows", rebuild_first)
    report = compare(folded)
    assert len(rebuilt) == 1
    assert report.differing == ("payouts",)
    assert {summary.position for summary in report.projections} == {folded.head}


def test_what_cannot_be_read_of_the_verification_itself_is_told_beside_all_that_was_found_before(
    folded: Recorded, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage("DELETE FROM idempotency WHERE first_position = 60")
    damage("ALTER TABLE payouts DROP COLUMN recipient")

    def lose(connection: psycopg.Connection[TupleRow], schema: str, tables: Iterable[str]) -> None:
        spare_the_log(connection, schema, tables)
        lose_file(damage, f"{schema}.payouts")

    monkeypatch.setattr("replay.projections.spare_the_log", lose)
    report = verify(folded.database.owner_dsn, actor="tests", processes=1)
    assert set(report.counts) == {"command_missing", "column_missing", "table_unreadable"}
    assert report.not_checked[-1] == NO_TABLES
    with pytest.raises(TableUnreadable, match="could not open file"):
        repair(folded.database.owner_dsn, actor="tests", processes=1)
