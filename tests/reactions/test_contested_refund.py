"""A refund in doubt whose payment the bank takes back is asked about, never ordered again, and paid by nobody else."""

from uuid import UUID

import pytest

from domain.journal import Account
from domain.transaction import Transaction
from domain.transaction.records import PayoutStatus, RefundStatus
from gateways.payment import NewTransfer, Transfer
from reactions.advance import advance
from reactions.checkpoint import save_unless_since
from reactions.refund import CLOSED
from tests.conftest import Database
from tests.killed import Killed
from tests.reactions.disputes import decide, dispute
from tests.reactions.refusing import forget, heal, hinder
from tests.reactions.world import PRICE, World, run


async def doubt(world: World, fault: str) -> UUID:
    """Nobody knows whether the refund was ordered, and the bank has taken the payment back."""
    transaction_id = await world.hold()
    await world.fault("refund", fault, times=1)
    world.wait(hours=72)
    transaction = await world.advance(transaction_id)
    assert [one.status for one in transaction.refunds.values()] == [RefundStatus.UNCERTAIN]
    return transaction_id


async def lose(world: World, transaction_id: UUID) -> Transaction:
    reference, number = await dispute(world, transaction_id)
    await decide(world, number, "lost")
    await advance(world.tools, transaction_id, reference, is_disputed=True)
    return await world.transaction(transaction_id)


@pytest.mark.parametrize("crashes", [False, True])
def test_one_that_was_never_made_is_refused_and_its_money_is_the_chargebacks(database: Database, crashes: bool) -> None:
    async def story(world: World) -> None:
        transaction_id = await doubt(world, "500_before")
        transaction = await lose(world, transaction_id)
        assert transaction.stuck_reason == "refund_uncertain: charged back"
        assert transaction.balances[Account.LOSSES] == PRICE.amount_minor
        (refund,) = transaction.refunds
        for minutes in (0, 1):
            world.wait(minutes=minutes)
            assert (await world.advance(transaction_id)).refunds[refund].status is RefundStatus.UNCERTAIN
        world.wait(minutes=2)
        if crashes:
            assert await save_unless_since(world.pool, f"refund {refund}", CLOSED, world.at)
        transaction = await world.advance(transaction_id)
        assert transaction.refunds[refund].failure == "charged_back"
        assert transaction.is_over
        assert transaction.balances[Account.LOSSES] == 0
        assert await world.moved("refund") == []
        assert not transaction.payouts

    run(database.app_dsn, story)


def test_a_transfer_in_its_place_that_was_never_made_is_not_sent_after_the_chargeback(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.top_up(PRICE.amount_minor)
        await world.fault("refund", "refuse", times=1)
        await world.fault("transfer", "500_before", times=2)
        world.wait(hours=72)
        transaction = await world.advance(transaction_id)
        (payout,) = transaction.payouts
        assert transaction.payouts[payout].status is PayoutStatus.UNCERTAIN
        transaction = await lose(world, transaction_id)
        assert transaction.stuck_reason == "payout_uncertain: charged back"
        for minutes in (1, 8):
            world.wait(minutes=minutes)
            assert (await world.advance(transaction_id)).payouts[payout].status is PayoutStatus.UNCERTAIN
        world.wait(minutes=1)
        transaction = await world.advance(transaction_id)
        assert transaction.payouts[payout].status is PayoutStatus.FAILED
        assert transaction.is_over
        assert transaction.balances[Account.LOSSES] == 0
        assert await world.moved("transfer") == await world.moved("refund") == []

    run(database.app_dsn, story)


def test_what_is_left_of_a_transfer_that_may_have_been_sent_unheard_waits_until_the_processor_knows_it(
    database: Database,
) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.top_up(3 * PRICE.amount_minor)
        await world.fault("refund", "refuse", times=1)
        world.wait(hours=72)
        send = world.tools.gateway.initiate_transfer

        async def send_and_die(wanted: NewTransfer) -> Transfer:
            await send(wanted)
            raise Killed

        world.tools.gateway.initiate_transfer = send_and_die  # type: ignore[method-assign]
        with pytest.raises(Killed):
            await world.advance(transaction_id)
        heal(world, "initiate_transfer")
        hinder(world, "verify_transfer", forget)
        reference, number = await dispute(world, transaction_id, amount_minor=30_000)
        await decide(world, number, "lost")
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        heal(world, "verify_transfer")
        for _ in range(2):
            world.wait(minutes=10)
            await world.advance(transaction_id)
        assert await world.moved("transfer") == [-PRICE.amount_minor]

    run(database.app_dsn, story)
