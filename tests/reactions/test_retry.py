"""A payout that failed is repeated under a new reference, after growing pauses, and never while anybody is in doubt."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.journal import Account
from domain.policy import MAX_PAYOUT_ATTEMPTS, PAYOUT_RETRY_AFTER
from domain.transaction import Transaction
from domain.transaction.phase import Phase
from domain.transaction.records import PayoutStatus
from domain.transaction.staff_commands import ForceRelease
from domain.transaction.system_commands import RecordTransfer
from domain.transaction.transfer import TransferReport
from domain.transaction.transfer import TransferStatus as Status
from gateways.payment import Transfer, TransferStatus
from reactions.advance import advance
from tests.conftest import Database
from tests.domain.people import SUPER, SYSTEM
from tests.reactions.refusing import alerts, sent
from tests.reactions.world import World, run
from tests.waiting import until

SETTLED = {PayoutStatus.FAILED, PayoutStatus.REVERSED, PayoutStatus.SUCCEEDED}


async def conclude(world: World, transaction_id: UUID) -> Transaction:
    """Advance until the last transfer is decided: the stand-in takes a moment to fail one."""
    return await until(
        lambda: world.advance(transaction_id),
        lambda transaction: list(transaction.payouts.values())[-1].status in SETTLED,
    )


def test_staff_are_told_of_a_failed_payout_that_may_yet_be_paid_and_holds_the_next_attempt(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(500_000)
        transaction_id = await sent(world)
        (reference,) = (await world.transaction(transaction_id)).payouts
        report = TransferReport(reference=reference, status=Status.FAILED, reason="no such account")
        await world.do(SYSTEM, transaction_id, RecordTransfer(report=report))  # type: ignore[arg-type]
        for minutes in (1, 10, 60):
            world.wait(minutes=minutes)
            transaction = await world.advance(transaction_id)
            assert list(transaction.payouts) == [reference]
        (alert,) = await alerts(world, database)
        assert (alert.kind, alert.subject, alert.detail) == ("question_refused", reference, "transfer_pending")
        assert transaction.stuck_reason == (
            "payout_retry_scheduled: no such account: transfer_pending when asked about it"
        )

    run(database.app_dsn, story)


@pytest.mark.parametrize("kind", ["fail", "rejected", "blocked", "abandoned"])
def test_a_transfer_that_failed_is_repeated_after_its_pause(database: Database, kind: str) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.fault("transfer", kind)
        assert (await conclude(world, transaction_id)).phase is Phase.RELEASING
        world.wait(seconds=59)
        assert len((await world.advance(transaction_id)).payouts) == 1
        world.wait(seconds=1)
        transaction = await conclude(world, transaction_id)
        assert transaction.phase is Phase.COMPLETED
        assert [payout.status for payout in transaction.payouts.values()] == [
            PayoutStatus.FAILED,
            PayoutStatus.SUCCEEDED,
        ]
        assert sum(await world.moved("transfer") + await world.moved("transfer_returned")) == -90_000

    run(database.app_dsn, story)


def test_after_five_attempts_a_person_has_to_look_and_can_pay_by_hand(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.fault("transfer", "fail", times=MAX_PAYOUT_ATTEMPTS)
        transaction = await conclude(world, transaction_id)
        for pause in PAYOUT_RETRY_AFTER:
            world.wait(seconds=pause.total_seconds())
            transaction = await conclude(world, transaction_id)
        world.wait(days=1)
        assert transaction.phase is Phase.PAYOUT_FAILED
        assert len((await world.advance(transaction_id)).payouts) == MAX_PAYOUT_ATTEMPTS
        release = ForceRelease(reason="the seller's bank was closed", limit_usd_cents=10**9)
        await world.do(SUPER, transaction_id, release)  # type: ignore[arg-type]
        transaction = await conclude(world, transaction_id)
        assert transaction.phase is Phase.COMPLETED
        assert transaction.is_flat

    run(database.app_dsn, story)


def test_a_transfer_called_refused_but_paid_is_booked_when_the_processor_tells(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.fault("transfer", "refuse")
        transaction = await world.advance(transaction_id)
        (payout,) = transaction.payouts.values()
        assert transaction.phase is Phase.PAYOUT_FAILED
        body = {"source": "balance", "amount": payout.amount_minor, "currency": "KES"}
        body |= {"recipient": payout.recipient, "reference": payout.reference, "reason": "it went through after all"}
        key = {"Authorization": "Bearer sk_test_0123456789abcdef"}
        assert (await world.panel.post("/transfer", json=body, headers=key)).status_code == 200
        await advance(world.tools, transaction_id, payout.reference)
        transaction = await world.transaction(transaction_id)
        assert transaction.phase is Phase.COMPLETED
        assert transaction.balances[Account.TRANSFER_FEE] > 0
        await advance(world.tools, transaction_id, payout.reference)
        assert (await world.transaction(transaction_id)).version == transaction.version

    run(database.app_dsn, story)


def test_before_a_repetition_the_processor_is_asked_what_became_of_the_first(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id = await world.hold()
        await world.confirm(transaction_id)
        await world.fault("transfer", "fail")
        transaction = await conclude(world, transaction_id)
        reference = next(iter(transaction.payouts))
        real = world.tools.gateway.verify_transfer

        async def changed_its_mind(asked: str) -> Transfer:
            return replace(await real(asked), status=TransferStatus.SUCCESS)

        world.tools.gateway.verify_transfer = changed_its_mind  # type: ignore[method-assign]
        world.wait(minutes=1)
        transaction = await world.advance(transaction_id)
        assert list(transaction.payouts) == [reference]
        assert transaction.phase is Phase.COMPLETED

    run(database.app_dsn, story)
