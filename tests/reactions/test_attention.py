"""What the processor wants from a person, over the stand-in: sent once, confirmed by a GET, and secret."""

import asyncio
import hashlib
import json
from dataclasses import replace

import pytest

from domain.errors import Refused
from domain.money import Currency
from domain.transaction.attention import PayoutNotAwaitingOtp, RefundNotAwaitingAccount
from domain.transaction.phase import Phase
from domain.transaction.records import PayoutPurpose
from domain.transaction.staff_commands import ForceRelease, OrderOtp
from gateways.errors import GatewayUncertain
from gateways.payment import NewRecipient
from identity.erasure import erase_personal_data, lock_for_erasure, request_erasure
from identity.payout_account import PayoutAccount
from reactions.attention import (
    AccountRefused,
    BankUnknown,
    BuyersAccount,
    OtpWrong,
    finalize_payout,
    resend_otp,
)
from reactions.hold import HeldBack
from tests.conftest import Database
from tests.payee import name_account
from tests.reactions.attending import (
    ACCOUNT,
    OTHER,
    OTP,
    SUPER,
    TYPED,
    WRONG,
    accounts_sent_to,
    answers,
    in_need,
    kept_accounts,
    send_on,
    type_otp,
    waiting,
)
from tests.reactions.holding import transfer_unheard
from tests.reactions.world import World, run


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


def test_a_wrong_password_is_an_error_on_record_and_the_transfer_waits_on(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await waiting(world)
        request = world.request(SUPER)
        with pytest.raises(OtpWrong) as refused:
            await type_otp(world, transaction_id, WRONG, request)
        assert refused.value.facts == {"gateway_code": "invalid_otp"}
        assert (await world.advance(transaction_id)).stuck_reason == "payout_otp"
        assert await answers(world, transaction_id) == ["payout_otp_typed", "payout_otp_refused"]
        assert await type_otp(world, transaction_id, OTP, request) == Phase.COMPLETED
        assert (await answers(world, transaction_id))[2:] == ["payout_otp_typed", "payout_finalized"]

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


def test_nothing_is_sent_while_no_money_may_move(database: Database) -> None:
    async def story(world: World) -> None:
        async def forbid() -> None:
            raise Refused

        transaction_id, _ = await waiting(world)
        refunded_id, _ = await in_need(world)
        world.tools = replace(world.tools, permit=forbid)
        with pytest.raises(Refused):
            await type_otp(world, transaction_id)
        with pytest.raises(Refused):
            await send_on(world, refunded_id)
        waits = [(await world.transaction(each)).stuck_reason for each in (transaction_id, refunded_id)]
        assert waits == ["payout_otp", "refund_needs_attention"]
        shown = (await world.panel.get("/_sim/objects")).json()
        assert [row["status"] for row in shown["transfers"] + shown["refunds"]] == ["otp", "needs-attention"]

    run(database.app_dsn, story)


def test_nothing_is_sent_for_what_is_held_back(database: Database) -> None:
    async def story(world: World) -> None:
        await world.top_up(500_000)
        (transaction_id, _), (refunded_id, _) = await waiting(world), await in_need(world)
        for each in (transaction_id, refunded_id):
            await transfer_unheard(world, database, each, "refund", 90_000)
        with pytest.raises(HeldBack):
            await type_otp(world, transaction_id)
        with pytest.raises(HeldBack):
            await send_on(world, refunded_id)
        shown = (await world.panel.get("/_sim/objects")).json()
        assert [row["status"] for row in shown["refunds"]] == ["needs-attention"]
        assert [row["status"] for row in shown["transfers"]].count("otp") == 1

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
        first = await resend_otp(world.tools, transaction_id, request, OrderOtp())
        await world.fault("resend_otp", "refuse")
        again = await resend_otp(world.tools, transaction_id, request, OrderOtp())
        assert (again.replayed, again.position) == (True, first.position)

    run(database.app_dsn, story)


def test_a_refund_goes_on_to_the_buyers_account_of_which_the_log_has_a_salted_hash(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await in_need(world)
        await send_on(world, transaction_id)
        assert (await world.advance(transaction_id)).phase is Phase.REFUNDED
        assert await world.moved("refund") == [-100_000]
        async with world.pool.connection() as connection:
            query = "SELECT data FROM event_log WHERE type = 'transaction.refund_retried.v1'"
            (data,) = await (await connection.execute(query)).fetchone() or ({},)
            query = "SELECT owner_id, kind, body, salt, sha256 FROM contents WHERE content_id = %s"
            (kept,) = await (await connection.execute(query, (data["content_id"],))).fetchall()
            query = "SELECT count(*) FROM event_log WHERE data::text LIKE %s"
            row = await (await connection.execute(query, (f"%{ACCOUNT.account_number}%",))).fetchone()
        assert row == (0,)
        owner_id, kind, body, salt, sha256 = kept
        assert (owner_id, kind) == (world.buyer.id, "refund_account")
        text = {"account_number": ACCOUNT.account_number, "bank_code": ACCOUNT.bank_code}
        assert body == text
        canonical = json.dumps(text, separators=(",", ":"), sort_keys=True).encode()
        assert sha256 == data["content_sha256"] == hashlib.sha256(bytes(salt) + canonical).hexdigest()

    run(database.app_dsn, story)


def test_an_account_at_a_bank_that_nobody_knows_changes_nothing_and_is_not_kept(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await in_need(world)
        before, request = (await world.transaction(transaction_id)).version, world.request(SUPER)
        with pytest.raises(BankUnknown):
            await send_on(world, transaction_id, BuyersAccount(account_number="0798765432", bank_code="NONE"), request)
        assert (await world.advance(transaction_id)).version == before
        assert await kept_accounts(world) == []
        await send_on(world, transaction_id, request=request)
        assert (await world.advance(transaction_id)).phase is Phase.REFUNDED


def test_an_account_that_is_refused_is_on_record_and_the_refund_waits_for_another(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await in_need(world)
        request = world.request(SUPER)
        await world.fault("retry_refund", "refuse", status=422, code="no_such_account")
        for _ in range(2):
            with pytest.raises(AccountRefused) as refused:
                await send_on(world, transaction_id, request=request)
            assert refused.value.facts == {"gateway_code": "no_such_account"}
        assert (await world.advance(transaction_id)).stuck_reason == "refund_needs_attention"
        attempt = ["refund_account_given", "refund_account_refused"]
        assert await answers(world, transaction_id) == attempt
        await send_on(world, transaction_id, OTHER)
        assert await answers(world, transaction_id) == [*attempt, "refund_account_given", "refund_retried"]
        assert await accounts_sent_to(world) == [OTHER.account_number]
        assert (await world.advance(transaction_id)).phase is Phase.REFUNDED
        async with world.pool.connection() as connection:
            await request_erasure(connection, world.buyer.id, world.at)
        assert await lock_for_erasure(world.pool, world.buyer.id, world.at)
        await erase_personal_data(world.pool, world.buyer.id, world.at)
        assert await kept_accounts(world) == [None, None]

    run(database.app_dsn, story)


def test_a_refund_is_sent_on_once_however_often_and_by_whom_it_is_asked_for(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, _ = await in_need(world)
        request = world.request(SUPER)
        await world.fault("retry_refund", "accept_then_timeout")
        first = await send_on(world, transaction_id, request=request)
        assert await send_on(world, transaction_id, request=request) == first
        with pytest.raises(RefundNotAwaitingAccount):
            await send_on(world, transaction_id)
        assert (await world.advance(transaction_id)).phase is Phase.REFUNDED

    run(database.app_dsn, story)


def test_a_refund_that_cannot_be_sent_on_is_paid_by_transfer_to_the_buyers_account(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, refund = await in_need(world)
        await world.panel.post(f"/_sim/refunds/{refund.processor_refund_id}", json={"status": "failed"})
        assert (await world.advance(transaction_id)).phase is Phase.REFUNDED
        assert await world.moved("refund_returned") == [100_000]
        assert await world.moved("transfer") == [-100_000]

    run(database.app_dsn, story)


def test_without_an_account_of_the_buyer_a_super_admin_names_the_recipient(database: Database) -> None:
    async def story(world: World) -> None:
        transaction_id, refund = await in_need(world)
        elsewhere = PayoutAccount(
            type="nuban", bank_code="044", account_number="0001234567", account_name="b", currency=Currency.NGN
        )
        await name_account(world.escrow, world.pool, world.buyer.id, elsewhere, world.at)
        await world.panel.post(f"/_sim/refunds/{refund.processor_refund_id}", json={"status": "failed"})
        stuck = await world.advance(transaction_id)
        assert stuck.stuck_reason == "refund_failed: awaiting a transfer to the buyer"
        recipient = await world.tools.gateway.create_recipient(
            NewRecipient(
                type="mobile_money",
                name="Buyer",
                account_number="0798765432",
                bank_code="MPESA",
                currency=Currency.KES,
            )
        )
        forced = ForceRelease(
            reason="the buyer named an account",
            purpose=PayoutPurpose.REFUND,
            recipient=recipient.recipient_code,
            limit_usd_cents=10**9,
        )
        await world.do(SUPER, transaction_id, forced)  # type: ignore[arg-type]
        done = await world.advance(transaction_id)
        assert (done.phase, done.is_flat) == (Phase.REFUNDED, True)
        assert await world.moved("transfer") == [-100_000]

    run(database.app_dsn, story)
