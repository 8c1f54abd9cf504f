"""The long runs: a thousand transactions with everything going wrong, the same without webhooks, and fifty murders."""

import pytest

from tests.simulation.conftest import Play
from tests.simulation.world import Plan

WORLDS, DEALS, STEPS = 20, 50, 1500


@pytest.mark.soak
@pytest.mark.parametrize("webhooks", [True, False], ids=["with webhooks", "by polling only"])
def test_a_thousand_transactions_come_to_rest_whatever_goes_wrong(playing, *, webhooks: bool) -> None:
    plan = Plan(steps=STEPS, transactions=DEALS, misbehave=True, webhooks=webhooks)

    async def story(play: Play) -> int:
        transactions = 0
        for seed in range(1, WORLDS + 1):
            outcome = await play(seed, plan)
            assert outcome.failure is None, (seed, outcome.failure)
            transactions += sum(outcome.phases.values())
        return transactions

    assert playing(story) == WORLDS * DEALS


@pytest.mark.guarantee("G3", faults="the worker is killed within its work", runs="50 kills")
def test_killing_the_worker_fifty_times_changes_nothing_in_the_outcome(playing) -> None:
    async def story(play: Play) -> int:
        murders = 0
        for seed in range(1, 40):
            spared = await play(seed, Plan(steady=True))
            killed = await play(seed, Plan(steady=True, murder_rate=0.4))
            assert (spared.failure, killed.failure) == (None, None), (seed, spared.failure, killed.failure)
            assert killed.ends == spared.ends, seed
            murders += killed.murders
            if murders >= 50:
                break
        return murders

    assert playing(story) >= 50
