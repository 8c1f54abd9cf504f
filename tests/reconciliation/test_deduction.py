"""A refund stands on the account that it was taken from: what is not settled yet, or the balance."""

import pytest

from domain.journal import Account
from domain.treasury import Movement
from gateways.paystack.sim.state import Behaviour
from reconciliation.run import Run
from tests.conftest import Database
from tests.reconciliation.world import Business, run


def ours_and_theirs(found: Run, account: Account) -> list[tuple[int, int]]:
    figures = found.outcome.figures
    return [(each.ledger_minor, each.processor_minor) for each in figures if each.account == account]


@pytest.mark.parametrize("place", ["balance", "bank"])
def test_a_refund_out_of_unsettled_money_moves_to_the_balance_with_the_settlement(
    database: Database, place: str
) -> None:
    behaviour = Behaviour(settles_to=place, settle_seconds=600.0)  # type: ignore[arg-type]

    async def story(business: Business) -> None:
        for _ in range(2):
            await business.world.hold()
        await business.sell(2)
        early = await business.reconcile("early")
        assert (early.booked, early.outcome.differences) == ((), ())
        # The balance is untouched on both sides, and nothing has to explain a distance.
        ((ours, theirs),) = ours_and_theirs(early, Account.BALANCE)
        assert ours == theirs
        business.world.wait(hours=1)
        await business.until_settled()
        later = await business.reconcile("later")
        assert later.outcome.differences == ()
        assert [each.movement for each in later.booked].count(Movement.REFUND_DEDUCTED) == 1
        assert ours_and_theirs(later, Account.UNCLEARED) in ([], [(0, 0)])
        again = await business.reconcile("again")
        assert (again.booked, again.outcome.differences) == ((), ())

    run(database, story, behaviour)


def test_a_refund_out_of_the_balance_stays_there(database: Database) -> None:
    async def story(business: Business) -> None:
        await business.sell(2)
        found = await business.reconcile()
        assert found.outcome.differences == ()
        assert Movement.REFUND_DEDUCTED not in [each.movement for each in found.booked]
        ((ours, theirs),) = ours_and_theirs(found, Account.BALANCE)
        assert ours == theirs

    run(database, story)


def test_a_refund_that_fails_is_back_on_the_account_that_it_was_taken_from(database: Database) -> None:
    behaviour = Behaviour(settle_seconds=600.0)

    async def story(business: Business) -> None:
        for _ in range(2):
            await business.world.hold()
        await business.world.fault("refund", "fail")
        await business.sell(2)
        business.world.wait(minutes=5)
        early = await business.reconcile("early")
        assert (early.booked, early.outcome.differences) == ((), ())
        business.world.wait(hours=1)
        await business.until_settled()
        later = await business.reconcile("later")
        assert later.outcome.differences == ()
        assert Movement.REFUND_DEDUCTED not in [each.movement for each in later.booked]

    run(database, story, behaviour)
