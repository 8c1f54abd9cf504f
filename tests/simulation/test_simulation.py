"""Random people, a misbehaving processor and crashes: money adds up after every step, and at rest both sides agree."""

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.conftest import Play
from tests.simulation.world import Plan

SHORT_RUN_SECONDS = 30.0
KEPT = [line.split()[:2] for line in (Path(__file__).parent / "failed_seeds.txt").read_text().splitlines()[1:]]


def plan_of(flags: str) -> Plan:
    return Plan(misbehave="misbehave" in flags, webhooks="no-webhooks" not in flags)


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
            outcome = await play(seed, Plan(misbehave=seed % 2 == 0))
            assert outcome.failure is None, f"--first {seed}{' --misbehave' * (seed % 2 == 0)}\n{outcome.failure}"
            ends.update(outcome.phases)
        return ends

    ends = playing(story)
    assert {"completed", "refunded"} <= set(ends)


def test_a_seed_run_twice_takes_the_same_steps(playing) -> None:
    async def story(play: Play) -> None:
        for seed in (3, 4, 5):
            first, again = [await play(seed, Plan(misbehave=True)) for _ in range(2)]
            assert first.trace == again.trace
            assert first.digest == again.digest

    playing(story)


@pytest.mark.parametrize(("seed", "flags"), KEPT)
def test_a_seed_that_once_failed_does_not_any_more(playing, seed: str, flags: str) -> None:
    async def story(play: Play) -> None:
        outcome = await play(int(seed), plan_of(flags))
        assert outcome.failure is None, "\n".join([*outcome.trace, outcome.failure])

    playing(story)
