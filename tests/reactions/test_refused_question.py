"""What the processor refuses to say of one thing holds up only what depends on it, and staff are told of it once."""

from contextlib import suppress
from dataclasses import replace

import pytest

from domain.policy import Terms
from domain.transaction.phase import Phase
from domain.transaction.records import PayoutPurpose, PayoutStatus, RefundStatus
from domain.vault import DepositStatus, Vault
from gateways.errors import GatewayRefused, UnknownReference
from gateways.payment import Transfer, TransferStatus
from projections.external_payment import list_open_payments
from reactions.advance import advance
from reactions.hold import settle
from reactions.worker import Worker
from tests.conftest import Database
from tests.domain.people import SUPER
from tests.reactions.awards import DIVIDED, award, owing, refund
from tests.reactions.disputes import dispute
from tests.reactions.holding import transfer_unheard
from tests.reactions.refusing import alerts, forget, heal, hinder, kinds, refuse, refuse_for, sent
from tests.reactions.working import fold
from tests.reactions.world import World, run


@pytest.mark.parametrize("how", [refuse, forget])
def test_a_payout_about_which_the_processor_says_nothing_holds_up_no_other_step(database: Database, how) -> None:
    async def story(world: World) -> None:
        await world.fault("transfer", "pending")
        transaction_id = await world.release()
        hinder(world, "verify_transfer", how)
        with pytest.raises((GatewayRefused, UnknownReference)):
            await advance(world.tools, transaction_id)
        transaction = await world.transaction(transaction_id)
        assert [payout.status for payout in transaction.payouts.values()] == [PayoutStatus.SUBMITTED]
        assert (await world.escrow.get(Vault, transaction.vault_id)).status is DepositStatus.DESTROYED

    run(database.app_dsn, story)


def test_a_refund_about_which_the_processor_says_nothing_does_not_keep_the_seller_waiting(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(500_000)
        transaction_id = await award(world, DIVIDED)
        await world.fault("refund", "pending")
        hinder(world, "fetch_refund")
        with pytest.raises(GatewayRefused):
            await advance(world.tools, transaction_id)
        transaction = await world.transaction(transaction_id)
        assert [refund.status for refund in transaction.refunds.values()] == [RefundStatus.SUBMITTED]
        assert transaction.payable_minor(PayoutPurpose.SELLER) == 0
        assert await world.moved("transfer") == [-85_000]

    run(database.app_dsn, story)


def test_no_money_moves_while_the_processor_does_not_say_what_was_taken_back(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(500_000)
        transaction_id = await award(world, DIVIDED)
        reference, _ = await dispute(world, transaction_id)
        await world.fault("refund", "500_before", times=9)
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        hinder(world, "fetch_chargeback")
        await world.panel.delete("/_sim/faults")
        world.wait(minutes=3)
        with pytest.raises(GatewayRefused):
            await advance(world.tools, transaction_id)
        assert await world.moved("refund") == []
        heal(world, "fetch_chargeback")
        await world.advance(transaction_id)
        assert await world.moved("refund") == [-10_000]

    run(database.app_dsn, story)


def test_a_seller_who_owes_is_not_paid_while_the_processor_does_not_say_what_he_has(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """His payout failed. Was it paid after all? That is asked before his debt is taken, and before he is paid again."""

    async def story(world: World) -> None:
        await world.top_up(500_000)
        debt = await world.release()
        await world.advance(debt)
        sale = await sent(world)
        await refund(world, debt)
        gateway = world.tools.gateway
        (payout,) = (await world.transaction(sale)).payouts
        real, asked_in_time = gateway.verify_transfer, 0

        async def verify(reference: str) -> Transfer:
            """The transfer has failed. Once it may be sent again, only the first question is refused."""
            nonlocal asked_in_time
            retry_at = (await world.transaction(sale)).payouts[payout].retry_at
            if retry_at is not None:
                asked_in_time += world.at >= retry_at
                if asked_in_time < 2:
                    await refuse(reference)
            found = await real(reference)
            return replace(found, status=TransferStatus.FAILED) if reference == payout else found

        monkeypatch.setattr(gateway, "verify_transfer", verify, raising=False)
        for _ in range(3):
            with suppress(GatewayRefused):
                await advance(world.tools, sale)
            world.wait(minutes=2)
        assert asked_in_time >= 2
        assert (await world.transaction(sale)).withheld_minor == 90_000
        assert (await world.transaction(debt)).receivable_minor == 0
        assert await world.moved("transfer") == [-90_000, -90_000]

    run(database.app_dsn, story)


def test_staff_are_told_once_of_what_is_refused_again_and_again_and_once_when_it_is_answered(
    database: Database,
) -> None:
    async def story(world: World) -> None:
        transaction_id = await sent(world)
        (payout,) = (await world.transaction(transaction_id)).payouts.values()
        hinder(world, "verify_transfer")
        for minutes in (0, 9, 1, 30, 600):
            world.wait(minutes=minutes)
            with pytest.raises(GatewayRefused):
                await advance(world.tools, transaction_id)
        (alert,) = await alerts(world, database)
        assert (alert.severity, alert.kind, alert.subject, alert.detail) == (
            "P1",
            "question_refused",
            payout.reference,
            "not_today",
        )
        assert (await world.transaction(transaction_id)).stuck_reason == (
            "payout_submitted: not_today when asked about it"
        )
        heal(world, "verify_transfer")
        for _ in range(2):
            transaction = await world.advance(transaction_id)
        assert transaction.stuck_reason == "payout_submitted"
        assert [row.kind for row in await alerts(world, database)] == ["question_answered", "question_refused"]

    run(database.app_dsn, story)


def test_a_seller_waits_for_his_money_with_an_alert_while_nobody_says_whether_his_debt_can_be_taken(
    database: Database,
) -> None:
    """The sale that he owes on is held back: the processor has a transfer of it that the log has no place for."""

    async def story(world: World) -> None:
        debt = await owing(world)
        transfer = await transfer_unheard(world, database, debt, "compensation", 10_000)
        sale = await world.release()
        hinder(world, "verify_transfer")
        await refuse_for(world, sale, minutes=10)
        (alert,) = await alerts(world, database)
        assert (alert.kind, alert.subject, alert.detail) == ("question_refused", transfer, "not_today")
        assert (await world.transaction(debt)).refused_questions == {transfer: "not_today"}
        with pytest.raises(GatewayRefused):
            await advance(world.tools, sale)
        assert await world.moved("transfer") == [-90_000, -10_000]
        heal(world, "verify_transfer")
        await world.advance(sale)
        assert await kinds(world, database) == ["question_answered", "question_refused"]
        # What is held back owes nothing for certain.
        assert await world.moved("transfer") == [-90_000, -10_000, -90_000]

    run(database.app_dsn, story)


def test_staff_are_told_of_what_holds_a_sale_back_and_is_not_answered_about(database: Database) -> None:
    """A person settles it, and nobody asks any more."""

    async def story(world: World) -> None:
        debt = await owing(world)
        transfer = await transfer_unheard(world, database, debt, "compensation", 10_000)
        hinder(world, "verify_transfer", forget)
        await refuse_for(world, debt, minutes=10)
        assert [alert.subject for alert in await alerts(world, database)] == [transfer]
        (row,) = await list_open_payments(world.pool, debt)
        await settle(world.escrow, row, "undone outside, ticket 4711", SUPER)
        fold(database)
        assert (await world.advance(debt)).refused_questions == {}
        assert await kinds(world, database) == ["question_answered", "question_refused"]

    run(database.app_dsn, story)


def test_staff_are_told_of_an_answer_to_a_chargeback_that_cannot_be_given(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.release()
        reference, number = await dispute(world, transaction_id)
        hinder(world, "open_upload")
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        await refuse_for(world, transaction_id, minutes=10)
        (alert,) = await alerts(world, database)
        assert (alert.kind, alert.subject) == ("question_refused", f"answer to {number}")
        heal(world, "open_upload")
        transaction = await world.advance(transaction_id)
        assert [one.is_answered for one in transaction.disputes.values()] == [True]
        assert transaction.refused_questions == {}

    run(database.app_dsn, story)


def test_what_was_accepted_a_moment_ago_may_not_be_known_yet(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await sent(world)
        hinder(world, "verify_transfer", forget)
        await refuse_for(world, transaction_id, minutes=9)
        assert (await world.transaction(transaction_id)).refused_questions == {}
        assert (await world.transaction(transaction_id)).phase is Phase.RELEASING

    run(database.app_dsn, story)


def test_an_overdue_sale_whose_question_is_refused_is_left_to_the_poll(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open(Terms(payment_seconds=3_600))
        await world.page(transaction_id)
        world.wait(hours=2)
        asked: list[str] = []

        async def refuse_and_count(reference: str) -> None:
            asked.append(reference)
            raise GatewayRefused("no", http_status=400)

        hinder(world, "verify_charge", refuse_and_count)
        worker = Worker(world.tools, database.app_dsn)
        await worker.watch.catch_up()
        for step, times in (
            (worker.watch_clock, 1),
            (worker.watch_clock, 1),
            (worker.poll, 2),
            (worker.watch_clock, 2),
        ):
            await step()
            assert len(asked) == times

    run(database.app_dsn, story)
