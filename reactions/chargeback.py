"""Chargebacks: seen by webhook or by asking, confirmed by a GET, and booked where the processor took the money back.

`reactions.chargeback_search` finds those that no webhook told of, `reactions.chargeback_answer` answers them.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

from domain.transaction import Transaction
from domain.transaction.chargeback_report import ChargebackOutcome, ChargebackReport
from domain.transaction.records import DisputeCategory
from domain.transaction.system_commands import RecordChargeback
from gateways.chargeback import Chargeback, ChargebackResolution, ChargebackStatus
from gateways.errors import UnknownReference
from gateways.payment import RefundStatus
from reactions.question import Passed, ask_each
from reactions.toolbox import Toolbox, record

NAME = "chargebacks"
LOOK_BACK = timedelta(days=1)
LONGEST = timedelta(days=180)
"""How far back a chargeback is looked for that no webhook told of: a card can be disputed for months."""
OVER = frozenset({ChargebackStatus.RESOLVED, ChargebackStatus.ARCHIVED})


async def follow_chargebacks(tools: Toolbox, transaction: Transaction) -> bool:
    """Ask what became of the chargebacks that nobody has decided yet."""
    questions = {each: partial(_follow, tools, transaction, each) for each in transaction.open_chargebacks}
    return await ask_each(tools, transaction, questions)


async def _follow(tools: Toolbox, transaction: Transaction, number: str) -> bool:
    try:
        found = await tools.gateway.fetch_chargeback(int(number))
    except UnknownReference as unknown:
        # One that the processor does not know must not hold up the money of the transaction.
        raise Passed(unknown) from unknown
    return await record_found(tools, transaction, found)


async def confirm_chargebacks(tools: Toolbox, transaction: Transaction, charge_reference: str) -> bool:
    """Ask for every chargeback of a charge and record each; True when that changed the transaction.

    It is of this charge, whether or not the answer says so.
    """
    try:
        charge = await tools.gateway.verify_charge(charge_reference)
    except UnknownReference:
        return False
    changed = False
    for found in await tools.gateway.list_chargebacks_of(charge.processor_id):
        own = replace(found, charge_id=charge.processor_id, charge_reference=charge.reference)
        changed |= await record_found(tools, transaction, own)
    return changed


async def record_found(tools: Toolbox, transaction: Transaction, found: Chargeback) -> bool:
    """Record where a chargeback stands; True when that changed the transaction."""
    return await record(tools, NAME, transaction.id, RecordChargeback(report=await _report(tools, found)))


async def _report(tools: Toolbox, found: Chargeback) -> ChargebackReport:
    """The refund that a lost chargeback makes is what to trust: the words for its end are not documented."""
    taken_minor = await _taken_minor(tools, found) if found.status in OVER else None
    if taken_minor is not None:
        outcome = ChargebackOutcome.LOST
    elif found.status in OVER and found.resolution is ChargebackResolution.DECLINED:
        outcome = ChargebackOutcome.WON
    elif found.status in OVER and found.refund_minor == 0:
        outcome = ChargebackOutcome.LOST  # all had gone back before: nothing was left to take
    else:
        outcome = ChargebackOutcome.OPEN
    return ChargebackReport(
        processor_dispute_id=str(found.processor_id),
        outcome=outcome,
        amount_minor=found.refund_minor if taken_minor is None else taken_minor,
        category=DisputeCategory.FRAUD if found.category == "fraud" else DisputeCategory.CHARGEBACK,
        due_at=found.due_at,
        currency=found.currency,
        charge_id=await charge_id_of(tools, found),
        charge_reference=await reference_of(tools, found),
        is_declined=_is_declined(found),
        evidence_refs=tuple(name_file(name) for name in found.file_names),
    )


async def charge_id_of(tools: Toolbox, found: Chargeback) -> str | None:
    """Return the processor's number of the charge; where it names that by reference only, it is asked for it."""
    number = found.charge_id
    if number is None and found.charge_reference is not None:
        with suppress(UnknownReference):
            number = (await tools.gateway.verify_charge(found.charge_reference)).processor_id
    return None if number is None else str(number)


async def reference_of(tools: Toolbox, found: Chargeback) -> str | None:
    """Return our reference of the charge; where it names that by number only, the processor is asked for it."""
    if found.charge_reference is not None or found.charge_id is None:
        return found.charge_reference
    try:
        return (await tools.gateway.fetch_charge(found.charge_id)).reference
    except UnknownReference:
        return None


def name_file(file_name: str) -> str:
    """Return what the log calls a file at the processor."""
    return f"file:{file_name}"


def _is_declined(found: Chargeback) -> bool:
    """The bank is asked only about what the merchant declined; once it is over, the file that he sent tells."""
    is_over = found.status in OVER and found.resolution is not ChargebackResolution.AUTO_ACCEPTED
    return found.status is ChargebackStatus.AWAITING_BANK or (is_over and bool(found.file_names))


async def _taken_minor(tools: Toolbox, found: Chargeback) -> int | None:
    since = (found.resolved_at or found.created_at or tools.clock() - LONGEST) - LOOK_BACK
    refunds = await tools.gateway.list_refunds(since=since)
    own = (refund for refund in refunds if refund.dispute_id == found.processor_id)
    taken = [refund.amount_minor for refund in own if refund.status is not RefundStatus.FAILED]
    return sum(taken) if taken else None
