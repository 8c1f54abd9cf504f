"""Webhooks of the stand-in: signed, delivered beside the answer, tried again on the documented schedule."""

import json
from collections import Counter

import pytest

from gateways.payment import Mode, TransferStatus
from gateways.paystack.client import Paystack
from gateways.paystack.sim.delivery import next_pause_seconds
from gateways.paystack.transfer import parse_transfer
from gateways.paystack.webhook import parse_envelope, verify_signature
from tests.gateways.conftest import SECRET, Merchant, Panel, charge, money_back, pay, payee, payout
from tests.waiting import wait_until

pytestmark = pytest.mark.anyio

HOUR = 3600


def events(merchant: Merchant) -> Counter[str]:
    return Counter(parse_envelope(raw).event for raw, _ in merchant.received)


def body_of(merchant: Merchant, event: str) -> dict[str, object]:
    return next(json.loads(raw)["data"] for raw, _ in merchant.received if parse_envelope(raw).event == event)


async def test_a_payment_is_announced_with_a_signature_over_the_raw_body(
    paystack: Paystack, panel: Panel, merchant: Merchant
) -> None:
    await pay(paystack, panel)
    raw, header = merchant.wait_for(1)[0]
    assert verify_signature(SECRET, raw, header)
    assert not verify_signature(SECRET, json.dumps(json.loads(raw)).encode(), header)
    assert (parse_envelope(raw).event, parse_envelope(raw).reference) == ("charge.success", "ch-1")


@pytest.mark.parametrize("outcome", ["failed", "abandoned"])
async def test_no_webhook_tells_of_a_payment_that_did_not_happen(
    paystack: Paystack, panel: Panel, merchant: Merchant, outcome: str
) -> None:
    panel.click(await paystack.initialize(charge()), outcome)
    await pay(paystack, panel, "ch-2")
    merchant.wait_for(1)
    assert [parse_envelope(raw).reference for raw, _ in merchant.received] == ["ch-2"]


async def test_the_traps_of_the_real_payloads_are_in_the_webhooks(
    paystack: Paystack, panel: Panel, merchant: Merchant
) -> None:
    await pay(paystack, panel)
    await paystack.create_refund(money_back())
    panel.fault("transfer", "fail")
    recipient = await paystack.create_recipient(payee())
    await paystack.initiate_transfer(payout(recipient, amount_minor=1_000))
    wait_until(lambda: {"refund.processed", "transfer.failed"} <= set(events(merchant)))
    paid, pending, failed = (
        body_of(merchant, event) for event in ("charge.success", "refund.pending", "transfer.failed")
    )
    assert (paid["metadata"], paid["fees"], "requested_amount" in paid) == (0, None, False)
    assert (pending["amount"], pending["refund_reference"], "id" in pending) == ("30000", None, False)
    assert ("created_at" in failed, "createdAt" in failed, "fee_charged" in failed) == (True, False, False)
    assert parse_transfer(failed).status is TransferStatus.FAILED
    assert parse_transfer(failed).recipient_code == recipient.recipient_code


async def test_a_webhook_is_delivered_again_until_the_merchant_answers_200(
    paystack: Paystack, panel: Panel, merchant: Merchant
) -> None:
    merchant.statuses = [500, 201, 302]
    await pay(paystack, panel)
    for tries in (1, 2, 3):
        wait_until(lambda tries=tries: len(panel.webhooks()[0]["attempts"]) == tries)  # type: ignore[arg-type]
        assert panel.webhooks()[0]["state"] == "pending"
        panel.advance(HOUR)
    wait_until(lambda: panel.webhooks()[0]["state"] == "delivered")
    assert len({raw for raw, _ in merchant.wait_for(4)}) == 1
    panel.advance(100 * HOUR)
    assert len(merchant.received) == 4


@pytest.mark.parametrize(("mode", "tries", "hours"), [(Mode.LIVE, 76, 72), (Mode.TEST, 11, 10)])
def test_the_schedule_is_the_documented_one(mode: Mode, tries: int, hours: int) -> None:
    pauses: list[float] = []
    while (pause := next_pause_seconds(mode, len(pauses) + 1)) is not None:
        pauses.append(pause)
    assert len(pauses) + 1 == tries
    assert pauses.count(HOUR) == hours
    assert pauses[: len(pauses) - hours] == ([180.0] * 3 if mode is Mode.LIVE else [])


async def test_a_webhook_can_come_twice_late_or_never(paystack: Paystack, panel: Panel, merchant: Merchant) -> None:
    panel.fault("webhook", "duplicate_webhook", match={"reference": "ch-1"})
    panel.fault("webhook", "delay_webhook", match={"reference": "ch-2"}, delay_seconds=60)
    panel.fault("charge", "lost_webhook", match={"reference": "ch-3"})
    for number in (3, 2, 1):
        await pay(paystack, panel, f"ch-{number}")
    merchant.wait_for(2)
    panel.advance(61)
    merchant.wait_for(3)
    assert [parse_envelope(raw).reference for raw, _ in merchant.received] == ["ch-1", "ch-1", "ch-2"]
    lost = next(hook for hook in panel.webhooks() if hook["reference"] == "ch-3")
    assert lost["state"] == "lost"
    panel.http.post(f"/_sim/webhooks/{lost['id']}/resend", json={})
    merchant.wait_for(4)
    assert parse_envelope(merchant.received[-1][0]).reference == "ch-3"


async def test_nothing_is_announced_where_the_documentation_knows_no_event(
    paystack: Paystack, panel: Panel, merchant: Merchant
) -> None:
    panel.top_up(1_000_000)
    recipient = await paystack.create_recipient(payee())
    for number, kind in enumerate(("abandoned", "blocked", "rejected")):
        panel.fault("transfer", kind)
        await paystack.initiate_transfer(payout(recipient, f"po-000000000000000{number}", 1_000))
    wait_until(lambda: panel.held("balance") == 1_000_000)
    await paystack.initiate_transfer(payout(recipient, "po-000000000000000x", 1_000))
    merchant.wait_for(1)
    assert events(merchant) == {"transfer.success": 1}
