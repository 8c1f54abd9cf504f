"""What the client asks for beside payments, against the stand-in: chargebacks, codes, banks, refunds to an account."""

import pytest

from domain.money import Currency
from gateways.bank import BankDirectory
from gateways.bookkeeping import Bookkeeping
from gateways.chargeback import (
    Answer,
    Chargeback,
    ChargebackDesk,
    ChargebackResolution,
    ChargebackStatus,
    Evidence,
)
from gateways.errors import GatewayRefused, UnknownReference
from gateways.payment import PaymentGateway, RefundAccount, RefundStatus, TransferStatus
from gateways.paystack.client import Paystack
from tests.gateways.conftest import Panel, an_hour_ago, money_back, pay, payee, payout
from tests.waiting import wait_until

pytestmark = pytest.mark.anyio

EVIDENCE = Evidence(
    customer_email="buyer@example.com", customer_name="Buyer", customer_phone="0712345678", service_details="An account"
)


async def dispute(paystack: Paystack, panel: Panel) -> Chargeback:
    """A chargeback of a charge that the buyer has paid."""
    await pay(paystack, panel)
    assert panel.http.post("/_sim/disputes", json={"reference": "ch-1"}).is_success
    (found,) = await paystack.list_chargebacks(since=an_hour_ago())
    return found


async def test_the_client_is_all_that_is_asked_of_a_processor(paystack: Paystack) -> None:
    gateway: PaymentGateway = paystack
    books: Bookkeeping = paystack
    desk: ChargebackDesk = paystack
    banks: BankDirectory = paystack
    assert {gateway, books, desk, banks} == {paystack}


async def test_a_charge_is_found_by_its_id(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    charge = await paystack.verify_charge("ch-1")
    assert await paystack.fetch_charge(charge.processor_id) == charge
    with pytest.raises(UnknownReference):
        await paystack.fetch_charge(1)


async def test_a_transfer_that_wants_a_code_is_finished_with_it(paystack: Paystack, panel: Panel) -> None:
    panel.top_up(1_000_000)
    panel.fault("transfer", "otp")
    sent = await paystack.initiate_transfer(payout(await paystack.create_recipient(payee())))
    await paystack.resend_otp(sent.transfer_code)
    with pytest.raises(GatewayRefused):
        await paystack.finalize_transfer(sent.transfer_code, "wrong")
    assert (await paystack.verify_transfer(sent.reference)).status is TransferStatus.OTP
    await paystack.finalize_transfer(sent.transfer_code, "123456")
    wait_until(lambda: panel.moved("transfer") == [-90_000])
    assert (await paystack.verify_transfer(sent.reference)).status is TransferStatus.SUCCESS


async def test_a_refund_that_needs_attention_goes_to_an_account(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    panel.fault("refund", "needs_attention")
    refund = await paystack.create_refund(money_back())
    (bank,) = (bank for bank in await paystack.list_banks(Currency.KES) if bank.type == "mobile_money")
    account = RefundAccount(currency=Currency.KES, account_number="0712345678", bank_id=bank.processor_id)
    wait_until(lambda: "refund.needs-attention" in {hook["event"] for hook in panel.webhooks()})
    again = await paystack.retry_refund(refund.processor_id, account)
    assert again.status is RefundStatus.PROCESSING
    with pytest.raises(GatewayRefused) as caught:
        await paystack.retry_refund(refund.processor_id, account)
    assert caught.value.http_status == 422


async def test_a_chargeback_is_seen_the_same_from_all_sides(paystack: Paystack, panel: Panel) -> None:
    found = await dispute(paystack, panel)
    assert (found.status, found.resolution) == (ChargebackStatus.AWAITING_MERCHANT, None)
    assert (found.charge_reference, found.refund_minor, found.currency) == ("ch-1", 100_000, "KES")
    assert found.due_at is not None
    assert found.charge_id is not None
    assert await paystack.fetch_chargeback(found.processor_id) == found
    assert await paystack.list_chargebacks_of(found.charge_id) == (found,)
    assert await paystack.list_chargebacks_of(found.charge_id + 1) == ()


async def test_a_chargeback_is_declined_with_evidence_and_a_file(paystack: Paystack, panel: Panel) -> None:
    number = (await dispute(paystack, panel)).processor_id
    evidence_id = await paystack.send_evidence(number, EVIDENCE)
    assert await paystack.send_evidence(number, EVIDENCE) == evidence_id
    target = await paystack.open_upload(number, "proof.pdf")
    await paystack.upload(target, b"%PDF-1.7", "application/pdf")
    declined = await paystack.answer_chargeback(
        number,
        Answer(
            resolution=ChargebackResolution.DECLINED,
            message="It was delivered",
            refund_minor=0,
            uploaded_file_name=target.file_name,
            evidence_id=evidence_id,
        ),
    )
    assert (declined.status, declined.resolution) == (
        ChargebackStatus.AWAITING_BANK,
        ChargebackResolution.DECLINED,
    )


async def test_a_chargeback_that_is_accepted_cannot_be_answered_again(paystack: Paystack, panel: Panel) -> None:
    found = await dispute(paystack, panel)
    accept = Answer(
        resolution=ChargebackResolution.MERCHANT_ACCEPTED, message="Yes", refund_minor=100_000, uploaded_file_name="-"
    )
    accepted = await paystack.answer_chargeback(found.processor_id, accept)
    assert (accepted.status, accepted.resolution) == (
        ChargebackStatus.RESOLVED,
        ChargebackResolution.MERCHANT_ACCEPTED,
    )
    with pytest.raises(GatewayRefused):
        await paystack.answer_chargeback(found.processor_id, accept)
    (refund,) = await paystack.list_refunds(since=an_hour_ago())
    assert refund.dispute_id == found.processor_id


async def test_an_upload_without_an_address_of_ours_is_refused(paystack: Paystack, panel: Panel) -> None:
    number = (await dispute(paystack, panel)).processor_id
    target = await paystack.open_upload(number)
    panel.advance(1801)
    with pytest.raises(GatewayRefused):
        await paystack.upload(target, b"%PDF-1.7", "application/pdf")


async def test_banks_are_listed_by_currency_and_names_resolved(paystack: Paystack) -> None:
    assert {bank.currency for bank in await paystack.list_banks(Currency.NGN)} == {"NGN"}
    holder = await paystack.resolve_account("0123456789", "058")
    assert (holder.account_number, holder.account_name) == ("0123456789", "ACCOUNT 6789")
    with pytest.raises(GatewayRefused):
        await paystack.resolve_account("0000000000", "058")
