"""What the processor did before anybody here asked is booked all the same, once somebody asks."""

from domain.journal import Account
from domain.transaction.phase import Phase
from domain.transaction.records import Finding
from domain.transaction.staff_commands import ForceRefund
from reactions.advance import advance
from reactions.sweep import list_unheard
from reactions.watch import Watch
from tests.conftest import Database
from tests.domain.people import SUPER
from tests.reactions.disputes import decide, dispute
from tests.reactions.working import fold
from tests.reactions.world import World, run


def test_a_chargeback_of_money_that_had_gone_back_before_is_closed(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        world.wait(days=8)
        reference, dispute_id = await dispute(world, transaction_id)
        everything = ForceRefund(reason="the bank is right to ask", limit_usd_cents=10**9)
        await world.do(SUPER, transaction_id, everything)  # type: ignore[arg-type]
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        await decide(world, dispute_id, "lost")
        transaction = await world.advance(transaction_id)
        assert [one.finding for one in transaction.disputes.values()] == [Finding.PROCESSOR_LOST]
        assert transaction.charged_back_minor == 0
        assert transaction.phase is Phase.REFUNDED
        assert transaction.stuck_reason is None

    run(database.app_dsn, story)


def test_a_payment_that_was_charged_back_before_it_was_seen_is_booked_both_ways(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        page = await world.pay(transaction_id)
        fold(database)
        _, dispute_id = await dispute(world, transaction_id)
        await decide(world, dispute_id, "lost")
        assert [found.reference async for found in list_unheard(world.tools, Watch(world.tools))] == [page.reference]
        await advance(world.tools, transaction_id, page.reference, is_disputed=True)
        transaction = await world.transaction(transaction_id)
        assert (transaction.received_minor, transaction.charged_back_minor) == (100_000, 100_000)
        assert transaction.balances[Account.LOSSES] == 0
        assert transaction.phase is Phase.CHARGED_BACK

    run(database.app_dsn, story)


def test_a_fee_that_the_first_answer_lacked_is_asked_for_again(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        await world.fault("verify", "fees_unknown")
        page = await world.pay(transaction_id)
        assert (await world.advance(transaction_id)).charge_fee_minor is None
        assert [found.reference async for found in list_unheard(world.tools, Watch(world.tools))] == [page.reference]
        await advance(world.tools, transaction_id, page.reference)
        assert (await world.transaction(transaction_id)).charge_fee_minor == 1_500
        assert [found async for found in list_unheard(world.tools, Watch(world.tools))] == []

    run(database.app_dsn, story)
