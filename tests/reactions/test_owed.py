"""What is owed to the buyer really reaches him: compensation, his share of a split, and a refund that failed."""

from uuid import UUID

from domain.transaction import Transaction
from domain.transaction.dispute import Award
from domain.transaction.phase import Phase
from domain.transaction.records import Finding, PayoutStatus, RefundStatus
from tests.conftest import Database
from tests.reactions.awards import REASON, award
from tests.reactions.world import World, run


async def settle(world: World, transaction_id: UUID) -> Transaction:
    for _ in range(3):
        transaction = await world.advance(transaction_id)
        world.wait(minutes=1)
    return transaction


def test_compensation_is_a_transfer_beside_the_full_refund(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(50_000)
        granted = Award(finding=Finding.PLATFORM, reason=REASON, compensation_minor=5_000)
        transaction = await settle(world, await award(world, granted))
        assert (transaction.phase, transaction.is_flat) == (Phase.REFUNDED, True)
        assert (await world.moved("refund"), await world.moved("transfer")) == ([-100_000], [-5_000])

    run(database.app_dsn, story)


def test_a_split_sends_each_his_share(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(50_000)
        divided = Award(finding=Finding.UNCLEAR, reason=REASON, to_buyer_minor=50_000, to_seller_minor=45_000)
        transaction = await settle(world, await award(world, divided))
        assert (transaction.phase, transaction.is_flat) == (Phase.SPLIT, True)
        assert (await world.moved("refund"), await world.moved("transfer")) == ([-50_000], [-45_000])

    run(database.app_dsn, story)


def test_a_refund_that_is_refused_reaches_the_buyer_as_a_transfer(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(50_000)
        await world.fault("refund", "refuse")
        at_fault = Award(finding=Finding.SELLER, reason=REASON)
        transaction = await settle(world, await award(world, at_fault))
        assert (transaction.phase, transaction.is_flat) == (Phase.REFUNDED, True)
        assert (await world.moved("refund"), await world.moved("transfer")) == ([], [-100_000])

    run(database.app_dsn, story)


def test_a_refund_that_may_have_been_made_is_not_paid_again_because_a_question_was_refused(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(500_000)
        transaction_id = await award(world, Award(finding=Finding.SELLER, reason=REASON))
        await world.fault("refund", "accept_then_timeout")
        await world.advance(transaction_id)
        world.wait(minutes=2)
        await world.fault("list_refunds", "refuse")
        transaction = await world.advance(transaction_id)
        assert [refund.status for refund in transaction.refunds.values()] == [RefundStatus.UNCERTAIN]
        world.wait(minutes=2)
        transaction = await settle(world, transaction_id)
        assert (transaction.phase, transaction.is_flat) == (Phase.REFUNDED, True)
        assert (await world.moved("refund"), await world.moved("transfer")) == ([-100_000], [])

    run(database.app_dsn, story)


def test_a_payout_that_was_paid_is_not_called_refused_because_the_question_for_its_fee_was(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.release()
        await world.fault("verify_transfer", "refuse")
        await world.advance(transaction_id)
        transaction = await world.advance(transaction_id)
        assert (transaction.phase, transaction.is_flat) == (Phase.COMPLETED, True)
        assert [payout.status for payout in transaction.payouts.values()] == [PayoutStatus.SUCCEEDED]
        assert await world.moved("transfer") == [-90_000]

    run(database.app_dsn, story)
