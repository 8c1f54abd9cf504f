"""Two processes fold two groups of read models, and an event that nobody can fold stops whom it concerns."""

import psycopg
import pytest

from projections.catch_up import ProjectionStopped
from projections.registry import PROJECTIONS
from replay.damage import RebuildStopped
from replay.finding import FindingKind
from replay.fold import divide
from replay.progress import Step
from replay.rebuild import rebuild
from replay.status import status
from replay.verify import verify
from tests.replay.conftest import Damage, Recorded, compare, fold_live


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a long log."""
    monkeypatch.setattr("replay.fold.EVENTS_FOR_TWO", 1)


def test_every_projection_is_in_one_of_two_groups() -> None:
    groups = divide(PROJECTIONS)
    assert len(groups) == 2
    assert sorted(p.name for group in groups for p in group) == sorted(p.name for p in PROJECTIONS)


@pytest.mark.usefixtures("two_processes")
def test_two_processes_rebuild_what_one_would(folded: Recorded, damage: Damage) -> None:
    damage("UPDATE transactions SET state = 'x'")
    damage("UPDATE ledger_accounts SET entries = 0")
    steps: list[Step] = []
    rebuild(folded.database.owner_dsn, actor="tests", processes=2, progress=steps.append)
    assert compare(folded).ok
    folds = [step for step in steps if step.phase == "fold"]
    assert folds[-1].done == folds[-1].total == folded.head


@pytest.mark.usefixtures("two_processes")
def test_two_processes_verify_what_one_would(folded: Recorded, damage: Damage) -> None:
    damage("UPDATE transactions SET state = 'x'")
    report = verify(folded.database.owner_dsn, actor="tests", log=False, processes=2)
    assert report.differing == ("transactions",)


@pytest.mark.usefixtures("two_processes")
def test_what_stops_one_process_is_told_by_the_other(folded: Recorded, damage: Damage) -> None:
    damage("UPDATE escrow_events SET topic = 'nobody.knows.v1' WHERE notification_id = 30")
    with pytest.raises(RebuildStopped) as caught:
        rebuild(folded.database.owner_dsn, actor="tests", check_log=False, processes=2)
    assert caught.value.facts["position"] == 30
    assert compare(folded, "ledger").counts == {FindingKind.PROJECTION_FAILS.value: 1}


def test_tables_that_stand_before_a_poisoned_event_are_right_and_the_log_is_not(
    recorded: Recorded, damage: Damage
) -> None:
    """Never skipped: verify names the event, status the projections that wait for it."""
    damage("UPDATE escrow_events SET topic = 'nobody.knows.v1' WHERE notification_id = 100")
    with pytest.raises(ProjectionStopped):
        fold_live(recorded.database)
    report = verify(recorded.database.owner_dsn, actor="tests", processes=1)
    assert {summary.position for summary in report.projections} == {99}
    assert report.differing == ()
    assert (FindingKind.TOPIC_UNKNOWN, 100) in {(finding.kind, finding.position) for finding in report.findings}
    assert {projection.position for projection in status(recorded.database.auditor_dsn).projections} == {99}


def test_a_fold_that_breaks_a_constraint_is_named(folded: Recorded, damage: Damage) -> None:
    """An amount that no account may hold, with all hashes right: the read models refuse it."""
    with psycopg.connect(folded.database.owner_dsn) as connection:
        row = connection.execute(
            "SELECT min(notification_id) FROM escrow_events WHERE topic = 'treasury.funds_moved.v1'"
        ).fetchone()
    assert row is not None
    damage(
        "UPDATE escrow_events SET state = convert_to(regexp_replace(convert_from(state, 'UTF8'), "
        "'10000000\\]', '100000000000000000]', 'g'), 'UTF8') WHERE notification_id = %s",
        (row[0],),
    )
    report = compare(folded, "ledger")
    assert FindingKind.PROJECTION_FAILS in {finding.kind for finding in report.findings}
