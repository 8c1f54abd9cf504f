"""Whatever breaks on the way, an intent carried out as often as you like moves its money once (G3)."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

import httpx
import pytest

from gateways.ensure import OutcomeMismatched, ensure_refund, ensure_transfer, find_another, find_refund
from gateways.errors import (
    GatewayError,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUncertain,
    InsufficientBalance,
    RefundAmbiguous,
    UnknownReference,
)
from gateways.payment import NewRefund, NewTransfer, Recipient, Refund, RefundStatus, Transfer, TransferStatus
from gateways.paystack.client import Paystack
from gateways.paystack.sim.faults import AFTER, BEFORE
from gateways.paystack.sim.server import StandIn
from tests.gateways.conftest import Panel, an_hour_ago, make_http, money_back, pay, payee, payout
from tests.waiting import wait_until

pytestmark = pytest.mark.anyio

OPEN = (GatewayUncertain, UnknownReference, GatewayUnavailable)
SILENT = [["500_before"], ["accept_then_timeout"], ["reset_before", "500_after_commit"], ["reset_after_commit"]]
SILENT += [["timeout_before", "garbage_after_commit"], ["throttle", "500_before", "500_before", "accept_then_timeout"]]


class Impatience(httpx.AsyncHTTPTransport):
    """The network, where a wait runs out just when the stand-in keeps silent: not before, however slow the machine."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if response.status_code != HTTPStatus.GATEWAY_TIMEOUT:
            return response
        await response.aclose()
        raise httpx.ReadTimeout("the stand-in keeps silent", request=request)


@pytest.fixture
def hold_seconds() -> float:
    return 0.04


@pytest.fixture
async def hasty(stand_in: StandIn) -> AsyncIterator[Paystack]:
    """A client that gives up on an answer that does not come, and waits for one that does."""
    async with Paystack(make_http(stand_in.base_url, transport=Impatience())) as paystack:
        yield paystack


@pytest.fixture
async def recipient(paystack: Paystack, panel: Panel) -> Recipient:
    panel.top_up(100_000_000)
    return await paystack.create_recipient(payee())


async def insist_on_transfer(paystack: Paystack, wanted: NewTransfer) -> Transfer:
    for _ in range(20):
        try:
            return await ensure_transfer(paystack, wanted)
        except OPEN:
            continue
    raise AssertionError("still open")


async def at_once() -> bool:
    """Nobody else sends it."""
    return True


async def insist_on_refund(paystack: Paystack, wanted: NewRefund) -> None:
    for _ in range(20):
        try:
            await ensure_refund(paystack, wanted, since=an_hour_ago(), may_post=at_once)
        except OPEN:
            continue
        return
    raise AssertionError("still open")


def answer_refunds_with(monkeypatch: pytest.MonkeyPatch, paystack: Paystack, **said: object) -> None:
    """The refund is made as it was ordered; only what is said of it differs."""
    create = paystack.create_refund

    async def answer(wanted: NewRefund) -> Refund:
        return replace(await create(wanted), **said)

    monkeypatch.setattr(paystack, "create_refund", answer)


@pytest.mark.parametrize("kinds", SILENT)
async def test_a_transfer_is_made_once_through_any_faults(
    hasty: Paystack, panel: Panel, recipient: Recipient, kinds: list[str]
) -> None:
    for kind in kinds:
        panel.fault("transfer", kind)
    assert (await insist_on_transfer(hasty, payout(recipient))).status is TransferStatus.SUCCESS
    assert panel.moved("transfer") == [-90_000]


@pytest.mark.guarantee("G3", faults="answers lost before and after the work", runs="6 kinds")
@pytest.mark.parametrize("kinds", SILENT)
async def test_a_refund_is_made_once_through_any_faults(hasty: Paystack, panel: Panel, kinds: list[str]) -> None:
    await pay(hasty, panel)
    for kind in kinds:
        panel.fault("refund", kind)
    await insist_on_refund(hasty, money_back())
    await insist_on_refund(hasty, money_back())
    assert panel.moved("refund") == [-30_000]


async def test_an_intent_met_again_finds_its_own_transfer(
    paystack: Paystack, panel: Panel, recipient: Recipient
) -> None:
    first = await ensure_transfer(paystack, payout(recipient))
    again = await ensure_transfer(paystack, payout(recipient))
    assert first.transfer_code == again.transfer_code
    assert panel.moved("transfer") == [-90_000]


@pytest.mark.guarantee("G3", faults="eight workers at once", runs="8")
async def test_workers_that_race_pay_once(paystack: Paystack, panel: Panel, recipient: Recipient) -> None:
    found = await asyncio.gather(*(ensure_transfer(paystack, payout(recipient)) for _ in range(8)))
    assert len({transfer.transfer_code for transfer in found}) == 1
    assert panel.moved("transfer") == [-90_000]


async def test_a_refusal_that_an_earlier_success_caused_is_no_refusal(
    hasty: Paystack, panel: Panel, recipient: Recipient
) -> None:
    panel.fault("transfer", "accept_then_timeout")
    panel.fault("verify_transfer", "500_before", times=3)
    with pytest.raises(GatewayUncertain):
        await ensure_transfer(hasty, payout(recipient))
    panel.fault("transfer", "refuse", message="Your balance is not enough to fulfil this request")
    assert (await ensure_transfer(hasty, payout(recipient))).status is TransferStatus.SUCCESS


async def test_a_refusal_of_what_was_never_made_stands(paystack: Paystack, panel: Panel, recipient: Recipient) -> None:
    panel.fault("transfer", "insufficient_balance")
    with pytest.raises(InsufficientBalance):
        await ensure_transfer(paystack, payout(recipient))
    panel.fault("transfer", "refuse")
    panel.fault("verify_transfer", "500_before", times=3)
    with pytest.raises(GatewayUncertain):
        await ensure_transfer(paystack, payout(recipient))


async def test_a_refused_question_does_not_say_that_a_transfer_was_not_made(
    hasty: Paystack, panel: Panel, recipient: Recipient
) -> None:
    for kind in ("accept_then_timeout", "refuse"):
        panel.fault("transfer", kind)
        panel.fault("verify_transfer", "refuse")
        with pytest.raises(GatewayUncertain):
            await ensure_transfer(hasty, payout(recipient))
    assert (await ensure_transfer(hasty, payout(recipient))).status is TransferStatus.SUCCESS
    assert panel.moved("transfer") == [-90_000]


async def test_a_transfer_still_invisible_stays_open_until_it_shows(
    paystack: Paystack, panel: Panel, recipient: Recipient
) -> None:
    panel.fault("transfer", "late", delay_seconds=60)
    panel.fault("transfer", "500_after_commit")
    for _ in range(3):
        with pytest.raises(UnknownReference):
            await ensure_transfer(paystack, payout(recipient))
    panel.advance(61)
    assert (await ensure_transfer(paystack, payout(recipient))).status is TransferStatus.SUCCESS
    assert panel.moved("transfer") == [-90_000]


async def test_a_reference_that_paid_somebody_else_needs_a_person(
    paystack: Paystack, panel: Panel, recipient: Recipient
) -> None:
    await ensure_transfer(paystack, payout(recipient))
    with pytest.raises(OutcomeMismatched):
        await ensure_transfer(paystack, payout(recipient, amount_minor=90_001))
    other = await paystack.create_recipient(payee("0798765432"))
    with pytest.raises(OutcomeMismatched):
        await ensure_transfer(paystack, payout(other))
    assert panel.moved("transfer") == [-90_000]


async def test_a_note_that_refunded_another_amount_needs_a_person(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    await ensure_refund(paystack, money_back(), since=an_hour_ago(), may_post=at_once)
    with pytest.raises(OutcomeMismatched):
        await ensure_refund(paystack, money_back(29_999), since=an_hour_ago(), may_post=at_once)
    assert find_refund(await paystack.list_refunds(since=an_hour_ago()), money_back(note="rf-2")) is None


async def test_a_refund_that_was_made_instead_of_one_that_failed_is_found(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    wanted = money_back()
    await paystack.create_refund(wanted)
    (made,) = await paystack.list_refunds(since=an_hour_ago())
    other = replace(made, processor_id=made.processor_id + 1)
    assert find_another([made], wanted, {made.processor_id}) is None
    assert find_another([made, other], wanted, {made.processor_id}) == other
    for passed_over in (
        replace(other, status=RefundStatus.FAILED),
        replace(other, dispute_id=7),
        replace(other, amount_minor=made.amount_minor - 1),
        replace(other, charge_reference="another"),
        replace(other, merchant_note="rf-2"),
    ):
        assert find_another([made, passed_over], wanted, {made.processor_id, "rf-2"}) is None
    for note in (None, "by hand"):
        with pytest.raises(RefundAmbiguous):
            find_another([made, replace(other, merchant_note=note)], wanted, {made.processor_id, "rf-2"})


@pytest.mark.parametrize(
    "said",
    [
        {"amount_minor": 29_999},
        {"currency": "GHS"},
        {"charge_reference": "ch-2"},
        {"merchant_note": "rf-2"},
    ],
)
async def test_an_answer_about_another_refund_than_was_ordered_needs_a_person(
    paystack: Paystack, panel: Panel, monkeypatch: pytest.MonkeyPatch, said: dict[str, object]
) -> None:
    await pay(paystack, panel)
    answer_refunds_with(monkeypatch, paystack, **said)
    with pytest.raises(OutcomeMismatched):
        await ensure_refund(paystack, money_back(), since=an_hour_ago(), may_post=at_once)


async def test_an_answer_may_leave_out_the_charge_and_the_note_of_a_refund(
    paystack: Paystack, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pay(paystack, panel)
    answer_refunds_with(monkeypatch, paystack, charge_reference=None, merchant_note=None)
    made = await ensure_refund(paystack, money_back(), since=an_hour_ago(), may_post=at_once)
    (listed,) = await paystack.list_refunds(since=an_hour_ago())
    assert made.processor_id == listed.processor_id


async def test_a_refund_is_not_posted_while_the_list_cannot_be_read(paystack: Paystack, panel: Panel) -> None:
    await pay(paystack, panel)
    panel.fault("list_refunds", "500_before", times=3)
    with pytest.raises(GatewayUncertain):
        await ensure_refund(paystack, money_back(), since=an_hour_ago(), may_post=at_once)
    assert panel.moved("refund") == []


async def test_a_refused_question_does_not_say_that_a_refund_was_not_made(hasty: Paystack, panel: Panel) -> None:
    await pay(hasty, panel)
    panel.fault("refund", "accept_then_timeout")
    with pytest.raises(GatewayUncertain):
        await ensure_refund(hasty, money_back(), since=an_hour_ago(), may_post=at_once)
    panel.fault("list_refunds", "refuse")
    with pytest.raises(GatewayUncertain):
        await ensure_refund(hasty, money_back(), since=an_hour_ago(), may_post=at_once)
    await ensure_refund(hasty, money_back(), since=an_hour_ago(), may_post=at_once)
    assert panel.moved("refund") == [-30_000]


async def test_a_refusal_that_a_refund_caused_which_shows_only_now_is_no_refusal(
    hasty: Paystack, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pay(hasty, panel)
    made = await ensure_refund(hasty, money_back(), since=an_hour_ago(), may_post=at_once)
    lists = iter([(), await hasty.list_refunds(since=an_hour_ago())])

    async def list_late(*, since: datetime) -> tuple[Refund, ...]:
        return next(lists)

    monkeypatch.setattr(hasty, "list_refunds", list_late)
    panel.fault("refund", "refuse")
    found = await ensure_refund(hasty, money_back(), since=an_hour_ago(), may_post=at_once)
    assert found.processor_id == made.processor_id
    assert panel.moved("refund") == [-30_000]


async def test_a_refund_that_must_not_be_sent_yet_is_looked_for_only(paystack: Paystack, panel: Panel) -> None:
    async def not_yet() -> bool:
        return False

    await pay(paystack, panel)
    assert await ensure_refund(paystack, money_back(), since=an_hour_ago(), may_post=not_yet) is None
    assert panel.moved("refund") == []
    made = await ensure_refund(paystack, money_back(), since=an_hour_ago(), may_post=at_once)
    found = await ensure_refund(paystack, money_back(), since=an_hour_ago(), may_post=not_yet)
    assert found.processor_id == made.processor_id


@pytest.mark.guarantee(
    "G3",
    faults="half of all calls fail before or after the work, in any order, each transfer asked for twice",
    runs="3 x 40 transfers",
)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_no_reference_pays_twice_when_half_of_all_calls_are_faulty(
    hasty: Paystack, panel: Panel, recipient: Recipient, seed: int
) -> None:
    chance = random.Random(seed)
    wanted = [payout(recipient, f"po-seed{seed}-{number:016d}", 1_000) for number in range(40)]
    for transfer in wanted:
        for kind in chance.choices(sorted((BEFORE | AFTER) - {"refuse"}), k=chance.randint(0, 2)):
            panel.fault("transfer", kind, match={"reference": transfer.reference})
    twice = [transfer for transfer in wanted for _ in range(2)]
    chance.shuffle(twice)
    await asyncio.gather(*(insist_on_transfer(hasty, transfer) for transfer in twice))
    paid = Counter(line["reference"] for line in panel.journal() if line["kind"] == "transfer")
    assert paid == Counter({transfer.reference: 1 for transfer in wanted}), f"seed {seed}"


async def test_the_journal_explains_every_minor_unit_of_the_balance(
    paystack: Paystack, panel: Panel, recipient: Recipient
) -> None:
    await pay(paystack, panel)
    for number, kind in enumerate(("fail", "reversed_after_success", "otp", "pending", "insufficient_balance")):
        panel.fault("transfer", kind)
        try:
            await ensure_transfer(paystack, payout(recipient, f"po-000000000000000{number}", 1_000))
        except GatewayRefused:
            continue
    await ensure_refund(paystack, money_back(), since=an_hour_ago(), may_post=at_once)
    wait_until(lambda: len(panel.moved("transfer_returned")) == 2)
    for pocket in ("balance", "uncleared"):
        lines = [line for line in panel.journal() if (line["pocket"], line["currency"]) == (pocket, "KES")]
        running = 0
        for line in lines:
            running += int(str(line["difference_minor"]))
            assert line["balance_minor"] == running
        assert running == panel.held(pocket)


def test_every_error_that_stays_open_is_told_from_a_refusal() -> None:
    assert not any(issubclass(kind, GatewayRefused) or issubclass(GatewayRefused, kind) for kind in OPEN)
    assert all(issubclass(kind, GatewayError) for kind in OPEN)
