"""A refund called refused or failed is asked about once more: it may have been paid, or may yet be."""

from uuid import UUID

import pytest

from domain.journal import Account
from domain.transaction import Transaction
from domain.transaction.phase import Phase
from domain.transaction.records import RefundStatus
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.system_commands import RecordRefund
from gateways.errors import GatewayRefused, UnknownReference
from reactions.advance import advance
from tests.conftest import Database
from tests.domain.people import SYSTEM
from tests.reactions.disputes import dispute
from tests.reactions.refusing import alerts, forget, hinder
from tests.reactions.refusing import refuse as say_nothing
from tests.reactions.world import PRICE, SECRET, World, run


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


def test_a_refund_that_is_paid_beside_its_transfer_is_booked_when_it_is_asked_about(database: Database) -> None:
    async def story(world: World) -> None:
        await world.fault("refund", "refuse")
        transaction_id = await world.hold()
        world.wait(hours=72)
        transaction = await world.advance(transaction_id)
        assert transaction.phase is Phase.REFUNDED
        (refund,) = transaction.refunds.values()
        await world.top_up(PRICE.amount_minor)
        body = {
            "transaction": refund.charge_reference,
            "amount": refund.amount_minor,
            "merchant_note": refund.reference,
        }
        key = {"Authorization": f"Bearer {SECRET.reveal()}"}
        assert (await world.panel.post("/refund", json=body, headers=key)).status_code == 200
        await advance(world.tools, transaction_id, refund.reference)
        transaction = await world.transaction(transaction_id)
        assert status_of(transaction) is RefundStatus.PROCESSED
        assert transaction.balances[Account.LOSSES] == PRICE.amount_minor
        await advance(world.tools, transaction_id, refund.charge_reference)
        assert (await world.transaction(transaction_id)).version == transaction.version

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
