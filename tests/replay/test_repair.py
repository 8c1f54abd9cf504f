"""Repair makes anew what differs from the log, says so, and verifies it again."""

import re
from pathlib import Path

import psycopg
import pytest

from cli.run.replay import list_mended
from replay.damage import TailLost
from replay.finding import MENDABLE, FindingKind
from replay.repair import repair
from replay.runs import list_last_runs
from tests.replay.conftest import Damage, Recorded, compare
from tests.replay.tables import table_oids

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "rebuild.md"


def test_repair_rebuilds_only_what_differs(folded: Recorded, damage: Damage) -> None:
    damage("UPDATE payouts SET recipient = 'x'")
    oids = table_oids(folded)
    plan = repair(folded.database.owner_dsn, actor="tests", dry_run=True, processes=1)
    assert plan.rebuilt is not None
    assert plan.rebuilt.projections == ("payouts",)
    assert not compare(folded).ok
    done = repair(folded.database.owner_dsn, actor="tests", processes=1)
    assert done.ok
    assert done.before.differing == ("payouts",)
    assert {table for table, oid in table_oids(folded).items() if oid != oids[table]} == {"payouts"}
    assert repair(folded.database.owner_dsn, actor="tests", processes=1).rebuilt is None


def test_repair_rebuilds_the_table_of_commands_from_the_log(folded: Recorded, damage: Damage) -> None:
    with psycopg.connect(folded.database.owner_dsn) as connection:
        before = connection.execute("SELECT * FROM idempotency ORDER BY 1").fetchall()
    damage("DELETE FROM idempotency WHERE first_position > 40")
    damage("UPDATE idempotency SET request_digest = sha256('x') WHERE first_position = 1")
    plan = repair(folded.database.owner_dsn, actor="tests", dry_run=True, processes=1)
    assert list_mended(plan) == ["would fold the table of commands anew"]
    done = repair(folded.database.owner_dsn, actor="the operator", processes=1)
    assert done.ok
    assert list_mended(done) == [f"folded the table of commands anew: {len(before)} commands"]
    with psycopg.connect(folded.database.owner_dsn) as connection:
        assert connection.execute("SELECT * FROM idempotency ORDER BY 1").fetchall() == before
        (run,) = [run for run in list_last_runs(connection) if run.kind == "repair"]
    assert (run.actor, run.outcome, run.position) == ("the operator", "done", folded.head)


def test_a_command_that_its_index_does_not_find_is_named_and_repair_builds_the_index_anew(
    folded: Recorded, damage: Damage
) -> None:
    """It is in the table, but whoever asks by its key is told that it was never done, and does it again."""
    with psycopg.connect(folded.database.owner_dsn) as connection:
        (lost,) = connection.execute(
            "SELECT max(first_position) FROM idempotency WHERE first_position <= 60"
        ).fetchone() or (0,)
    is_ready = "UPDATE pg_index SET indisready = {} WHERE indexrelid = 'idempotency_command'::regclass"
    damage("CREATE TEMPORARY TABLE copy AS SELECT * FROM idempotency WHERE first_position = %s", (lost,))
    damage("DELETE FROM idempotency WHERE first_position = %s", (lost,))
    damage(is_ready.format("FALSE"))
    damage("INSERT INTO idempotency SELECT * FROM copy")
    damage(is_ready.format("TRUE"))
    done = repair(folded.database.owner_dsn, actor="tests", processes=1)
    (finding,) = done.before.findings
    assert (finding.kind, finding.table, finding.position) == (FindingKind.COMMAND_HIDDEN, "idempotency", lost)
    assert done.ok
    assert done.commands is not None


def test_a_stop_that_its_index_does_not_find_is_named_and_repair_builds_the_index_anew(
    folded: Recorded, damage: Damage
) -> None:
    is_ready = "UPDATE pg_index SET indisready = {} WHERE indexrelid = 'projection_failures_pkey'::regclass"
    damage(is_ready.format("FALSE"))
    damage("INSERT INTO projection_failures VALUES ('payouts', 3, 'x', now(), now())")
    damage(is_ready.format("TRUE"))
    done = repair(folded.database.owner_dsn, actor="tests", processes=1)
    (finding,) = done.before.findings
    assert (finding.kind, finding.found) == (FindingKind.INDEX_UNREADABLE, "1 rows that it does not find")
    assert (done.ok, done.reindexed) == (True, ("projection_failures",))


def test_repair_forgets_the_checkpoint_of_a_projection_that_this_program_does_not_have(
    folded: Recorded, damage: Damage
) -> None:
    damage("INSERT INTO projection_checkpoints (name, version, position) VALUES ('old', 3, 1)")
    damage("UPDATE payouts SET recipient = 'x'")
    plan = repair(folded.database.owner_dsn, actor="tests", dry_run=True, processes=1)
    assert list_mended(plan)[1:] == ["would forget the checkpoint of old, which this program does not have"]
    done = repair(folded.database.owner_dsn, actor="tests", processes=1)
    assert list_mended(done)[1:] == ["forgot the checkpoint of old, which this program does not have"]
    assert (done.rebuilt is not None, done.forgotten, done.ok) == (True, ("old",), True)
    again = repair(folded.database.owner_dsn, actor="tests", processes=1)
    assert (again.ok, list_mended(again)) == (True, ["nothing differs"])


def test_what_is_forgotten_stops_no_more(folded: Recorded, damage: Damage) -> None:
    """The alert of its stop would stand for ever: nothing moves it past the event any more."""
    damage("INSERT INTO projection_checkpoints (name, version, position) VALUES ('old', 3, 1)")
    damage(
        "INSERT INTO projection_failures (name, position, error, failed_at) "
        "VALUES ('old', 2, 'x', now()), ('ledger', 2, 'x', now())"
    )
    assert repair(folded.database.owner_dsn, actor="tests", processes=1).ok
    with psycopg.connect(folded.database.owner_dsn) as connection:
        found = connection.execute("SELECT name, resolved_at IS NULL FROM projection_failures ORDER BY name").fetchall()
    assert found == [("ledger", True), ("old", False)]


def test_what_is_wrong_again_after_a_repair_is_found(folded: Recorded, damage: Damage) -> None:
    """A checkpoint of nobody that comes back while the table of commands is folded anew."""
    damage("DELETE FROM idempotency WHERE first_position > 40")
    damage(
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO projection_checkpoints (name, version) VALUES (''old'', 1); RETURN NULL; END'"
    )
    damage("CREATE TRIGGER spoil AFTER INSERT ON idempotency FOR EACH STATEMENT EXECUTE FUNCTION spoil()")
    done = repair(folded.database.owner_dsn, actor="tests", processes=1)
    assert done.before.differing == ()
    assert done.after is not None
    assert {finding.kind for finding in done.after.findings} == {FindingKind.CHECKPOINT_UNKNOWN}
    assert not done.ok


@pytest.mark.parametrize("with_commands", [True, False])
def test_nothing_is_folded_from_a_log_whose_tail_is_lost_unless_its_head_is_known(
    folded: Recorded, damage: Damage, with_commands: bool
) -> None:
    """Without their row in the table of commands, those that the tail held would be carried out a second time."""
    dsn, head = folded.database.owner_dsn, folded.head - 10
    damage("DELETE FROM escrow_events WHERE notification_id > %s", (head,))
    if with_commands:
        damage("DELETE FROM idempotency WHERE last_position > %s", (head,))
    with psycopg.connect(dsn) as connection:
        before = connection.execute("SELECT count(*) FROM idempotency").fetchone()
        for expected_head in (None, folded.head):
            with pytest.raises(TailLost, match="further"):
                repair(dsn, actor="tests", expected_head=expected_head, processes=1)
        assert connection.execute("SELECT count(*) FROM idempotency").fetchone() == before
    assert repair(dsn, actor="tests", expected_head=head, processes=1).ok


def test_findings_of_a_verification_before_and_after(folded: Recorded, damage: Damage) -> None:
    damage("DROP TABLE ledger_accounts")
    done = repair(folded.database.owner_dsn, actor="tests", processes=1)
    assert {finding.kind for finding in done.before.findings} == {FindingKind.TABLE_MISSING}
    assert done.as_json()["ok"] is True


def test_the_page_says_of_every_kind_of_finding_what_to_do() -> None:
    rows = [line.strip("| \n").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    advice = {kind: what for _, kinds, what in rows for kind in re.findall(r"`([a-z_]+)`", kinds)}
    assert set(advice) == {kind.value for kind in FindingKind}
    assert {kind for kind, what in advice.items() if what.startswith("`repair`")} == {kind.value for kind in MENDABLE}
