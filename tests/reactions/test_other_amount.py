"""A refund or transfer of which the processor tells another amount than was ordered is not taken for ours."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from domain.money import MAX_AMOUNT_MINOR
from domain.transaction.phase import Phase
from domain.transaction.records import PayoutStatus, RefundStatus
from gateways.errors import AmountOutOfRange
from gateways.payment import Charge, NewTransfer, Refund, Transfer
from reactions.recovery import Place, take_refund
from reactions.worker import Worker
from tests.conftest import Database
from tests.reactions.refusing import alerts, heal, hinder, kinds, sent
from tests.reactions.world import PRICE, World, run

Answer = Callable[..., Awaitable[Refund | Transfer]]
LESS = PRICE.amount_minor // 2


def lessen(world: World, question: str) -> None:
    """From now on the processor's answers to this name another amount."""
    real: Answer = getattr(world.tools.gateway, question)

    async def answer(about: int | str | NewTransfer) -> Refund | Transfer:
        return replace(await real(about), amount_minor=LESS)

    setattr(world.tools.gateway, question, answer)


async def told(world: World, database: Database, subject: str) -> bool:
    """True when staff have one alert, and it says so of this."""
    (alert,) = await alerts(world, database)
    return (alert.kind, alert.subject, alert.detail) == ("question_refused", subject, "gateway_outcome_mismatched")


def test_a_refund_of_another_amount_than_was_ordered_is_not_taken_for_paid(database: Database) -> None:
    async def story(world: World) -> None:
        await world.fault("refund", "pending")
        transaction_id = await world.hold()
        world.wait(hours=72)
        (refund,) = (await world.advance(transaction_id)).refunds.values()
        number = int(refund.processor_refund_id or 0)
        assert (await world.panel.post(f"/_sim/refunds/{number}", json={"status": "processed"})).status_code == 200
        found = await world.tools.gateway.fetch_refund(number)
        lessen(world, "fetch_refund")
        assert await take_refund(world.tools, transaction_id, found) is Place.NONE
        for minutes in (0, 10, 60):
            world.wait(minutes=minutes)
            transaction = await world.advance(transaction_id)
        assert transaction.refunds[refund.reference].status is RefundStatus.SUBMITTED
        assert await told(world, database, refund.reference)
        heal(world, "fetch_refund")
        assert (await world.advance(transaction_id)).phase is Phase.REFUNDED
        assert await kinds(world, database) == ["question_answered", "question_refused"]

    run(database.app_dsn, story)


def test_a_transfer_of_another_amount_than_was_ordered_is_not_taken_for_paid(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(500_000)
        transaction_id = await sent(world)
        (reference,) = (await world.transaction(transaction_id)).payouts
        moved = await world.panel.post(f"/_sim/transfers/{reference}", json={"status": "success"})
        assert moved.status_code == 200
        lessen(world, "verify_transfer")
        for minutes in (0, 10, 60):
            world.wait(minutes=minutes)
            transaction = await world.advance(transaction_id)
        assert transaction.payouts[reference].status is PayoutStatus.SUBMITTED
        assert await told(world, database, reference)
        heal(world, "verify_transfer")
        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED

    run(database.app_dsn, story)


def test_staff_are_told_of_a_transfer_whose_order_was_answered_with_another(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(500_000)
        transaction_id = await world.release()
        for question in ("initiate_transfer", "verify_transfer"):
            lessen(world, question)
        for minutes in (0, 1, 10, 60):
            world.wait(minutes=minutes)
            transaction = await world.advance(transaction_id)
        (payout,) = transaction.payouts.values()
        assert payout.status is PayoutStatus.UNCERTAIN
        assert transaction.stuck_reason == "payout_uncertain: gateway_outcome_mismatched when asked about it"
        assert await told(world, database, payout.reference)

    run(database.app_dsn, story)


@pytest.mark.parametrize("surplus", [5, 10**15])
def test_a_charge_above_what_a_journal_holds_is_told_to_staff_and_stops_nobody(
    database: Database, surplus: int
) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        page = await world.pay(transaction_id)
        real = world.tools.gateway.verify_charge

        async def answer(reference: str) -> Charge:
            return replace(await real(reference), amount_minor=MAX_AMOUNT_MINOR + surplus)

        hinder(world, "verify_charge", answer)
        worker = Worker(world.tools, database.app_dsn)
        for reported, minutes in ((None, 0), (page.reference, 10), (None, 0)):
            world.wait(minutes=minutes)
            assert await worker.advance(transaction_id, reported) == AmountOutOfRange.code
        (alert,) = await alerts(world, database)
        assert (alert.subject, alert.detail) == (page.reference, AmountOutOfRange.code)
        heal(world, "verify_charge")
        assert (await world.advance(transaction_id)).phase is Phase.FUNDS_HELD

    run(database.app_dsn, story)
