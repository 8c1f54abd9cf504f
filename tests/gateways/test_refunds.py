"""Refunds against the stand-in: they have no key, so look before posting again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateways.ensure import find_refund
from gateways.errors import GatewayRefused, GatewayUncertain, RefundAmbiguous, UnknownReference
from gateways.payment import ChargeStatus, RefundStatus
from gateways.paystack.client import Paystack
from tests.gateways.conftest import Panel, an_hour_ago, money_back, pay
from tests.waiting import wait_until

pytestmark = pytest.mark.anyio


async def test_a_refund_is_pending_first_and_processed_in_the_end(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    refund = await paystack.create_refund(money_back())
    assert (refund.status, refund.amount_minor, refund.charge_reference) == (RefundStatus.PENDING, 30_000, "ch-1")
    wait_until(lambda: "refund.processed" in {hook["event"] for hook in panel.webhooks()})
    found = await paystack.fetch_refund(refund.processor_id)
    assert (found.status, found.merchant_note, found.refunded_at is not None) == (RefundStatus.PROCESSED, "rf-1", True)
    assert panel.moved("refund") == [-30_000]


async def test_posting_a_refund_twice_refunds_twice_because_there_is_no_key(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    await paystack.create_refund(money_back())
    await paystack.create_refund(money_back())
    assert panel.moved("refund") == [-30_000, -30_000]


async def test_refunds_never_exceed_the_charge(paystack: Paystack, panel: Panel) -> None:
    panel.top_up(50_000)
    await pay(paystack, panel)
    await paystack.create_refund(money_back(70_000))
    with pytest.raises(GatewayRefused):
        await paystack.create_refund(money_back(30_001))
    await paystack.create_refund(money_back(30_000, "rf-2"))
    with pytest.raises(GatewayRefused):
        await paystack.create_refund(money_back(1, "rf-3"))
    wait_until(lambda: [hook["event"] for hook in panel.webhooks()].count("refund.processed") == 2)
    assert (await paystack.verify_charge("ch-1")).status is ChargeStatus.REVERSED


async def test_a_full_refund_on_its_way_shows_in_the_charge(paystack: Paystack, panel: Panel) -> None:
    panel.top_up(50_000)
    await pay(paystack, panel)
    panel.fault("refund", "pending")
    await paystack.create_refund(money_back(100_000))
    assert (await paystack.verify_charge("ch-1")).status is ChargeStatus.REVERSAL_PENDING


async def test_a_failed_refund_gives_the_amount_back(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    panel.fault("refund", "fail")
    refund = await paystack.create_refund(money_back())
    wait_until(lambda: panel.moved("refund_returned") == [30_000])
    assert (await paystack.fetch_refund(refund.processor_id)).status is RefundStatus.FAILED
    assert (await paystack.verify_charge("ch-1")).status is ChargeStatus.SUCCESS


async def test_a_refund_that_needs_attention_can_be_driven_on(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    panel.fault("refund", "needs_attention")
    refund = await paystack.create_refund(money_back())
    wait_until(lambda: "refund.needs-attention" in {hook["event"] for hook in panel.webhooks()})
    assert (await paystack.fetch_refund(refund.processor_id)).status is RefundStatus.NEEDS_ATTENTION
    panel.drive(f"refunds/{refund.processor_id}", "processing")
    panel.drive(f"refunds/{refund.processor_id}", "processed")
    assert (await paystack.fetch_refund(refund.processor_id)).status is RefundStatus.PROCESSED


async def test_refunds_of_many_pages_are_all_listed(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    for number in range(101):
        await paystack.create_refund(money_back(1, f"rf-{number}"))
    notes = {refund.merchant_note for refund in await paystack.list_refunds(since=an_hour_ago())}
    assert notes == {f"rf-{number}" for number in range(101)}


async def test_only_refunds_of_that_time_are_listed(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    await paystack.create_refund(money_back())
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert await paystack.list_refunds(since=tomorrow) == ()
    assert len(await paystack.list_refunds(since=an_hour_ago())) == 1


async def test_a_list_that_breaks_off_is_no_proof_of_absence(paystack: Paystack, panel: Panel) -> None:
    panel.fault("list_refunds", "500_before", times=3)
    with pytest.raises(GatewayUncertain):
        await paystack.list_refunds(since=an_hour_ago())


async def test_a_refund_nobody_made_is_unknown(paystack: Paystack) -> None:
    with pytest.raises(UnknownReference):
        await paystack.fetch_refund(1)


async def test_a_refund_is_recognised_by_charge_and_note(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    await pay(paystack, panel, "ch-2")
    made = await paystack.create_refund(money_back())
    listed = await paystack.list_refunds(since=an_hour_ago())
    found = find_refund(listed, money_back())
    assert found is not None
    assert found.processor_id == made.processor_id
    assert find_refund(listed, money_back(note="rf-2")) is None
    assert find_refund(listed, money_back(reference="ch-2")) is None


async def test_a_refund_whose_note_got_lost_needs_a_person(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    panel.fault("refund", "without_note")
    await paystack.create_refund(money_back())
    listed = await paystack.list_refunds(since=an_hour_ago())
    with pytest.raises(RefundAmbiguous):
        find_refund(listed, money_back())
    assert find_refund(listed, money_back(30_001)) is None
    nameless = [replace(refund, charge_reference=None) for refund in listed]
    with pytest.raises(RefundAmbiguous):
        find_refund(nameless, money_back())
