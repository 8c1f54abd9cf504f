"""What the processor wants from a person, over the stand-in: sent once, confirmed by a GET, and secret."""

import asyncio
from uuid import UUID

import pytest

from domain.actor import Actor, Role
from domain.transaction.attention import PayoutNotAwaitingOtp
from domain.transaction.phase import Phase
from domain.transaction.records import Payout
from domain.transaction.staff_commands import FinalizePayout, ResendOtp
from eventstore.escrow import Request
from gateways.errors import GatewayUncertain
from reactions.attention import OtpWrong, finalize_payout, resend_otp
from tests.conftest import Database
from tests.reactions.world import World, run

SUPER = Actor(str(UUID(int=7)), Role.SUPER_ADMIN)
OTP, WRONG = "123456", "12345"
TYPED = FinalizePayout(reason="the code came by text message")


async def waiting(world: World) -> tuple[UUID, Payout]:
    """A transaction whose payout waits for a one-time password."""
    transaction_id = await world.hold()
    await world.confirm(transaction_id)
    await world.fault("transfer", "otp")
    transaction = await world.advance(transaction_id)
    assert transaction.stuck_reason == "payout_otp"
    (payout,) = transaction.payouts.values()
    return transaction_id, payout


async def type_otp(world: World, transaction_id: UUID, otp: str = OTP, request: Request | None = None) -> str:
    result = await finalize_payout(world.tools, transaction_id, request or world.request(SUPER), TYPED, otp)
    return result.aggregate.state


def test_the_password_finishes_the_payout_and_is_kept_nowhere(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await waiting(world)
        assert await type_otp(world, transaction_id) == Phase.COMPLETED
        assert await world.moved("transfer") == [-90_000]
        async with world.pool.connection() as connection:
            for query in ("SELECT string_agg(data::text, '') FROM event_log", "SELECT max(body::text) FROM contents"):
                row = await (await connection.execute(query)).fetchone()
                assert row is not None
                assert OTP not in (row[0] or "")

    run(database.app_dsn, story)


def test_a_wrong_password_is_an_error_and_nothing_changes(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await waiting(world)
        before = (await world.transaction(transaction_id)).version
        request = world.request(SUPER)
        with pytest.raises(OtpWrong) as refused:
            await type_otp(world, transaction_id, WRONG, request)
        assert refused.value.facts == {"gateway_code": "invalid_otp"}
        assert (await world.advance(transaction_id)).version == before
        assert await type_otp(world, transaction_id, OTP, request) == Phase.COMPLETED

    run(database.app_dsn, story)


def test_typed_twice_it_is_sent_once_and_answered_the_same(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await waiting(world)
        request = world.request(SUPER)
        first = await finalize_payout(world.tools, transaction_id, request, TYPED, OTP)
        again = await finalize_payout(world.tools, transaction_id, request, TYPED, WRONG)
        assert (again.replayed, again.position, again.aggregate.version) == (
            True,
            first.position,
            first.aggregate.version,
        )
        with pytest.raises(PayoutNotAwaitingOtp):
            await type_otp(world, transaction_id)

    run(database.app_dsn, story)


def test_two_who_type_it_at_once_pay_once(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await waiting(world)
        await asyncio.gather(*(type_otp(world, transaction_id) for _ in range(4)), return_exceptions=True)
        assert (await world.advance(transaction_id)).phase is Phase.COMPLETED
        assert await world.moved("transfer") == [-90_000]

    run(database.app_dsn, story)


@pytest.mark.parametrize("kind", ["accept_then_timeout", "500_after_commit", "reset_after_commit"])
def test_an_answer_that_is_lost_is_asked_for(database: Database, kind: str) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await waiting(world)
        await world.fault("finalize_transfer", kind)
        assert await type_otp(world, transaction_id) == Phase.COMPLETED

    run(database.app_dsn, story)


def test_a_password_that_never_arrived_can_be_sent_again_with_the_same_key(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await waiting(world)
        request = world.request(SUPER)
        await world.fault("finalize_transfer", "timeout_before")
        with pytest.raises(GatewayUncertain):
            await type_otp(world, transaction_id, OTP, request)
        assert (await world.transaction(transaction_id)).stuck_reason == "payout_otp"
        assert await type_otp(world, transaction_id, OTP, request) == Phase.COMPLETED

    run(database.app_dsn, story)


def test_a_password_that_comes_too_late_is_told_what_became_of_the_transfer(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, payout = await waiting(world)
        await world.panel.post(f"/_sim/transfers/{payout.reference}", json={"status": "abandoned"})
        with pytest.raises(PayoutNotAwaitingOtp):
            await type_otp(world, transaction_id)
        reason = (await world.transaction(transaction_id)).stuck_reason or ""
        assert reason.startswith("payout_retry_scheduled: ")

    run(database.app_dsn, story)


def test_the_password_is_sent_again_once_per_request(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await waiting(world)
        request = world.request(SUPER)
        first = await resend_otp(world.tools, transaction_id, request, ResendOtp())
        await world.fault("resend_otp", "refuse")
        again = await resend_otp(world.tools, transaction_id, request, ResendOtp())
        assert (again.replayed, again.position) == (True, first.position)

    run(database.app_dsn, story)
