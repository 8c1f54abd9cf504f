"""The simulator is seen to fail: each planted bug is found within the number of seeds stated beside it."""

import pytest

from tests.domain.chart import Wrong
from tests.simulation.conftest import Play
from tests.simulation.plants import PLANTS, SLOW, Plant
from tests.simulation.world import Plan

EACH = [pytest.param(plant, marks=pytest.mark.soak) if plant in SLOW else plant for plant in PLANTS]


@pytest.mark.guarantee(
    "G1",
    "G3",
    planted="bugs in rules and reactions, such as a timeout taken for a refusal, or a refund sent without a look",
)
@pytest.mark.parametrize("plant", EACH, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(playing, monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    plant(monkeypatch)

    async def story(play: Play) -> int | None:
        for seed in range(1, PLANTS[plant] + 1):
            outcome = await play(seed, Plan(misbehave=True))
            assert outcome.error in (None, Wrong), outcome.failure
            if outcome.error is Wrong:
                return seed
        return None

    assert playing(story) is not None, f"not found within {PLANTS[plant]} seeds"
