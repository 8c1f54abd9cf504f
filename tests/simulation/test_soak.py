"""A thousand transactions in one world, and the same in short: everything goes wrong, without webhooks, killed."""

import json
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.simulation.conftest import Play
from tests.simulation.runner import Outcome
from tests.simulation.world import Plan

MURDERS = 50
RUNS_TO_KILL = 200
SIZES = [(10, 300), pytest.param((1000, 16_000), marks=pytest.mark.soak)]
"""Transactions, and the steps before everything heals."""


@pytest.mark.guarantee(
    "G1",
    "G3",
    faults="the stand-in goes wrong in every way at once, with and without webhooks, and both processes crash",
    runs="10 transactions in one world; 1,000 in `make soak`",
)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]} transactions")
@pytest.mark.parametrize("webhooks", [True, False], ids=["with webhooks", "by polling only"])
def test_all_transactions_come_to_rest_whatever_goes_wrong(
    playing, show: Callable[..., None], size: tuple[int, int], *, webhooks: bool
) -> None:
    deals, steps = size
    plan = Plan(steps=steps, transactions=deals, misbehave=True, webhooks=webhooks)

    async def story(play: Play) -> Outcome:
        return await play(1, plan)

    outcome = playing(story)
    assert outcome.failure is None, "\n".join([*outcome.trace[-100:], outcome.failure])
    show(outcome)
    assert sum(outcome.phases.values()) == deals


@pytest.mark.guarantee(
    "G3",
    faults="the worker is killed within its work",
    runs="50 kills in a world of 10 transactions; of 1,000 in `make soak`",
)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]} transactions")
def test_killing_the_worker_fifty_times_changes_nothing_in_the_outcome(
    playing, show: Callable[..., None], size: tuple[int, int]
) -> None:
    deals, steps = size
    steady = Plan(steps=steps, transactions=deals, steady=True)
    hunted = replace(steady, murder_rate=RUNS_TO_KILL / steps)

    async def story(play: Play) -> tuple[Outcome, Outcome]:
        return await play(1, steady), await play(1, hunted)

    spared, killed = playing(story)
    assert (spared.failure, killed.failure) == (None, None), (spared.failure, killed.failure)
    show(killed, murders=killed.murders)
    assert killed.murders >= MURDERS
    assert sum(killed.phases.values()) == deals
    assert killed.ends == spared.ends


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Print the figures of a run, for whoever asks for them with `-s` or reads the log of the long runs."""
    began = time.monotonic()

    def tell(outcome: Outcome, **more: int) -> None:
        figures = {"events": outcome.events, "seconds": round(time.monotonic() - began, 1), **more}
        with capsys.disabled():
            print("\n" + json.dumps({**figures, "ends": dict(sorted(outcome.phases.items()))}))

    return tell
