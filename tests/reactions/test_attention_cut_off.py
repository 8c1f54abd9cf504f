"""Whoever answers the processor and dies over it: the log names him and his answer, and a repeat carries on from there.

The process dies just before a call to the processor, or just before a question that follows one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest

from domain.errors import IdempotencyMismatch, PreconditionFailed
from domain.transaction.attention import PayoutNotAwaitingOtp, RefundAccountOutdated
from domain.transaction.phase import Phase
from domain.transaction.staff_commands import OrderOtp
from domain.transaction.state import DisputeOpen
from gateways.errors import GatewayUncertain
from reactions.attention import AccountRefused, AttentionUnderWay, resend_otp
from reactions.checkpoint import save_unless_since
from reactions.toolbox import Processor
from tests.conftest import Database
from tests.domain.paths import dispute
from tests.killed import Killed
from tests.reactions.attending import (
    ACCOUNT,
    OTHER,
    SUPER,
    Fatal,
    accounts_sent_to,
    answers,
    in_need,
    kept_accounts,
    send_on,
    type_otp,
    waiting,
)
from tests.reactions.world import World, run

GIVEN, RETRIED = "refund_account_given", "refund_retried"
TYPED, FINALIZED = "payout_otp_typed", "payout_finalized"


async def die(world: World, call: str, answer: Callable[[], Awaitable[object]]) -> None:
    """Answer the processor in a process that dies over this call."""
    living = world.tools
    world.tools = replace(living, gateway=cast("Processor", Fatal(living.gateway, call, Killed())))
    with pytest.raises(Killed):
        await answer()
    world.tools = living


async def who_said(world: World, transaction_id: UUID, kind: str) -> list[tuple[str, str]]:
    """Who said something, and why, by the log."""
    async with world.pool.connection() as connection:
        query = "SELECT actor, data->>'reason' FROM event_log WHERE stream = %s AND type = %s"
        return list(await (await connection.execute(query, (transaction_id, f"transaction.{kind}.v1"))).fetchall())


@pytest.mark.parametrize(("call", "heard"), [("retry_refund", True), ("fetch_refund", False), ("fetch_refund", True)])
def test_an_account_of_somebody_who_died_is_on_record_and_a_repeat_sends_it_once(
    database: Database, call: str, heard: bool
) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await in_need(world)
        request, version = world.request(SUPER), (await world.transaction(transaction_id)).version
        await die(world, call, lambda: send_on(world, transaction_id, request=request, expected_version=version))
        assert await who_said(world, transaction_id, GIVEN) == [(SUPER.id, "the buyer named an account")]
        assert await kept_accounts(world) == [ACCOUNT.account_number]
        if heard:
            went_on = call == "fetch_refund"
            assert (await world.advance(transaction_id)).phase is (Phase.REFUNDED if went_on else Phase.REFUNDING)
        with pytest.raises(IdempotencyMismatch):
            await send_on(world, transaction_id, OTHER, request)
        for _ in range(2):
            await send_on(world, transaction_id, request=request, expected_version=version)
        assert await answers(world, transaction_id) == [GIVEN, RETRIED]
        assert await accounts_sent_to(world) == [ACCOUNT.account_number]
        assert (await world.advance(transaction_id)).phase is Phase.REFUNDED
        assert await world.moved("refund") == [-100_000]
        with pytest.raises(PreconditionFailed):
            await send_on(world, transaction_id, expected_version=version)

    run(database.app_dsn, story)


def test_an_account_in_whose_place_another_was_given_is_not_sent_by_a_repeat(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await in_need(world)
        request = world.request(SUPER)
        await die(world, "retry_refund", lambda: send_on(world, transaction_id, request=request))
        await world.fault("retry_refund", "refuse", status=422)
        with pytest.raises(AccountRefused):
            await send_on(world, transaction_id, OTHER)
        with pytest.raises(RefundAccountOutdated):
            await send_on(world, transaction_id, request=request)
        await send_on(world, transaction_id, OTHER)
        with pytest.raises(RefundAccountOutdated):
            await send_on(world, transaction_id, request=request)
        assert await answers(world, transaction_id) == [GIVEN, GIVEN, "refund_account_refused", GIVEN, RETRIED]
        assert await accounts_sent_to(world) == [OTHER.account_number]

    run(database.app_dsn, story)


def test_an_account_that_paystack_did_not_answer_to_is_sent_again_with_the_same_key(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await in_need(world)
        request = world.request(SUPER)
        await world.fault("retry_refund", "timeout_before")
        with pytest.raises(GatewayUncertain):
            await send_on(world, transaction_id, request=request)
        await send_on(world, transaction_id, request=request)
        assert await answers(world, transaction_id) == [GIVEN, RETRIED]

    run(database.app_dsn, story)


def test_one_at_a_time_answers_and_who_was_killed_over_it_holds_nobody_up_for_long(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await in_need(world)
        name, request = f"attention {transaction_id}", world.request(SUPER)
        assert await save_unless_since(world.pool, name, world.at, world.at)
        with pytest.raises(AttentionUnderWay):
            await send_on(world, transaction_id, OTHER)
        assert await answers(world, transaction_id) == await kept_accounts(world) == []
        world.wait(minutes=5)
        twins = (send_on(world, transaction_id, request=request) for _ in range(4))
        said = await asyncio.gather(*twins, return_exceptions=True)
        assert [each for each in said if isinstance(each, Exception) and not isinstance(each, AttentionUnderWay)] == []
        assert await answers(world, transaction_id) == [GIVEN, RETRIED]

    run(database.app_dsn, story)


@pytest.mark.parametrize(
    ("call", "heard"), [("finalize_transfer", True), ("verify_transfer", False), ("verify_transfer", True)]
)
def test_a_password_of_somebody_who_died_is_on_record_and_a_repeat_is_answered(
    database: Database, call: str, heard: bool
) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await waiting(world)
        request = world.request(SUPER)
        await die(world, call, lambda: type_otp(world, transaction_id, request=request))
        assert await who_said(world, transaction_id, TYPED) == [(SUPER.id, "the code came by text message")]
        if heard:
            await world.advance(transaction_id)
        for _ in range(2):
            assert await type_otp(world, transaction_id, request=request) == Phase.COMPLETED
        assert await answers(world, transaction_id) == [TYPED, FINALIZED]
        assert await world.moved("transfer") == [-90_000]

    run(database.app_dsn, story)


def test_that_somebody_had_the_password_sent_again_is_on_record_though_he_died(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await waiting(world)
        request = world.request(SUPER)

        async def resend() -> None:
            await resend_otp(world.tools, transaction_id, request, OrderOtp())

        await die(world, "resend_otp", resend)
        assert await answers(world, transaction_id) == ["payout_otp_resend_ordered"]
        await resend()
        await resend()
        assert await answers(world, transaction_id) == ["payout_otp_resend_ordered", "payout_otp_resent"]

    run(database.app_dsn, story)


def test_what_another_has_finished_a_repeat_does_not_claim(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await waiting(world)
        request = world.request(SUPER)
        await die(world, "finalize_transfer", lambda: type_otp(world, transaction_id, request=request))
        assert await type_otp(world, transaction_id) == Phase.COMPLETED
        for _ in range(2):
            with pytest.raises(PayoutNotAwaitingOtp):
                await type_otp(world, transaction_id, request=request)
        assert await answers(world, transaction_id) == [TYPED, TYPED, FINALIZED, "payout_otp_refused"]

    run(database.app_dsn, story)


def test_a_repeat_sends_no_password_once_a_dispute_is_open(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await waiting(world)
        request = world.request(SUPER)
        await die(world, "finalize_transfer", lambda: type_otp(world, transaction_id, request=request))
        await world.do(world.as_buyer, transaction_id, dispute())  # type: ignore[arg-type]
        with pytest.raises(DisputeOpen):
            await type_otp(world, transaction_id, request=request)
        shown = (await world.panel.get("/_sim/objects")).json()
        assert [row["status"] for row in shown["transfers"]] == ["otp"]

    run(database.app_dsn, story)
