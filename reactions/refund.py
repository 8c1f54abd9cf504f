"""Refunds: Paystack has no key against a second one, so what may have been sent is looked for by its note first."""

from datetime import UTC, datetime, timedelta
from functools import partial

from domain.journal import Account
from domain.money import Money
from domain.transaction import Transaction
from domain.transaction.contested import CHARGED_BACK
from domain.transaction.records import Payout, Refund, RefundStatus
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.system_commands import RecordRefund
from gateways.ensure import OutcomeMismatched, answer_of, ensure_refund, find_another, find_refund, same_refund
from gateways.errors import GatewayRefused, GatewayUncertain, InsufficientBalance, RefundAmbiguous
from gateways.payment import NewRefund
from gateways.payment import Refund as Reported
from gateways.payment import RefundStatus as ReportedStatus
from reactions.checkpoint import find_last_time, save_unless_since
from reactions.question import REFUSALS, Ask, Passed, ask_each
from reactions.toolbox import Toolbox, record

NAME = "refunds"
LOOK_BACK = timedelta(days=1)
SETTLING = timedelta(minutes=1)
UNDER_WAY = 2 * SETTLING
"""An order is under way for a minute at most, as long as its answer is waited for, and may be listed another later."""
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
CLOSED = FOR_EVER - timedelta(days=1)
"""From when on nobody may order it, where it is certain that no order before made it."""


async def follow_refunds(tools: Toolbox, transaction: Transaction) -> bool:
    """Send what was ordered, and ask what became of what was sent, also of what failed once that was refused."""
    under_way = [
        one for one in transaction.refunds.values() if one.status.is_open and not _settles(tools, transaction, one)
    ]
    refused = [refund for refund in _list_failed(transaction) if refund.reference in transaction.refused_questions]
    questions = {each.reference: partial(_follow, tools, transaction, each) for each in under_way}
    late = {each.reference: partial(_record_if_paid, tools, transaction, each, set()) for each in refused}
    return await ask_each(tools, transaction, questions | late)


async def find_late_refund(tools: Toolbox, transaction: Transaction) -> bool:
    """Ask once more about what failed, before a transfer pays it; True when it was paid, or may yet be."""
    doubtful: set[str] = set()
    # What was recorded may be that a question was refused.
    return await ask_each(tools, transaction, ask_late_refunds(tools, transaction, doubtful)) or bool(doubtful)


def ask_late_refunds(tools: Toolbox, transaction: Transaction, doubtful: set[str]) -> dict[str, Ask]:
    """Return the questions about what failed and nothing pays yet; what was paid, or may yet be, gets `doubtful`."""
    unpaid = [refund for refund in _list_failed(transaction) if refund.paid_by is None]
    return {one.reference: partial(_record_if_paid, tools, transaction, one, doubtful) for one in unpaid}


async def find_refund_instead(tools: Toolbox, transaction: Transaction, payout: Payout) -> bool:
    """Ask at the last moment about what a transfer is to pay; True when a refund has paid it.

    Raises `Passed` while one may yet.
    """
    doubtful: set[str] = set()
    for refund in transaction.refunds_in(payout):
        await _record_if_paid(tools, transaction, refund, doubtful)
    return bool(doubtful)


async def confirm_refunds(tools: Toolbox, transaction: Transaction, reported: str, *, is_refund: bool = False) -> bool:
    """Ask again about what failed, named by itself or by its charge; True when anything was recorded.

    Where more is reported of its charge than `is_refund`, such as a chargeback, that must not wait for a refusal.
    """
    failed = _list_failed(transaction)
    named = [one for one in failed if reported in (one.reference, one.processor_refund_id, one.charge_reference)]
    beside = {one.reference for one in named if reported == one.charge_reference and not is_refund}
    asks = [(one, _record_beside if one.reference in beside else _record_if_paid) for one in named]
    return await ask_each(
        tools, transaction, {one.reference: partial(ask, tools, transaction, one, set()) for one, ask in asks}
    )


async def _record_beside(tools: Toolbox, transaction: Transaction, refund: Refund, doubtful: set[str]) -> bool:
    try:
        return await _record_if_paid(tools, transaction, refund, doubtful)
    except REFUSALS as refusal:
        raise Passed(refusal) from refusal


def _list_failed(transaction: Transaction) -> list[Refund]:
    return [refund for refund in transaction.refunds.values() if refund.will_not_be_sent]


async def _record_if_paid(tools: Toolbox, transaction: Transaction, refund: Refund, doubtful: set[str]) -> bool:
    """True when what failed was paid after all; that, or what may yet be paid, is `doubtful` from now on.

    Staff are told of what may yet be paid: a transfer waits for it.
    """
    try:
        report = await _ask_only(tools, transaction, refund)
    except (RefundAmbiguous, OutcomeMismatched) as doubt:
        doubtful.add(refund.reference)
        raise Passed(doubt) from doubt
    if report is None or report.status is ProcessorRefundStatus.FAILED:
        return False
    doubtful.add(refund.reference)
    if report.status is not ProcessorRefundStatus.PROCESSED:
        raise Passed(GatewayUncertain(gateway_code=f"refund_{report.status.value}"))
    return await record(tools, NAME, transaction.id, RecordRefund(report=report))


async def _ask_only(tools: Toolbox, transaction: Transaction, refund: Refund) -> RefundReport | None:
    """Ask and send nothing; None where there is no such refund. One that was made in its place counts as it."""
    wanted, listed = _wanted(refund), await tools.gateway.list_refunds(since=_since(transaction))
    if refund.processor_refund_id is not None:
        made: Reported | None = await tools.gateway.fetch_refund(int(refund.processor_refund_id))
    else:
        made = find_refund(listed, wanted)
    if made is None or made.status is ReportedStatus.FAILED:
        made = find_another(listed, wanted, _known_others(transaction, refund)) or made
    return None if made is None else report_of(refund, made)


def _known_others(transaction: Transaction, refund: Refund) -> set[int | str | None]:
    """Return the numbers of all its refunds, and the notes of all others."""
    numbers = {int(one.processor_refund_id) for one in transaction.refunds.values() if one.processor_refund_id}
    return numbers | (transaction.refunds.keys() - {refund.reference})


async def _follow(tools: Toolbox, transaction: Transaction, refund: Refund) -> bool:
    report = await _report_of(tools, transaction, refund)
    return report is not None and await record(tools, NAME, transaction.id, RecordRefund(report=report))


def _settles(tools: Toolbox, transaction: Transaction, refund: Refund) -> bool:
    """True while an earlier order may not show in the processor's list yet: it is not asked, and answers nothing."""
    return refund.status is RefundStatus.UNCERTAIN and tools.clock() < transaction.modified_on + SETTLING


async def _report_of(tools: Toolbox, transaction: Transaction, refund: Refund) -> RefundReport | None:
    """Return what the processor says; None while there is nothing to say of an order, or none may be given."""
    if refund.processor_refund_id is not None:
        return await _fetch(tools, refund, int(refund.processor_refund_id))
    if refund.is_contested:
        return await _conclude(tools, refund, _wanted(refund), _since(transaction))
    follow = _find_earlier if transaction.is_disputed(refund) else _ensure
    return await follow(tools, refund, _wanted(refund), _since(transaction))


async def _fetch(tools: Toolbox, refund: Refund, processor_id: int) -> RefundReport:
    try:
        return report_of(refund, await tools.gateway.fetch_refund(processor_id))
    except OutcomeMismatched as doubt:
        raise Passed(doubt) from doubt


def _wanted(refund: Refund) -> NewRefund:
    return NewRefund(
        charge_reference=refund.charge_reference,
        amount=Money(refund.amount_minor, refund.currency),
        merchant_note=refund.reference,
    )


def _since(transaction: Transaction) -> datetime:
    """Money that came before the price may have gone back long ago."""
    return transaction.created_on - LOOK_BACK


async def _find_earlier(tools: Toolbox, refund: Refund, wanted: NewRefund, since: datetime) -> RefundReport | None:
    """Order nothing while the payer's bank disputes it: a crash may have hidden that it was ordered before.

    Staff are told of what cannot be told from it; the answer to the bank must not wait for that.
    """
    try:
        found = find_refund(await tools.gateway.list_refunds(since=since), wanted)
    except GatewayUncertain as doubt:
        raise Passed(doubt) from doubt
    return None if found is None else report_of(refund, found)


async def _conclude(tools: Toolbox, refund: Refund, wanted: NewRefund, since: datetime) -> RefundReport | None:
    """Order nothing of what the payer's bank has taken: it is refused once no order before can have made it."""
    looked_at = tools.clock()
    try:
        found = find_refund(await answer_of(tools.gateway.list_refunds(since=since)), wanted)
    except GatewayUncertain as error:
        return RefundReport(reference=refund.reference, status=ProcessorRefundStatus.UNCERTAIN, reason=error.code)
    if found is not None:
        return report_of(refund, found)
    if not await _close_orders(tools, refund, looked_at):
        return None
    return RefundReport(reference=refund.reference, status=ProcessorRefundStatus.REFUSED, reason=CHARGED_BACK)


async def _close_orders(tools: Toolbox, refund: Refund, looked_at: datetime) -> bool:
    """Never order it again; False where an order before may have made it. A crash after this one is no obstacle."""
    if await find_last_time(tools.pool, _order_of(refund)) == CLOSED:
        return True
    return await save_unless_since(tools.pool, _order_of(refund), CLOSED, looked_at - UNDER_WAY)


async def _ensure(tools: Toolbox, refund: Refund, wanted: NewRefund, since: datetime) -> RefundReport | None:
    await tools.permit()
    looked_at = tools.clock()
    try:
        made = await ensure_refund(
            tools.gateway, wanted, since=since, may_post=lambda: _begin_order(tools, refund, looked_at)
        )
        return None if made is None else report_of(refund, made)
    except InsufficientBalance:
        return RefundReport(reference=refund.reference, status=ProcessorRefundStatus.NOT_COVERED)
    except GatewayRefused as error:
        reason = error.gateway_code or error.code
        return RefundReport(reference=refund.reference, status=ProcessorRefundStatus.REFUSED, reason=reason)
    except GatewayUncertain as error:
        if isinstance(error, OutcomeMismatched):
            await _end_orders(tools, refund)
        return RefundReport(reference=refund.reference, status=ProcessorRefundStatus.UNCERTAIN, reason=error.code)


async def _begin_order(tools: Toolbox, refund: Refund, looked_at: datetime) -> bool:
    """True unless an earlier order may have been under way at the look: of a worker that died, or of somebody else."""
    return await save_unless_since(tools.pool, _order_of(refund), tools.clock(), looked_at - UNDER_WAY)


async def _end_orders(tools: Toolbox, refund: Refund) -> None:
    """Never order it again: what another refund was answered to may have been made, under whatever note."""
    await save_unless_since(tools.pool, _order_of(refund), FOR_EVER, FOR_EVER)


def _order_of(refund: Refund) -> str:
    return f"refund {refund.reference}"


def report_of(refund: Refund, reported: Reported) -> RefundReport:
    """Return what the processor said of a refund, as the log records it; a word we have not met concludes nothing.

    Raises `OutcomeMismatched` where it is not the refund that was ordered: another amount, perhaps.
    """
    reported = same_refund(reported, _wanted(refund))
    unknown = reported.status is ReportedStatus.UNKNOWN
    status = ReportedStatus.PENDING if unknown else reported.status
    return RefundReport(
        reference=refund.reference,
        status=ProcessorRefundStatus(status.value),
        processor_refund_id=str(reported.processor_id),
        reason=reported.reason,
        source=_source_of(reported),
    )


def _source_of(reported: Reported) -> Account:
    """Paystack takes a refund from its next payout or, when that does not cover it, from the balance, and at once.

    What it has not deducted yet it will keep from what it settles.
    """
    is_deducted = reported.deducted_minor is None or reported.deducted_minor >= reported.amount_minor
    return Account.BALANCE if is_deducted else Account.UNCLEARED
