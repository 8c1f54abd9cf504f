"""Random people, a misbehaving processor and crashes: money adds up after every step, and at rest both sides agree."""

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.conftest import Play
from tests.simulation.kept import keep, recall, replay_command
from tests.simulation.world import Plan

SHORT_RUN_SECONDS = 30.0
KEPT = [recall(line) for line in (Path(__file__).parent / "failed_seeds.txt").read_text().splitlines()[1:]]


@pytest.mark.guarantee(
    "G1",
    "G3",
    faults="random people, a misbehaving processor, crashes; a model of the money after every step",
    runs="30 s of seeds; 500 seeds in `make simulate`",
)
def test_random_seeds_come_to_rest_with_both_sides_equal(playing) -> None:
    async def story(play: Play) -> Counter[str]:
        until, ends, seed = time.monotonic() + SHORT_RUN_SECONDS, Counter[str](), 0
        while time.monotonic() < until:
            seed += 1
            plan = Plan(misbehave=seed % 2 == 0)
            outcome = await play(seed, plan)
            assert outcome.failure is None, f"{replay_command(seed, plan)}\n{outcome.failure}"
            ends.update(outcome.phases)
        return ends

    ends = playing(story)
    assert {"completed", "refunded"} <= set(ends)


def test_a_seed_run_twice_takes_the_same_steps(playing) -> None:
    async def story(play: Play) -> None:
        for seed in (3, 4, 5):
            first, again = [await play(seed, Plan(misbehave=True)) for _ in range(2)]
            assert first.trace == again.trace

    playing(story)


@pytest.mark.parametrize(("seed", "plan"), KEPT, ids=[str(seed) for seed, _ in KEPT])
def test_a_seed_that_once_failed_does_not_any_more(playing, seed: int, plan: Plan) -> None:
    async def story(play: Play) -> None:
        outcome = await play(seed, plan)
        assert outcome.failure is None, "\n".join([*outcome.trace, outcome.failure])

    playing(story)


def test_a_kept_seed_is_played_again_at_the_sizes_it_failed_at() -> None:
    for plan in (Plan(), Plan(steps=200, transactions=8, misbehave=True), Plan(transactions=1, webhooks=False)):
        assert recall(f"{keep(7, plan)}  what it found") == (7, plan)


def test_a_line_from_before_the_sizes_were_kept_means_the_usual_ones() -> None:
    assert recall("9 -  what it found") == (9, Plan())
    assert recall("9 misbehave,no-webhooks  what it found") == (9, Plan(misbehave=True, webhooks=False))
