"""Rebuilding mends what was damaged, loses nothing, and touches nothing else."""

import psycopg
import pytest

from cli.failure import exit_code_of
from domain.errors import EscrowError
from projections.install import install_tables
from projections.payout import PAYOUTS
from replay.as_of import (
    PositionUnknown,
    SchemaExists,
    SchemaNameUnfit,
    SchemaUnknown,
    as_of,
    drop_as_of,
)
from replay.damage import LogDamaged, RebuildStopped, RebuildUnproven, TableUnreadable
from replay.log import connect_reading
from replay.places import PlacesLost
from replay.progress import Step
from replay.rebuild import RebuildRunning, rebuild
from replay.rebuilding import REBUILD, SwapBlocked, TableDependedOn, read_shadow
from replay.repair import repair
from replay.runs import Run, RunKind, list_last_runs
from replay.shadow import SQL as SHADOW
from replay.shadow import connect_owner
from replay.status import status
from tests.projections.comparing import digest_tables
from tests.replay.conftest import Damage, Recorded, compare, fold_live, mend
from tests.replay.damaging import lose_file
from tests.replay.tables import TABLES, table_oids
from tests.replay.world import Market, record


def prints(recorded: Recorded, schema: str = "public") -> dict[str, str]:
    """What the tables of a schema say, in short."""
    with connect_reading(recorded.database.owner_dsn) as connection:
        return digest_tables(connection, schema)


def schemas(recorded: Recorded) -> set[str]:
    with psycopg.connect(recorded.database.owner_dsn) as connection:
        return {row[0] for row in connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'replay%'")}


DAMAGES = {
    "rows changed": "UPDATE transactions SET state = 'x'; UPDATE ledger_accounts SET balance_minor = 0",
    "rows deleted": "DELETE FROM ledger_entries; DELETE FROM payouts",
    "a table dropped": "DROP TABLE transactions",
    "every table dropped": "DROP TABLE " + ", ".join(TABLES),
    "a column dropped": "ALTER TABLE transactions DROP COLUMN state",
    "a column added": "ALTER TABLE transactions ADD COLUMN x int",
    "indexes dropped": "DROP INDEX transactions_buyer; ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_pkey",
    "grants revoked": "REVOKE ALL ON transactions FROM escrow_app, escrow_auditor",
    "checkpoint back": "UPDATE projection_checkpoints SET position = position - 40",
    "checkpoint lost": "DELETE FROM projection_checkpoints WHERE name = 'ledger'",
    "all checkpoints lost": "DROP TABLE projection_checkpoints",
    "checkpoint ahead": "UPDATE projection_checkpoints SET position = 1000000",
    "version changed": "UPDATE projection_checkpoints SET version = 7",
}


@pytest.mark.weakness("W20")
@pytest.mark.parametrize("name", DAMAGES)
def test_a_rebuild_mends(folded: Recorded, damage: Damage, name: str) -> None:
    before = prints(folded)
    damage(DAMAGES[name])
    assert not compare(folded).ok
    mend(folded)
    assert [finding.describe() for finding in compare(folded).findings] == []
    assert prints(folded) == before
    assert schemas(folded) == set()


def test_the_runner_goes_on_after_a_rebuild(folded: Recorded, damage: Damage) -> None:
    damage("DROP TABLE transactions")
    mend(folded)
    record(folded.database.owner_dsn, Market(8).run(sales=2, steps=50, funded=False))
    fold_live(folded.database)
    assert compare(folded).ok


STOP = """
INSERT INTO projection_failures (name, position, error, failed_at) VALUES
('payouts', 3, 'MissingRow', now()), ('ledger', 3, 'MissingRow', now())
"""


def test_a_rebuild_ends_the_stops_that_are_behind_it_and_no_others(folded: Recorded, damage: Damage) -> None:
    damage(STOP)
    mend(folded, "payouts")
    with psycopg.connect(folded.database.owner_dsn) as connection:
        found = connection.execute("SELECT name, resolved_at IS NULL FROM projection_failures ORDER BY name").fetchall()
    assert found == [("ledger", True), ("payouts", False)]


def test_a_rebuild_makes_the_table_of_stops_where_it_is_gone(folded: Recorded, damage: Damage) -> None:
    damage("DROP TABLE projection_failures")
    mend(folded)
    record(folded.database.owner_dsn, Market(8).run(sales=1, steps=5, funded=False))
    fold_live(folded.database)
    assert compare(folded).ok


LOSE = """
UPDATE pg_class SET relfilenode = (relfilenode::bigint {} 7777777)::oid
WHERE oid = 'projection_checkpoints'::regclass
"""
PLACES = "SELECT * FROM projection_checkpoints ORDER BY name"


def test_checkpoints_that_cannot_be_read_are_dropped_with_the_swap_and_not_before(
    folded: Recorded, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is interrupted leaves them as they were: without them the worker would empty every read model."""
    monkeypatch.setattr("replay.rebuilding.SWAP_ATTEMPTS", 1)
    with psycopg.connect(folded.database.owner_dsn) as reader:
        before = reader.execute(PLACES).fetchall()
        reader.commit()
        damage(LOSE.format("+"))
        reader.execute("SELECT * FROM transactions")
        with pytest.raises(SwapBlocked):
            mend(folded)
        damage(LOSE.format("-"))
        assert reader.execute(PLACES).fetchall() == before


STRANGE = {
    "a view on it": ("CREATE VIEW late AS SELECT * FROM payouts", "DROP VIEW late"),
    "a view in its place": ("DROP TABLE payouts; CREATE VIEW payouts AS SELECT 1 AS id", "DROP VIEW payouts"),
}


@pytest.mark.parametrize(("made", "unmade"), STRANGE.values(), ids=STRANGE.keys())
def test_what_somebody_made_of_a_read_model_is_named_and_not_dropped(
    folded: Recorded, damage: Damage, made: str, unmade: str
) -> None:
    damage(made)
    with pytest.raises(TableDependedOn) as refusal:
        mend(folded, "payouts")
    assert "payouts" in str(refusal.value.facts["reason"])
    damage(unmade)
    mend(folded, "payouts")
    assert compare(folded).ok


def test_one_read_model_is_not_rebuilt_while_the_places_of_all_others_are_lost(
    folded: Recorded, damage: Damage
) -> None:
    damage(LOSE.format("+"))
    with pytest.raises(PlacesLost):
        rebuild(folded.database.owner_dsn, actor="tests", projections=["payouts"], dry_run=True)
    with pytest.raises(PlacesLost):
        mend(folded, "payouts")
    damage(LOSE.format("-"))
    assert compare(folded).ok


def test_repair_makes_the_table_of_stops_where_it_is_gone(folded: Recorded, damage: Damage) -> None:
    damage("DROP TABLE projection_failures")
    done = repair(folded.database.owner_dsn, actor="tests", processes=1)
    assert {finding.table for finding in done.before.findings} == {"projection_failures"}
    assert (done.ok, done.stops, done.rebuilt) == (True, True, None)


def test_a_rebuild_of_one_leaves_the_others_alone(folded: Recorded, damage: Damage) -> None:
    damage("UPDATE payouts SET recipient = 'x'")
    damage("UPDATE transactions SET state = 'x'")
    oids = table_oids(folded)
    mend(folded, "transactions")
    assert compare(folded).differing == ("payouts",)
    assert {table for table, oid in table_oids(folded).items() if oid != oids[table]} == {"transactions"}


def test_a_rebuild_raises_the_fences(folded: Recorded) -> None:
    """A runner that remembers rows of the old tables must not write them into the new ones."""
    with psycopg.connect(folded.database.owner_dsn, autocommit=True) as connection:
        query = "SELECT name, fence FROM projection_checkpoints"
        before = dict(connection.execute(query).fetchall())
        mend(folded)
        after = dict(connection.execute(query).fetchall())
        assert all(after[name] > before[name] for name in before)
        connection.execute("DELETE FROM projection_checkpoints")
        mend(folded)
        assert all(fence > after[name] + 1000 for name, fence in connection.execute(query).fetchall())


def test_a_dry_run_changes_nothing_and_says_what_would_be_done(folded: Recorded, damage: Damage) -> None:
    damage("UPDATE transactions SET state = 'x'")
    before = prints(folded)
    plan = rebuild(folded.database.owner_dsn, actor="tests", dry_run=True)
    assert (plan.dry_run, plan.events, plan.position) == (True, folded.head, folded.head)
    assert prints(folded) == before
    assert schemas(folded) == set()


def test_the_second_rebuild_waits_or_refuses(folded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replay.rebuild.PATIENCE_SECONDS", 1)
    with connect_owner(folded.database.owner_dsn) as other:
        other.execute(SHADOW.lock, (REBUILD,))
        with pytest.raises(RebuildRunning):
            rebuild(folded.database.owner_dsn, actor="tests")
    mend(folded)


def test_nothing_is_folded_from_a_damaged_log(folded: Recorded, damage: Damage) -> None:
    before = prints(folded)
    damage("UPDATE escrow_events SET recorded_at = recorded_at + interval '1 us' WHERE notification_id = 9")
    with pytest.raises(LogDamaged) as caught:
        mend(folded)
    assert "position 9" in str(caught.value.facts["findings"])
    with pytest.raises(LogDamaged):
        repair(folded.database.owner_dsn, actor="tests", processes=1)
    assert prints(folded) == before


def test_a_poisoned_event_stops_a_rebuild_and_the_old_tables_serve_on(folded: Recorded, damage: Damage) -> None:
    damage("UPDATE escrow_events SET topic = 'nobody.knows.v1' WHERE notification_id = 30")
    before = prints(folded)
    with pytest.raises(RebuildStopped) as caught:
        rebuild(folded.database.owner_dsn, actor="tests", check_log=False, processes=1)
    assert caught.value.facts["position"] == 30
    assert prints(folded) == before


def test_the_books_are_held_against_the_log(folded: Recorded) -> None:
    """A fold that loses a cent is not let in."""
    steps: list[str] = []

    def spoil(step: Step) -> None:
        if step.phase == "fold" and "spoilt" not in steps:
            with connect_owner(folded.database.owner_dsn) as connection:
                if read_shadow(connection).get("ledger") == folded.head:
                    connection.execute("UPDATE replay_rebuild.ledger_accounts SET balance_minor = balance_minor + 1")
                    steps.append("spoilt")

    with pytest.raises(RebuildUnproven):
        rebuild(folded.database.owner_dsn, actor="tests", processes=1, progress=spoil)
    assert steps == ["spoilt"]
    assert compare(folded).ok


def test_the_past_can_be_looked_at(folded: Recorded) -> None:
    middle = folded.head // 2
    then = as_of(folded.database.owner_dsn, "last_week", middle, actor="tests", processes=1)
    assert then.position == middle
    with psycopg.connect(folded.database.auditor_dsn) as connection:
        rows = connection.execute("SELECT max(position) FROM last_week.ledger_entries").fetchone()
        assert rows is not None
        assert rows[0] <= middle
        row = connection.execute("SELECT min(recorded_at), max(recorded_at) FROM escrow_events").fetchone()
    assert row is not None
    by_time = as_of(folded.database.owner_dsn, "by_time", row[0] + (row[1] - row[0]) / 2, actor="tests", processes=1)
    assert abs(by_time.position - middle) <= 1
    as_of(folded.database.owner_dsn, "all_of_it", folded.head, actor="tests", processes=1)
    assert prints(folded, "all_of_it") == prints(folded)


def test_a_schema_of_the_past_is_dropped_and_no_other(folded: Recorded, damage: Damage) -> None:
    dsn = folded.database.owner_dsn
    as_of(dsn, "before", 10, actor="tests", projections=["ledger"], processes=1)
    with pytest.raises(SchemaExists):
        as_of(dsn, "before", 10, actor="tests")
    drop_as_of(dsn, "before")
    damage("CREATE SCHEMA somebodys")
    for name in ("before", "public", "somebodys"):
        with pytest.raises(SchemaUnknown):
            drop_as_of(dsn, name)
    assert compare(folded).ok


@pytest.mark.parametrize("name", ["public", "pg_temp", "replay_verify_1", "Öl", "a b", "", 'x"; DROP', "1st", "a" * 64])
def test_unfit_names_are_refused(folded: Recorded, name: str) -> None:
    with pytest.raises(SchemaNameUnfit):
        as_of(folded.database.owner_dsn, name, 10, actor="tests")


def test_a_position_that_there_is_not_is_refused_and_nothing_is_left(folded: Recorded) -> None:
    with pytest.raises(PositionUnknown):
        as_of(folded.database.owner_dsn, "future", folded.head + 1, actor="tests")
    as_of(folded.database.owner_dsn, "future", folded.head, actor="tests", projections=["ledger"])


def test_the_status_shows_lag_versions_and_the_last_runs(folded: Recorded, damage: Damage) -> None:
    compare(folded)
    mend(folded, "ledger")
    damage("UPDATE projection_checkpoints SET position = 5 WHERE name = 'payouts'")
    damage("DELETE FROM projection_checkpoints WHERE name = 'refunds'")
    damage("INSERT INTO projection_checkpoints (name, version, position) VALUES ('old', 3, 1)")
    for dsn in (folded.database.auditor_dsn, folded.database.owner_dsn):
        now = status(dsn)
        found = {projection.name: projection for projection in now.projections}
        assert now.head == folded.head
        assert (found["payouts"].lag, found["payouts"].version) == (folded.head - 5, PAYOUTS.version)
        assert found["refunds"].version is None
        assert found["old"].program_version is None
        assert {run.kind for run in now.runs} == {"diff", "rebuild"}
    assert set(now.as_json()) == {"head", "projections", "runs"}


def test_a_rebuild_is_recorded_with_who_asked(folded: Recorded, damage: Damage) -> None:
    mend(folded, "ledger")
    with psycopg.connect(folded.database.auditor_dsn) as connection:
        (run,) = list_last_runs(connection)
    assert (run.kind, run.actor, run.outcome, run.position) == ("rebuild", "tests", "done", folded.head)
    damage("UPDATE escrow_events SET leaf_hash = sha256('')")
    with pytest.raises(LogDamaged):
        mend(folded)
    with psycopg.connect(folded.database.auditor_dsn) as connection:
        (run,) = list_last_runs(connection)
    assert run.outcome == "failed"


def test_what_went_wrong_is_told_although_the_database_is_gone(
    folded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(dsn: str) -> None:
        raise psycopg.OperationalError

    def fail() -> None:
        with Run(folded.database.owner_dsn, RunKind.VERIFY, "tests"):
            monkeypatch.setattr("replay.runs.connect_owner", refuse)
            raise LogDamaged

    with pytest.raises(LogDamaged):
        fail()
    with psycopg.connect(folded.database.auditor_dsn) as connection:
        (run,) = list_last_runs(connection)
    assert run.outcome == "running"


@pytest.mark.parametrize("damage_found", [LogDamaged(), RebuildStopped(), RebuildUnproven()])
def test_the_command_line_ends_with_3_for_damage(damage_found: EscrowError) -> None:
    assert exit_code_of(damage_found) == 3


def test_a_schema_of_the_past_that_cannot_be_read_is_not_blamed_on_the_log(
    folded: Recorded, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*arguments: object, **options: object) -> None:
        install_tables(*arguments, **options)  # type: ignore[arg-type]
        lose_file(damage, "past.payouts")

    monkeypatch.setattr("replay.as_of.install_tables", lose)
    with pytest.raises(TableUnreadable, match="could not open file"):
        as_of(folded.database.owner_dsn, "past", folded.head, actor="tests", processes=1)
    with pytest.raises(SchemaUnknown):
        drop_as_of(folded.database.owner_dsn, "past")
