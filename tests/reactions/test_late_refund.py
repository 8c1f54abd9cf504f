"""A refund called refused or failed is asked about once more: it may have been paid, or may yet be."""

import json
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.journal import Account
from domain.money import Currency
from domain.transaction import Transaction
from domain.transaction.phase import Phase
from domain.transaction.records import PayoutPurpose, Refund, RefundStatus
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.staff_commands import ForceRelease
from domain.transaction.system_commands import RecordRefund, RecordTransfer
from domain.transaction.transfer import TransferReport, TransferStatus
from gateways.errors import GatewayRefused, GatewayUncertain, UnknownReference
from gateways.payment import NewRecipient
from reactions.advance import advance
from reactions.naming import find_transaction
from reactions.worker import Worker
from tests.conftest import Database
from tests.domain.people import SUPER, SYSTEM
from tests.reactions.disputes import dispute
from tests.reactions.refusing import alerts, forget, heal, hinder
from tests.reactions.refusing import refuse as say_nothing
from tests.reactions.working import deliver, read, work_off
from tests.reactions.world import PRICE, SECRET, World, run

ACCOUNT = NewRecipient(
    type="mobile_money", name="Buyer", account_number="0798765432", bank_code="MPESA", currency=Currency.KES
)


def to(recipient: str) -> ForceRelease:
    reason, purpose = "the buyer named an account", PayoutPurpose.REFUND
    return ForceRelease(reason=reason, purpose=purpose, recipient=recipient, limit_usd_cents=10**9)


async def say_nothing_of_any(*, since: datetime) -> None:
    await say_nothing(since.isoformat())


async def refuse(world: World) -> UUID:
    """A refund whose order was not answered counts as refused, though the processor has it."""
    transaction_id = await world.hold()
    world.wait(hours=72)
    await world.advance(transaction_id)
    (refund,) = (await world.transaction(transaction_id)).refunds.values()
    assert refund.status is RefundStatus.UNCERTAIN
    report = RefundReport(reference=refund.reference, status=ProcessorRefundStatus.REFUSED)
    await world.do(SYSTEM, transaction_id, RecordRefund(report=report))  # type: ignore[arg-type]
    return transaction_id


def status_of(transaction: Transaction) -> RefundStatus:
    (refund,) = transaction.refunds.values()
    return refund.status


def test_a_refund_called_refused_but_paid_is_booked_and_no_transfer_is_ordered(database: Database) -> None:
    async def story(world: World) -> None:
        await world.fault("refund", "accept_then_timeout")
        transaction_id = await refuse(world)
        transaction = await world.advance(transaction_id)
        assert not transaction.payouts
        assert (transaction.phase, status_of(transaction)) == (Phase.REFUNDED, RefundStatus.PROCESSED)
        assert await world.moved("refund") == [-PRICE.amount_minor]

    run(database.app_dsn, story)


def test_a_refund_called_refused_that_may_yet_be_paid_is_waited_for(database: Database) -> None:
    async def story(world: World) -> None:
        await world.fault("refund", "accept_then_timeout")
        await world.fault("refund", "needs_attention")
        transaction_id = await refuse(world)
        for minutes in (0, 10, 1, 60):
            world.wait(minutes=minutes)
            transaction = await world.advance(transaction_id)
            assert not transaction.payouts
            assert status_of(transaction) is RefundStatus.FAILED
        (alert,) = await alerts(world, database)
        assert (alert.severity, alert.kind, alert.subject, alert.detail) == (
            "P1",
            "question_refused",
            *transaction.refunds,
            "refund_needs-attention",
        )
        assert transaction.stuck_reason == "refund_failed: refund_needs-attention when asked about it"

    run(database.app_dsn, story)


def test_a_failed_refund_in_whose_place_there_is_another_holds_its_transfer_with_an_alert(database: Database) -> None:
    async def story(world: World) -> None:
        await world.fault("refund", "500_before")
        transaction_id = await refuse(world)
        (refund,) = (await world.transaction(transaction_id)).refunds.values()
        noteless = {"transaction": refund.charge_reference, "amount": refund.amount_minor}
        key = {"Authorization": f"Bearer {SECRET.reveal()}"}
        assert (await world.panel.post("/refund", json=noteless, headers=key)).status_code == 200
        for minutes in (0, 10, 60):
            world.wait(minutes=minutes)
            assert not (await world.advance(transaction_id)).payouts
        (alert,) = await alerts(world, database)
        assert (alert.kind, alert.subject, alert.detail) == (
            "question_refused",
            refund.reference,
            "gateway_refund_ambiguous",
        )

    run(database.app_dsn, story)


async def pay_beside(world: World) -> Refund:
    """A refund was refused and a transfer has paid the buyer; then the refund is paid as well."""
    await world.fault("refund", "refuse")
    transaction_id = await world.hold()
    world.wait(hours=72)
    transaction = await world.advance(transaction_id)
    assert transaction.phase is Phase.REFUNDED
    (refund,) = transaction.refunds.values()
    await world.top_up(PRICE.amount_minor)
    body = {"transaction": refund.charge_reference, "amount": refund.amount_minor, "merchant_note": refund.reference}
    key = {"Authorization": f"Bearer {SECRET.reveal()}"}
    assert (await world.panel.post("/refund", json=body, headers=key)).status_code == 200
    return refund


def test_a_refund_that_is_paid_beside_its_transfer_is_booked_when_it_is_asked_about(database: Database) -> None:
    async def story(world: World) -> None:
        refund = await pay_beside(world)
        transaction_id = await find_transaction(world.tools, refund.charge_reference)
        assert transaction_id is not None
        await advance(world.tools, transaction_id, refund.reference)
        transaction = await world.transaction(transaction_id)
        assert status_of(transaction) is RefundStatus.PROCESSED
        assert transaction.balances[Account.LOSSES] == PRICE.amount_minor
        await advance(world.tools, transaction_id, refund.charge_reference)
        assert (await world.transaction(transaction_id)).version == transaction.version

    run(database.app_dsn, story)


def test_a_webhook_of_a_failed_refund_is_done_with_once_paystack_has_said_what_became_of_it(database: Database) -> None:
    async def story(world: World) -> None:
        refund = await pay_beside(world)
        about = {"data": {"status": "processed", "transaction_reference": refund.charge_reference}}
        await deliver(world, json.dumps({"event": "refund.processed", **about}).encode())
        worker = Worker(world.tools, database.app_dsn)
        hinder(world, "list_refunds", say_nothing_of_any)
        await work_off(worker)
        assert read(database, "SELECT outcome, error FROM payment_events") == [(None, "gateway_refused")]
        heal(world, "list_refunds")
        world.wait(minutes=1)
        await work_off(worker)
        ((outcome, transaction_id),) = read(database, "SELECT outcome, transaction_id FROM payment_events")
        assert outcome == "applied"
        transaction = await world.transaction(UUID(str(transaction_id)))
        assert status_of(transaction) is RefundStatus.PROCESSED
        assert transaction.balances[Account.LOSSES] == PRICE.amount_minor

    run(database.app_dsn, story)


async def pay_by_force(world: World, transaction_id: UUID) -> str:
    """Somebody orders it although nobody has asked; its reference."""
    recipient = await world.tools.gateway.create_recipient(ACCOUNT)
    await world.do(SUPER, transaction_id, to(recipient.recipient_code))  # type: ignore[arg-type]
    (reference,) = (await world.transaction(transaction_id)).payouts
    return reference


async def move(world: World, transaction_id: UUID, status: str) -> None:
    """The refund goes on at the processor."""
    (refund,) = (await world.transaction(transaction_id)).refunds.values()
    listed = await world.tools.gateway.list_refunds(since=world.at - timedelta(days=9))
    (number,) = [one.processor_id for one in listed if one.merchant_note == refund.reference]
    assert (await world.panel.post(f"/_sim/refunds/{number}", json={"status": status})).status_code == 200


@pytest.mark.guarantee("G3", faults="a refund that had failed is paid while a transfer in its place waits", runs="2")
@pytest.mark.parametrize("answered", [True, False])
def test_no_transfer_is_sent_by_force_while_the_refund_may_yet_be_paid(database: Database, answered: bool) -> None:
    async def story(world: World) -> None:
        await world.top_up(PRICE.amount_minor)
        await world.fault("refund", "accept_then_timeout")
        await world.fault("refund", "needs_attention")
        transaction_id = await refuse(world)
        payout = await pay_by_force(world, transaction_id)
        for minutes in (0, 10, 1):
            world.wait(minutes=minutes)
            transaction = await world.advance(transaction_id)
        assert transaction.stuck_reason == "payout_requested: refund_needs-attention when asked about it"
        assert [alert.subject for alert in await alerts(world, database)] == [payout]
        if not answered:
            report = TransferReport(reference=payout, status=TransferStatus.UNCERTAIN)
            await world.do(SYSTEM, transaction_id, RecordTransfer(report=report))  # type: ignore[arg-type]
        await move(world, transaction_id, "processed")
        for _ in range(2):
            transaction = await world.advance(transaction_id)
            world.wait(minutes=10)
        assert (transaction.phase, transaction.payouts[payout].failure) == (Phase.REFUNDED, "refund_paid")
        assert (transaction.is_flat, transaction.balances[Account.LOSSES]) == (True, 0)
        assert (await world.moved("refund"), await world.moved("transfer")) == ([-PRICE.amount_minor], [])

    run(database.app_dsn, story)


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_failed_refund_that_was_made_again_outside_is_paid_by_no_transfer(database: Database, is_ours: bool) -> None:
    async def story(world: World) -> None:
        await world.top_up(PRICE.amount_minor)
        await world.fault("refund", "fail")
        await world.fault("recipient", "500_before")
        transaction_id = await world.hold()
        world.wait(hours=72)
        with suppress(GatewayUncertain):
            await world.advance(transaction_id)
        (refund,) = (await world.transaction(transaction_id)).refunds.values()
        assert refund.status is RefundStatus.FAILED
        note = refund.reference if is_ours else "again"
        body = {"transaction": refund.charge_reference, "amount": refund.amount_minor, "merchant_note": note}
        key = {"Authorization": f"Bearer {SECRET.reveal()}"}
        assert (await world.panel.post("/refund", json=body, headers=key)).status_code == 200
        transaction = await world.advance(transaction_id)
        assert status_of(transaction) is (RefundStatus.PROCESSED if is_ours else RefundStatus.FAILED)
        assert await world.moved("transfer") == []

    run(database.app_dsn, story)


def test_a_transfer_by_force_goes_out_when_the_refund_has_failed_for_good(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(PRICE.amount_minor)
        await world.fault("refund", "accept_then_timeout")
        await world.fault("refund", "needs_attention")
        transaction_id = await refuse(world)
        await pay_by_force(world, transaction_id)
        assert (await world.advance(transaction_id)).phase is Phase.REFUNDING
        await move(world, transaction_id, "failed")
        assert (await world.advance(transaction_id)).phase is Phase.REFUNDED
        assert await world.moved("transfer") == [-PRICE.amount_minor]

    run(database.app_dsn, story)


@pytest.mark.parametrize("how", [say_nothing, forget])
def test_what_is_not_said_of_an_old_failed_refund_holds_up_no_chargeback_of_its_charge(database: Database, how) -> None:
    async def story(world: World) -> None:
        await world.fault("refund", "fail")
        transaction_id = await world.hold()
        world.wait(hours=72)
        transaction = await world.advance(transaction_id)
        (refund,) = transaction.refunds.values()
        assert (transaction.phase, refund.status) == (Phase.REFUNDED, RefundStatus.FAILED)
        hinder(world, "fetch_refund", how)
        reference, number = await dispute(world, transaction_id)
        await advance(world.tools, transaction_id, reference, is_disputed=True)
        assert list((await world.transaction(transaction_id)).open_chargebacks) == [number]
        with pytest.raises((GatewayRefused, UnknownReference)):
            await advance(world.tools, transaction_id, refund.reference)

    run(database.app_dsn, story)
