"""Where everything stands, also where a table that says so is damaged."""

import pytest

from cli.failure import exit_code_of
from replay.damage import TableUnreadable
from replay.status import status
from tests.replay.conftest import Damage, Recorded
from tests.replay.damaging import lose_file


@pytest.mark.parametrize("table", ["escrow_events_position", "projection_checkpoints", "replay_runs"])
def test_a_file_that_is_gone_is_told_with_the_name_of_its_table(folded: Recorded, damage: Damage, table: str) -> None:
    lose_file(damage, table)
    with pytest.raises(TableUnreadable, match="could not open file") as caught:
        status(folded.database.auditor_dsn)
    assert caught.value.facts["table"] == table.removesuffix("_position")
    assert exit_code_of(caught.value) == 3


def test_checkpoints_that_are_gone_are_told_in_the_same_words(folded: Recorded, damage: Damage) -> None:
    damage("DROP TABLE projection_checkpoints")
    with pytest.raises(TableUnreadable, match="projection_checkpoints"):
        status(folded.database.auditor_dsn)
