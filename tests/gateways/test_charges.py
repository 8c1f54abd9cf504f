"""Checkout and verify, against the stand-in."""

import pytest

from gateways.errors import DuplicateReference, GatewayRefused, UnknownReference
from gateways.payment import ChargeStatus, Mode
from gateways.paystack.client import Paystack
from tests.gateways.conftest import PRICE, Panel, charge, pay

pytestmark = pytest.mark.anyio


async def test_a_paid_checkout_verifies_as_success_with_amount_currency_fee_and_mode(
    paystack: Paystack, panel: Panel
) -> None:
    await pay(paystack, panel)
    paid = await paystack.verify_charge("ch-1")
    assert (paid.status, paid.amount_minor, paid.currency) == (ChargeStatus.SUCCESS, PRICE.amount_minor, PRICE.currency)
    assert (paid.mode, paid.fee_minor, paid.requested_minor) == (Mode.TEST, 1_500, PRICE.amount_minor)
    assert paid.paid_at is not None
    assert paid.processor_id > 2**31


@pytest.mark.parametrize(
    ("outcome", "status"), [("failed", ChargeStatus.FAILED), ("abandoned", ChargeStatus.ABANDONED)]
)
async def test_a_checkout_that_ends_badly_moves_no_money(
    paystack: Paystack, panel: Panel, outcome: str, status: ChargeStatus
) -> None:
    link = await paystack.initialize(charge())
    panel.click(link, outcome)
    assert (await paystack.verify_charge("ch-1")).status is status
    assert panel.journal() == []


async def test_an_abandoned_checkout_can_still_be_paid(paystack: Paystack, panel: Panel) -> None:
    link = await paystack.initialize(charge())
    panel.click(link, "abandoned")
    panel.click(link, "success")
    assert (await paystack.verify_charge("ch-1")).status is ChargeStatus.SUCCESS


async def test_a_checkout_is_paid_once_however_often_the_button_is_pressed(paystack: Paystack, panel: Panel) -> None:
    link = await pay(paystack, panel)
    assert panel.click(link, "success").status_code == 400
    assert panel.moved("charge") == [PRICE.amount_minor]


async def test_a_checkout_not_yet_paid_counts_as_abandoned(paystack: Paystack) -> None:
    await paystack.initialize(charge())
    assert (await paystack.verify_charge("ch-1")).status is ChargeStatus.ABANDONED


async def test_a_charge_reference_serves_once(paystack: Paystack) -> None:
    await paystack.initialize(charge())
    with pytest.raises(DuplicateReference) as caught:
        await paystack.initialize(charge())
    assert (caught.value.http_status, caught.value.gateway_code) == (400, "duplicate_reference")


async def test_a_charge_nobody_opened_is_unknown(paystack: Paystack) -> None:
    with pytest.raises(UnknownReference):
        await paystack.verify_charge("ch-none")


@pytest.mark.parametrize("reference", ["../refund", "a/b", "?x=1", "%2e%2e", "é"])
async def test_a_strange_reference_asks_about_nothing_else(paystack: Paystack, reference: str) -> None:
    with pytest.raises(UnknownReference):
        await paystack.verify_charge(reference)


async def test_a_refused_checkout_says_why_to_operators(paystack: Paystack, panel: Panel) -> None:
    panel.fault("initialize", "refuse", message="Currency not supported by merchant", code="unsupported_currency")
    with pytest.raises(GatewayRefused) as caught:
        await paystack.initialize(charge())
    assert "Currency not supported by merchant" in str(caught.value)


async def test_metadata_comes_back_as_it_went(paystack: Paystack) -> None:
    await paystack.initialize(charge(metadata={"transaction_id": "t-1", "n": 1}))
    assert (await paystack.verify_charge("ch-1")).metadata == {"transaction_id": "t-1", "n": 1}


async def test_a_payment_of_another_amount_or_currency_is_reported_as_it_is(paystack: Paystack, panel: Panel) -> None:
    panel.fault("checkout", "other_amount", amount_minor=99_999, currency="NGN")
    await pay(paystack, panel)
    paid = await paystack.verify_charge("ch-1")
    assert (paid.amount_minor, paid.currency, paid.requested_minor) == (99_999, "NGN", PRICE.amount_minor)


async def test_what_was_paid_less_the_fee_becomes_the_balance(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    kes = {line.currency: line.balance_minor for line in await paystack.balance()}["KES"]
    assert (kes, panel.held("uncleared")) == (98_500, 0)
