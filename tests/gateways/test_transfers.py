"""Payouts against the stand-in: whatever breaks, one reference never pays twice."""

import pytest

from domain.money import AmountNotPositive, Currency, Money
from gateways.errors import (
    DuplicateReference,
    GatewayError,
    GatewayRefused,
    GatewayUncertain,
    InsufficientBalance,
    UnknownReference,
)
from gateways.payment import NewTransfer, Recipient, ReferenceInvalid, TransferStatus
from gateways.paystack.client import Paystack
from gateways.paystack.sim.server import StandIn
from tests.gateways.conftest import Panel, make_http, payee, payout
from tests.waiting import wait_until

pytestmark = pytest.mark.anyio

FEE = 2_000


@pytest.fixture
async def recipient(paystack: Paystack, panel: Panel) -> Recipient:
    panel.top_up(1_000_000)
    return await paystack.create_recipient(payee())


async def test_registering_an_account_twice_gives_one_recipient(paystack: Paystack) -> None:
    first, second = await paystack.create_recipient(payee()), await paystack.create_recipient(payee())
    assert first.recipient_code == second.recipient_code
    assert (first.is_active, first.is_deleted, first.bank_name) == (True, False, "M-PESA")


async def test_a_transfer_takes_amount_and_fee_and_verifies_as_success(
    paystack: Paystack, panel: Panel, recipient: Recipient
) -> None:
    sent = await paystack.initiate_transfer(payout(recipient))
    found = await paystack.verify_transfer("po-0000000000000001")
    assert (sent.status, sent.recipient_code) == (TransferStatus.SUCCESS, None)
    assert (found.recipient_code, found.fee_minor, found.currency) == (recipient.recipient_code, FEE, "KES")
    assert panel.held("balance") == 1_000_000 - 90_000 - FEE


async def test_a_second_transfer_with_the_same_reference_is_told_apart_and_pays_nothing(
    paystack: Paystack, panel: Panel, recipient: Recipient
) -> None:
    await paystack.initiate_transfer(payout(recipient))
    with pytest.raises(DuplicateReference) as caught:
        await paystack.initiate_transfer(payout(recipient))
    assert (caught.value.http_status, caught.value.gateway_code) == (400, "duplicate_transfer_reference")
    assert panel.moved("transfer") == [-90_000]


@pytest.mark.parametrize(
    ("kind", "happened"),
    [
        ("500_before", False),
        ("timeout_before", False),
        ("reset_before", False),
        ("500_after_commit", True),
        ("accept_then_timeout", True),
        ("reset_after_commit", True),
        ("garbage_after_commit", True),
    ],
)
async def test_a_broken_answer_is_uncertain_and_asking_tells(
    paystack: Paystack, stand_in: StandIn, panel: Panel, recipient: Recipient, kind: str, happened: bool
) -> None:
    panel.fault("transfer", kind)
    async with Paystack(make_http(stand_in.base_url, read_seconds=0.2 if "timeout" in kind else 5.0)) as hasty:
        with pytest.raises(GatewayUncertain):
            await hasty.initiate_transfer(payout(recipient))
    wait_until(lambda: len(panel.moved("transfer")) == int(happened))
    if happened:
        assert (await paystack.verify_transfer("po-0000000000000001")).status is TransferStatus.SUCCESS
    else:
        with pytest.raises(UnknownReference):
            await paystack.verify_transfer("po-0000000000000001")
    assert len(panel.moved("transfer")) == int(happened)


async def test_a_transfer_still_being_validated_is_unknown_and_posting_again_does_not_pay_twice(
    paystack: Paystack, panel: Panel, recipient: Recipient
) -> None:
    panel.fault("transfer", "late", delay_seconds=60)
    await paystack.initiate_transfer(payout(recipient))
    with pytest.raises(UnknownReference):
        await paystack.verify_transfer("po-0000000000000001")
    with pytest.raises(DuplicateReference):
        await paystack.initiate_transfer(payout(recipient))
    panel.advance(61)
    assert (await paystack.verify_transfer("po-0000000000000001")).status is TransferStatus.SUCCESS
    assert panel.moved("transfer") == [-90_000]


@pytest.mark.parametrize("kind", ["fail", "abandoned", "blocked", "rejected"])
async def test_a_transfer_that_fails_after_acceptance_gives_amount_and_fee_back(
    paystack: Paystack, panel: Panel, recipient: Recipient, kind: str
) -> None:
    panel.fault("transfer", kind)
    sent = await paystack.initiate_transfer(payout(recipient))
    assert sent.status is TransferStatus.PENDING
    wait_until(lambda: panel.held("balance") == 1_000_000)
    assert (await paystack.verify_transfer(sent.reference)).status.value.startswith(kind)


async def test_a_transfer_reversed_after_success_gives_back_the_amount_but_not_the_fee(
    paystack: Paystack, panel: Panel, recipient: Recipient
) -> None:
    panel.fault("transfer", "reversed_after_success", delay_seconds=3600)
    assert (await paystack.initiate_transfer(payout(recipient))).status is TransferStatus.SUCCESS
    panel.advance(3601)
    wait_until(lambda: panel.held("balance") == 1_000_000 - FEE)
    assert (await paystack.verify_transfer("po-0000000000000001")).status is TransferStatus.REVERSED


async def test_a_transfer_that_wants_a_code_waits_until_it_is_abandoned(
    paystack: Paystack, panel: Panel, recipient: Recipient
) -> None:
    panel.fault("transfer", "otp")
    sent = await paystack.initiate_transfer(payout(recipient))
    assert sent.status is TransferStatus.OTP
    panel.advance(30 * 60 + 1)
    wait_until(lambda: panel.held("balance") == 1_000_000)
    assert (await paystack.verify_transfer(sent.reference)).status is TransferStatus.ABANDONED


async def test_a_pending_transfer_moves_when_told_to(paystack: Paystack, panel: Panel, recipient: Recipient) -> None:
    panel.fault("transfer", "pending")
    sent = await paystack.initiate_transfer(payout(recipient))
    assert sent.status is TransferStatus.PENDING
    assert panel.drive(f"transfers/{sent.reference}", "success").status_code == 200
    assert panel.drive(f"transfers/{sent.reference}", "failed").status_code == 400
    assert (await paystack.verify_transfer(sent.reference)).status is TransferStatus.SUCCESS


async def test_a_balance_too_small_refuses_and_nothing_happens(paystack: Paystack, panel: Panel) -> None:
    panel.top_up(90_000)
    recipient = await paystack.create_recipient(payee())
    with pytest.raises(InsufficientBalance):
        await paystack.initiate_transfer(payout(recipient))
    assert panel.moved("transfer") == []
    panel.top_up(FEE)
    assert (await paystack.initiate_transfer(payout(recipient))).status is TransferStatus.SUCCESS


async def test_an_unknown_recipient_is_a_refusal(paystack: Paystack, recipient: Recipient) -> None:
    wanted = payout(recipient)
    with pytest.raises(GatewayRefused) as caught:
        await paystack.initiate_transfer(
            NewTransfer(reference=wanted.reference, recipient_code="RCP_x", amount=wanted.amount, reason="")
        )
    assert caught.value.gateway_code == "invalid_transfer_recipient"


@pytest.mark.parametrize("reference", ["", "too-short", "UPPER-CASE-REFERENCE", "x" * 51, "with.dots.in.the.middle"])
def test_a_reference_that_paystack_would_refuse_is_never_sent(reference: str) -> None:
    with pytest.raises(ReferenceInvalid):
        NewTransfer(reference=reference, recipient_code="RCP_x", amount=Money(1, Currency.KES), reason="")


def test_nothing_is_no_amount_to_send() -> None:
    with pytest.raises(AmountNotPositive):
        NewTransfer(reference="po-0000000000000001", recipient_code="RCP_x", amount=Money(0, Currency.KES), reason="")


async def test_every_error_of_a_payout_belongs_to_the_one_tree(paystack: Paystack, panel: Panel) -> None:
    panel.fault("transfer", "throttle", delay_seconds=7)
    recipient = await paystack.create_recipient(payee())
    with pytest.raises(GatewayError) as caught:
        await paystack.initiate_transfer(payout(recipient))
    assert (caught.value.code, caught.value.status) == ("gateway_throttled", 503)
