"""Reactions bring a transaction as far as it goes, whatever was lost, repeated or refused on the way."""

import socket
from dataclasses import replace
from uuid import uuid4

import pytest

from domain.actor import Actor, Role, reaction
from domain.journal import Account
from domain.listing.status import ListingStatus
from domain.policy import Terms
from domain.transaction.commands import CancelTransaction, OpenDispute, WithdrawDispute
from domain.transaction.phase import Phase
from domain.transaction.records import ContractStatus, DisputeCategory, PayoutStatus, RefundStatus
from gateways.errors import GatewayUnavailable
from gateways.paystack.client import Paystack
from reactions.advance import advance
from tests.conftest import Database
from tests.reactions.world import HASTY, NONE, SECRET, World, run


def test_a_paid_charge_is_confirmed_and_the_contract_generated(database: Database) -> None:
    async def story(world: World) -> None:
        transaction = await world.transaction(await world.hold())
        assert transaction.phase is Phase.FUNDS_HELD
        assert transaction.contract is ContractStatus.GENERATED
        assert transaction.balances[Account.HELD] == -100_000

    run(database.app_dsn, story)


def test_a_charge_that_was_not_paid_changes_nothing(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        await world.pay(transaction_id, "failed")
        assert (await world.advance(transaction_id)).phase is Phase.PENDING

    run(database.app_dsn, story)


def test_asking_for_the_payment_page_again_gives_the_same_page(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        first, second = await world.page(transaction_id), await world.page(transaction_id)
        assert first.authorization_url == second.authorization_url
        assert first.authorization_url not in repr(first)

    run(database.app_dsn, story)


def test_the_seller_is_paid_once_after_the_buyer_confirmed(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        for _ in range(3):
            transaction = await world.advance(transaction_id)
        assert transaction.phase is Phase.COMPLETED
        assert transaction.is_flat
        assert await world.moved("transfer") == [-90_000]
        assert [-transaction.balances[Account.TRANSFER_FEE]] == await world.moved("transfer_fee") != [0]
        assert (await world.listing_of(transaction_id)).status is ListingStatus.SOLD

    run(database.app_dsn, story)


@pytest.mark.parametrize("kind", ["accept_then_timeout", "500_after_commit", "500_before"])
def test_a_doubtful_transfer_is_asked_for_and_never_sent_twice(database: Database, kind: str) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.fault("transfer", kind)
        for _ in range(4):
            transaction = await world.advance(transaction_id)
        assert transaction.phase is Phase.COMPLETED
        assert await world.moved("transfer") == [-90_000]
        assert len(transaction.payouts) == 1

    run(database.app_dsn, story)


def test_a_refused_transfer_waits_for_a_person_and_keeps_the_money_owed(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.fault("transfer", "refuse")
        for _ in range(3):
            transaction = await world.advance(transaction_id)
        assert transaction.phase is Phase.PAYOUT_FAILED
        assert transaction.owed(Account.SELLER_PAYABLE) == 90_000
        assert [payout.status for payout in transaction.payouts.values()] == [PayoutStatus.FAILED]
        assert await world.moved("transfer") == []

    run(database.app_dsn, story)


def test_a_payout_that_was_not_sent_waits_while_a_dispute_is_open(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.top_up(-60_000)
        await world.advance(transaction_id)
        dispute_id = uuid4()
        dispute = OpenDispute(dispute_id=dispute_id, category=DisputeCategory.ACCESS_LOST)
        await world.do(world.as_buyer, transaction_id, dispute)
        await world.top_up(60_000)
        await world.advance(transaction_id)
        assert await world.moved("transfer") == []
        await world.do(world.as_buyer, transaction_id, WithdrawDispute(dispute_id=dispute_id))
        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED

    run(database.app_dsn, story)


def test_a_payout_waits_for_balance_and_goes_out_after_the_top_up(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.top_up(-60_000)
        transaction = await world.advance(transaction_id)
        assert transaction.phase is Phase.RELEASING
        assert transaction.stuck_reason == "payout_waiting_for_balance: 90000 KES"
        await world.top_up(60_000)
        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED

    run(database.app_dsn, story)


@pytest.mark.parametrize("kind", ["accept_then_timeout", "500_after_commit", "500_before"])
def test_a_doubtful_refund_is_found_by_its_note_and_never_sent_twice(database: Database, kind: str) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.do(world.as_buyer, transaction_id, CancelTransaction(reason="changed my mind"))
        await world.do(world.as_seller, transaction_id, CancelTransaction(reason="agreed"))
        await world.fault("refund", kind)
        for _ in range(4):
            transaction = await world.advance(transaction_id)
            world.wait(minutes=1)
        assert [refund.status for refund in transaction.refunds.values()] == [RefundStatus.PROCESSED]
        assert transaction.phase is Phase.REFUNDED
        assert await world.moved("refund") == [-100_000]
        assert (await world.listing_of(transaction_id)).status is ListingStatus.APPROVED

    run(database.app_dsn, story)


def test_an_unsigned_contract_is_refunded_by_the_clock(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold(Terms(signing_seconds=3_600))
        world.wait(hours=1)
        assert (await world.advance(transaction_id)).phase is Phase.REFUNDED

    run(database.app_dsn, story)


@pytest.mark.weakness("W9")
def test_a_late_payment_goes_back_to_the_payer(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open(Terms(payment_seconds=3_600))
        page = await world.page(transaction_id)
        world.wait(hours=1)
        assert (await world.advance(transaction_id)).phase is Phase.EXPIRED
        await world.panel.post(page.authorization_url, json={"outcome": "success"})
        await advance(world.tools, transaction_id, page.reference)
        transaction = await world.transaction(transaction_id)
        assert transaction.phase is Phase.EXPIRED
        assert await world.moved("refund") == [-100_000]
        assert transaction.is_over

    run(database.app_dsn, story)


def nobodys_url() -> str:
    """An address at which nobody listens any more."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return f"http://127.0.0.1:{gone.getsockname()[1]}"


@pytest.mark.guarantee("G18", faults="the processor cannot be reached")
def test_an_unreachable_processor_leaves_the_intent_for_later(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.open()
        async with Paystack.connect(secret=SECRET, base_url=nobodys_url(), timeouts=HASTY, retries=NONE) as gateway:
            world.tools = replace(world.tools, gateway=gateway)
            with pytest.raises(GatewayUnavailable):
                await world.page(transaction_id)
        transaction = await world.transaction(transaction_id)
        assert transaction.payment_reference is not None
        assert not transaction.payment_link_issued

    run(database.app_dsn, story)


def test_reactions_act_under_their_own_names() -> None:
    assert reaction("payouts") == Actor("payouts", Role.SYSTEM)
