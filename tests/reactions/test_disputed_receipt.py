"""Stray money does not go back while the payer's bank disputes it: he would get it from both."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest

from domain.journal import Account
from domain.transaction import Transaction
from domain.transaction.records import RefundStatus
from gateways.chargeback import Chargeback
from reactions.advance import advance
from reactions.chargeback import record_found
from reactions.toolbox import Processor
from tests.conftest import Database
from tests.reactions.disputes import decide, dispute
from tests.reactions.refusing import alerts, kinds
from tests.reactions.world import SECRET, World, run

SURPLUS = 50_000
KEY = {"Authorization": f"Bearer {SECRET.reveal()}"}


async def overpaid(world: World) -> UUID:
    """The buyer has paid half of the price too much, and the log has not heard of it yet."""
    transaction_id = await world.open()
    await world.fault("*", "other_amount", amount_minor=100_000 + SURPLUS)
    await world.pay(transaction_id)
    return transaction_id


def waiting_minor(transaction: Transaction) -> int:
    return transaction.owed(Account.UNMATCHED_RECEIPTS) + transaction.owed(Account.REFUND_DUE)


async def hear(world: World, transaction_id: UUID, reference: str) -> Transaction:
    """A webhook tells of the chargeback, whatever has become of it."""
    await advance(world.tools, transaction_id, reference, is_disputed=True)
    return await world.transaction(transaction_id)


async def require_lost_once(world: World, transaction_id: UUID) -> None:
    transaction = await world.advance(transaction_id)
    assert (transaction.charged_back_minor, waiting_minor(transaction)) == (100_000, 0)
    assert transaction.balances[Account.LOSSES] == 0
    assert await world.moved("refund") == []


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_what_was_paid_too_much_goes_back_once_the_dispute_about_it_is_won(database: Database, outcome: str) -> None:
    async def story(world: World) -> None:
        transaction_id = await overpaid(world)
        reference, number = await dispute(world, transaction_id, amount_minor=100_000 + SURPLUS)
        transaction = await hear(world, transaction_id, reference)
        for _ in range(2):
            assert (waiting_minor(transaction), transaction.refunds) == (SURPLUS, {})
            transaction = await world.advance(transaction_id)
        assert transaction.stuck_reason == "dispute_open: processor"
        await decide(world, number, outcome)
        if outcome == "lost":
            await require_lost_once(world, transaction_id)
            return
        transaction = await world.advance(transaction_id)
        assert (waiting_minor(transaction), transaction.held_minor) == (0, 100_000)
        assert await world.moved("refund") == [-SURPLUS]

    run(database.app_dsn, story)


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_return_that_waited_for_a_top_up_is_not_sent_while_it_is_disputed(database: Database, outcome: str) -> None:
    async def story(world: World) -> None:
        transaction_id = await overpaid(world)
        await world.fault("refund", "insufficient_balance", times=1)
        transaction = await world.advance(transaction_id)
        assert [one.waits_for_balance for one in transaction.refunds.values()] == [True]
        reference, number = await dispute(world, transaction_id, amount_minor=100_000 + SURPLUS)
        await world.top_up(500_000)
        world.wait(minutes=3)
        assert waiting_minor(await hear(world, transaction_id, reference)) == SURPLUS
        world.wait(minutes=3)
        await world.advance(transaction_id)
        assert await world.moved("refund") == []
        await decide(world, number, outcome)
        world.wait(minutes=3)
        if outcome == "lost":
            await require_lost_once(world, transaction_id)
            return
        await world.advance(transaction_id)
        assert await world.moved("refund") == [-SURPLUS]

    run(database.app_dsn, story)


@pytest.mark.parametrize("fault", ["insufficient_balance", "500_before"])
def test_staff_are_told_once_of_a_disputed_return_in_whose_place_there_is_another(
    database: Database, fault: str
) -> None:
    """And once when what they made is found: whether the return was ordered before the dispute is asked on and on."""

    async def story(world: World) -> None:
        transaction_id = await overpaid(world)
        await world.fault("refund", fault, times=1)
        (refund,) = (await world.advance(transaction_id)).refunds.values()
        await world.top_up(500_000)
        by_hand = {"transaction": refund.charge_reference, "amount": refund.amount_minor}
        assert (await world.panel.post("/refund", json=by_hand, headers=KEY)).status_code == 200
        reference, _ = await dispute(world, transaction_id)
        await hear(world, transaction_id, reference)
        for _ in range(13):
            world.wait(minutes=2)
            await world.advance(transaction_id)
        (alert,) = await alerts(world, database)
        assert (alert.kind, alert.subject, alert.detail) == (
            "question_refused",
            refund.reference,
            "gateway_refund_ambiguous",
        )
        noted = {**by_hand, "merchant_note": refund.reference}
        assert (await world.panel.post("/refund", json=noted, headers=KEY)).status_code == 200
        transaction = await world.advance(transaction_id)
        assert transaction.refunds[refund.reference].status is RefundStatus.PROCESSED
        assert await kinds(world, database) == ["question_answered", "question_refused"]

    run(database.app_dsn, story)


class LeavesOut:
    """A processor whose answers about chargebacks leave out how it calls the charge."""

    def __init__(self, real: Processor, *names: str) -> None:
        self._real = real
        self._left_out = dict.fromkeys(names)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    async def fetch_chargeback(self, processor_id: int) -> Chargeback:
        return replace(await self._real.fetch_chargeback(processor_id), **self._left_out)

    async def list_chargebacks_of(self, charge_id: int) -> Sequence[Chargeback]:
        return [replace(found, **self._left_out) for found in await self._real.list_chargebacks_of(charge_id)]


def leave_out(world: World, *names: str) -> None:
    world.tools = replace(world.tools, gateway=cast("Processor", LeavesOut(world.tools.gateway, *names)))


def test_a_chargeback_is_of_the_charge_whose_chargebacks_were_asked_for(database: Database) -> None:
    async def story(world: World) -> None:
        leave_out(world, "charge_id", "charge_reference")
        transaction_id = await overpaid(world)
        reference, number = await dispute(world, transaction_id, amount_minor=100_000 + SURPLUS)
        transaction = await hear(world, transaction_id, reference)
        assert [one.charge_id for one in transaction.open_disputes] == [transaction.processor_charge_id]
        assert (waiting_minor(transaction), transaction.refunds) == (SURPLUS, {})
        await decide(world, number, "lost")
        await require_lost_once(world, transaction_id)

    run(database.app_dsn, story)


def test_a_chargeback_that_names_its_charge_by_number_only_takes_what_waits_for_its_return(database: Database) -> None:
    async def story(world: World) -> None:
        leave_out(world, "charge_reference")
        transaction_id = await overpaid(world)
        await world.fault("refund", "insufficient_balance", times=1)
        await world.advance(transaction_id)
        _, number = await dispute(world, transaction_id, amount_minor=100_000 + SURPLUS)
        found = await world.tools.gateway.fetch_chargeback(int(number))
        await record_found(world.tools, await world.transaction(transaction_id), found)
        await world.top_up(500_000)
        world.wait(minutes=3)
        await world.advance(transaction_id)
        assert await world.moved("refund") == []
        await decide(world, number, "lost")
        await require_lost_once(world, transaction_id)

    run(database.app_dsn, story)
