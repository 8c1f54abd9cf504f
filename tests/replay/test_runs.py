"""The record of runs keeps nobody from mending what it is about."""

from pathlib import Path

import psycopg
import pytest

import database.migrations
from replay.as_of import as_of
from replay.finding import FindingKind
from replay.rebuild import rebuild
from replay.repair import repair
from replay.runs import NOT_KEPT
from tests.replay.conftest import Damage, Recorded, compare
from tests.replay.damaging import lose_file

SWALLOW = """
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER swallow BEFORE INSERT ON replay_runs FOR EACH ROW EXECUTE FUNCTION swallow();
ALTER TABLE replay_runs ENABLE ALWAYS TRIGGER swallow;
"""
DAMAGES = {
    "it is gone": ("DROP TABLE replay_runs", "does not exist"),
    "a column is gone": ("ALTER TABLE replay_runs DROP COLUMN actor", "does not exist"),
    "nobody may write to it": ("REVOKE ALL ON replay_runs FROM escrow_owner", "permission denied"),
    "it keeps no row": (SWALLOW, NOT_KEPT),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_where_no_record_can_be_written_all_else_is_mended_and_the_record_is_named(
    folded: Recorded, damage: Damage, name: str
) -> None:
    statement, complaint = DAMAGES[name]
    damage(statement)
    damage("UPDATE payouts SET recipient = 'x'")
    done = repair(folded.database.owner_dsn, actor="tests", processes=1)
    assert done.before.counts[FindingKind.TABLE_UNREADABLE] == 1
    assert done.before.differing == ("payouts",)
    assert done.after is not None
    (finding,) = done.after.findings
    assert (finding.kind, finding.table) == (FindingKind.TABLE_UNREADABLE, "replay_runs")
    assert complaint in str(finding.found)


def test_a_rebuild_and_a_look_at_the_past_say_why_they_are_not_recorded(folded: Recorded, damage: Damage) -> None:
    lose_file(damage, "replay_runs")
    dsn = folded.database.owner_dsn
    rebuilt = rebuild(dsn, actor="tests", projections=["payouts"], processes=1)
    then = as_of(dsn, "past", 1, actor="tests", projections=["payouts"], processes=1)
    for unrecorded in (rebuilt.as_json()["unrecorded"], then.as_json()["unrecorded"]):
        assert "could not open file" in str(unrecorded)


def test_the_record_is_begun_anew_as_the_page_says(folded: Recorded, damage: Damage) -> None:
    lose_file(damage, "replay_runs")
    with psycopg.connect(folded.database.owner_dsn) as connection:
        connection.execute("DROP TABLE replay_runs")
        connection.execute((Path(database.migrations.__file__).parent / "0007_replay.sql").read_text())
    assert compare(folded).ok
