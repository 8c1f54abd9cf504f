"""What the processor refuses to say of one thing holds up only what depends on it, and staff are told of it once."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from domain.transaction.commands import CancelTransaction, OpenDispute
from domain.transaction.phase import Phase
from domain.transaction.records import DisputeCategory, PayoutPurpose, PayoutStatus, RefundStatus
from domain.vault import DepositStatus, Vault
from gateways.errors import GatewayRefused, UnknownReference
from gateways.payment import Refund, Transfer, TransferStatus
from projections.alert import AlertRow, list_alerts
from reactions.advance import advance
from reactions.chargeback import follow_chargebacks
from tests.conftest import Database
from tests.reactions.disputes import decide, dispute
from tests.reactions.test_clawback import refund
from tests.reactions.test_owed import award
from tests.reactions.test_two_payees import DIVIDED
from tests.reactions.working import fold
from tests.reactions.world import World, run
from tests.waiting import until


async def refuse(_question: str | int) -> None:
    raise GatewayRefused("no", gateway_code="not_today", http_status=400)


async def forget(_question: str | int) -> None:
    raise UnknownReference("no", http_status=404)


def hinder(world: World, question: str, how: Callable[[str], Awaitable[None]] = refuse) -> None:
    """The processor answers this kind of question with a 4xx, whatever it is about."""
    setattr(world.tools.gateway, question, how)


def heal(world: World, question: str) -> None:
    delattr(world.tools.gateway, question)


async def alerts(world: World, database: Database) -> list[AlertRow]:
    fold(database)
    return [row for row in await list_alerts(world.pool) if row.kind.startswith("question_")]


async def kinds(world: World, database: Database) -> list[str]:
    return [row.kind for row in await alerts(world, database)]


async def refuse_for(world: World, transaction_id: UUID, *, minutes: int) -> None:
    """Something of the transaction is asked twice so far apart, and refused both times."""
    with pytest.raises((GatewayRefused, UnknownReference)):
        await advance(world.tools, transaction_id)
    world.wait(minutes=minutes)
    with suppress(GatewayRefused, UnknownReference):
        await advance(world.tools, transaction_id)


async def dispute_sale(world: World, transaction_id: UUID) -> None:
    """The buyer complains: nothing is sent to the seller meanwhile."""
    opened = OpenDispute(dispute_id=uuid4(), category=DisputeCategory.NOT_WORKING)
    await world.do(world.as_buyer, transaction_id, opened)


async def sent(world: World) -> UUID:
    """A payout is with the processor, which has not paid it yet."""
    transaction_id = await world.release()
    await world.fault("transfer", "pending")
    await world.advance(transaction_id)
    return transaction_id


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


def test_single_refusals_hours_apart_tell_staff_nothing(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await sent(world)
        for _ in range(3):
            world.wait(minutes=60)
            hinder(world, "verify_transfer")
            with pytest.raises(GatewayRefused):
                await advance(world.tools, transaction_id)
            heal(world, "verify_transfer")
            await world.advance(transaction_id)
        assert await alerts(world, database) == []

    run(database.app_dsn, story)


@pytest.mark.parametrize("by", ["webhook", "the end of the sale"])
def test_the_alert_of_a_charge_ends_when_nobody_asks_about_it_any_more(database: Database, by: str) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        await world.pay(transaction_id)
        hinder(world, "verify_charge")
        await refuse_for(world, transaction_id, minutes=10)
        reference = (await world.transaction(transaction_id)).payment_reference
        assert [alert.subject for alert in await alerts(world, database)] == [reference]
        if by == "webhook":
            heal(world, "verify_charge")
            await advance(world.tools, transaction_id, reference)
        else:
            await world.do(world.as_buyer, transaction_id, CancelTransaction(reason="changed my mind"))
            await advance(world.tools, transaction_id)
        assert (await world.transaction(transaction_id)).refused_questions == {}
        assert world.tools.refused_since == {}
        assert await kinds(world, database) == ["question_answered", "question_refused"]

    run(database.app_dsn, story)


@pytest.mark.parametrize(("question", "outcome"), [("fetch_chargeback", "lost"), ("open_upload", "won")])
def test_the_alert_of_a_chargeback_ends_when_it_is_decided(database: Database, question: str, outcome: str) -> None:
    """A list told of the end that no question was answered about; a person answered at the processor's dashboard."""

    async def story(world: World) -> None:
        await world.top_up(500_000)
        transaction_id = await world.release()
        reference, number = await dispute(world, transaction_id)
        hinder(world, question)
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        await refuse_for(world, transaction_id, minutes=10)
        await decide(world, number, outcome)
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        transaction = await world.transaction(transaction_id)
        assert transaction.open_disputes == ()
        assert transaction.refused_questions == {}
        asked = {"fetch_chargeback": [number, f"answer to {number}"], "open_upload": [f"answer to {number}"]}[question]
        told = sorted((alert.subject, alert.kind) for alert in await alerts(world, database))
        assert told == [(each, kind) for each in asked for kind in ("question_answered", "question_refused")]

    run(database.app_dsn, story)


def test_staff_are_told_of_a_chargeback_that_the_processor_knows_no_more_and_money_moves(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(500_000)
        transaction_id = await award(world, DIVIDED)
        reference, number = await dispute(world, transaction_id)
        await world.fault("refund", "500_before", times=9)
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        hinder(world, "fetch_chargeback", forget)
        await world.panel.delete("/_sim/faults")
        for minutes in (3, 10):
            world.wait(minutes=minutes)
            await advance(world.tools, transaction_id)
        assert await world.moved("refund") == [-10_000]
        (alert,) = await alerts(world, database)
        assert (alert.subject, alert.detail) == (number, "gateway_unknown_reference")

    run(database.app_dsn, story)


def test_a_refusal_to_say_what_a_seller_has_who_owes_is_told_of_the_payout_in_question(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(500_000)
        debt = await world.release()
        await world.advance(debt)
        sale = await world.release()
        await world.fault("transfer", "fail")
        failed = await until(
            lambda: world.advance(sale), lambda it: [one.status for one in it.payouts.values()] == [PayoutStatus.FAILED]
        )
        (payout,) = failed.payouts
        await refund(world, debt)
        hinder(world, "verify_transfer")
        world.wait(minutes=60)
        await refuse_for(world, sale, minutes=10)
        (alert,) = await alerts(world, database)
        assert (alert.subject, alert.detail) == (payout, "not_today")
        assert (await world.transaction(sale)).withheld_minor == 0
        assert await world.moved("transfer") == [-90_000, -90_000]

    run(database.app_dsn, story)


def test_only_a_chargeback_that_is_not_known_is_passed_over_not_what_it_took(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chargeback is over; the list of refunds, which tells what was taken, answers with a 404."""

    async def story(world: World) -> None:
        await world.top_up(500_000)
        transaction_id = await world.release()
        reference, number = await dispute(world, transaction_id)
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        await decide(world, number, "lost")

        async def forget_refunds(*, since: datetime) -> list[Refund]:
            raise UnknownReference(f"none since {since}", http_status=404)

        monkeypatch.setattr(world.tools.gateway, "list_refunds", forget_refunds, raising=False)
        with pytest.raises(UnknownReference):
            await follow_chargebacks(world.tools, await world.transaction(transaction_id))
        monkeypatch.undo()
        transaction = await world.advance(transaction_id)
        assert transaction.open_disputes == ()

    run(database.app_dsn, story)


def test_the_question_about_what_failed_for_good_is_asked_until_it_is_answered(database: Database) -> None:
    """Once refused, it is not forgotten although nothing is sent any more: by hand, or because of a dispute."""

    async def story(world: World) -> None:
        await world.top_up(500_000)
        debt = await world.release()
        await world.advance(debt)
        sale = await world.release()
        await world.fault("transfer", "fail")
        _ = await until(
            lambda: world.advance(sale), lambda it: [one.status for one in it.payouts.values()] == [PayoutStatus.FAILED]
        )
        await refund(world, debt)
        hinder(world, "verify_transfer")
        world.wait(minutes=60)
        await refuse_for(world, sale, minutes=10)
        await dispute_sale(world, sale)
        with suppress(GatewayRefused):
            await advance(world.tools, sale)
        assert len((await world.transaction(sale)).refused_questions) == 1
        heal(world, "verify_transfer")
        assert (await world.advance(sale)).refused_questions == {}
        assert await world.moved("transfer") == [-90_000, -90_000]

    run(database.app_dsn, story)


def test_a_webhook_of_a_transfer_is_not_done_with_while_its_own_question_is_refused(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await sent(world)
        (payout,) = (await world.transaction(transaction_id)).payouts
        hinder(world, "verify_transfer")
        with pytest.raises(GatewayRefused):
            await advance(world.tools, transaction_id, payout)

    run(database.app_dsn, story)


def test_a_webhook_is_done_with_although_something_else_is_refused(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.release()
        reference, _ = await dispute(world, transaction_id)
        hinder(world, "open_upload")
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        with pytest.raises(GatewayRefused):
            await advance(world.tools, transaction_id)
        hinder(world, "verify_charge")
        with pytest.raises(GatewayRefused):
            await advance(world.tools, transaction_id, reference, is_disputed=True)

    run(database.app_dsn, story)
