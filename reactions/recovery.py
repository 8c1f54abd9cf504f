"""After a restore: what the processor has and the log has forgotten is recorded. Nothing is sent from here.

Everything goes through the commands that record it on any other day, after a GET. What its transaction has no place for
as things stand becomes an external payment, which holds the transaction back.
"""

from datetime import datetime
from enum import Enum
from typing import NamedTuple
from uuid import UUID

from domain.errors import Refused
from domain.transaction import Transaction
from domain.transaction.commands import RequestPayment
from domain.transaction.payout import NothingPayable
from domain.transaction.records import PaymentStatus, PayoutPurpose
from domain.transaction.system_commands import (
    RecordCharge,
    RecordPaymentRefused,
    RecordRefund,
    RecordTransfer,
    RequestPayout,
)
from domain.transaction.transfer import NOT_PAID, TransferReport, TransferStatus
from gateways.errors import UnknownReference
from gateways.payment import Charge, Refund, RefundStatus, Transfer
from reactions import payment, payout, refund
from reactions.chargeback import confirm_chargebacks, reference_of
from reactions.naming import MOST_ATTEMPTS, Names, purpose_of
from reactions.payment_page import remember_page
from reactions.toolbox import Toolbox, find_readable, order

NAME = "recovery"


class Place(Enum):
    """What the log makes of a payment.

    `KNOWN`: it is in it; `TAKEN`: it was taken up just now; `UNPAID`: it is not in it and need not be, because nobody
    has that money; `NONE`: the money has moved or may yet move, and that cannot be recorded as things stand.
    """

    KNOWN = "known"
    TAKEN = "taken"
    UNPAID = "unpaid"
    NONE = "none"


class Found(NamedTuple):
    """A payment of the processor's, the transaction that its reference names, and what the log made of it."""

    payment: Charge | Transfer | Refund
    transaction_id: UUID
    place: Place


async def take_up(tools: Toolbox, since: datetime) -> list[Found]:
    """Record whatever the processor lists since then under a reference of ours, oldest first; return all of it.

    Doing it twice is harmless. Raises the processor's errors, and then not everything was recorded.
    """
    charges = [charge for charge in await tools.gateway.list_charges(since=since) if charge.status in payment.PAID]
    names = Names(tools, charges)
    found = [Found(each, owner, await take_charge(tools, owner, each)) async for each, owner in names.charges(charges)]
    await _take_chargebacks(tools, names, since)
    transfers = await tools.gateway.list_transfers(since=since)
    found += [
        Found(each, owner, await take_transfer(tools, owner, each)) async for each, owner in names.transfers(transfers)
    ]
    refunds = await tools.gateway.list_refunds(since=since)
    found += [Found(each, owner, await take_refund(tools, owner, each)) async for each, owner in names.refunds(refunds)]
    return found


async def _take_chargebacks(tools: Toolbox, names: Names, since: datetime) -> None:
    for disputed in await tools.gateway.list_chargebacks(since=since):
        reference = await reference_of(tools, disputed) or ""
        owner = await names.of_charge(reference)
        transaction = None if owner is None else await find_readable(tools.escrow, owner)
        if transaction is not None:
            await confirm_chargebacks(tools, transaction, reference)


async def take_charge(tools: Toolbox, transaction_id: UUID, charge: Charge) -> Place:
    """Record that the buyer has paid; the request for it first, if that was forgotten too."""
    transaction = await find_readable(tools.escrow, transaction_id)
    if transaction is None:
        return Place.NONE
    if str(charge.processor_id) in {transaction.processor_charge_id, *transaction.seen_charges}:
        return Place.KNOWN
    try:
        transaction = await _ask_for_it(tools, transaction, charge.reference)
        confirmed = await tools.gateway.verify_charge(charge.reference)
        await order(tools, NAME, transaction, RecordCharge(charge=payment.confirmed_of(tools, confirmed)))
    except Refused:
        return Place.NONE
    await remember_page(tools, transaction_id, charge.reference)
    return Place.TAKEN


async def _ask_for_it(tools: Toolbox, transaction: Transaction, reference: str) -> Transaction:
    """Repeat the requests up to the one that has this reference: an earlier one had been refused."""
    for _ in range(MOST_ATTEMPTS):
        if transaction.has_asked_for(reference):
            break
        if transaction.payment is PaymentStatus.REQUESTED:
            refusal = RecordPaymentRefused(reference=transaction.payment_reference or "", reason="forgotten")
            transaction = (await order(tools, NAME, transaction, refusal)).aggregate
        transaction = (await order(tools, NAME, transaction, RequestPayment())).aggregate
    return transaction


async def take_transfer(tools: Toolbox, transaction_id: UUID, transfer: Transfer) -> Place:
    """Record what became of a payout; the order of it first, if that was forgotten and can be given now."""
    transaction = await find_readable(tools.escrow, transaction_id)
    if transaction is None:
        return Place.NONE
    confirmed = await tools.gateway.verify_transfer(transfer.reference)
    report = payout.report_of(confirmed)
    if transfer.reference not in transaction.payouts:
        try:
            transaction = await _order_anew(tools, transaction, confirmed)
        except Refused:
            return Place.UNPAID if report.status in NOT_PAID else Place.NONE
    result = await order(tools, NAME, transaction, RecordTransfer(report=report))
    return Place.KNOWN if result.aggregate.version == transaction.version else Place.TAKEN


async def _order_anew(tools: Toolbox, transaction: Transaction, transfer: Transfer) -> Transaction:
    """Repeat the orders up to that of a transfer, which says that all before it were over.

    `Refused` while it is not, or may not be, what would be ordered now.
    """
    purpose = purpose_of(transaction.id, transfer.reference)
    if purpose is None or transfer.recipient_code is None:
        raise NothingPayable
    request = RequestPayout(purpose=purpose, recipient=transfer.recipient_code)
    while transfer.reference not in transaction.payouts:
        transaction = await _conclude_last(tools, transaction, purpose)
        owed = transaction.payable_minor(purpose), transaction.price.currency.value
        if owed != (transfer.amount_minor, transfer.currency):
            raise NothingPayable
        transaction = (await order(tools, NAME, transaction, request)).aggregate
    return transaction


async def _conclude_last(tools: Toolbox, transaction: Transaction, purpose: PayoutPurpose) -> Transaction:
    """Record what became of an attempt before another one; what the processor does not know it had refused."""
    last = transaction.last_payout(purpose)
    if last is None or not last.status.is_open:
        return transaction
    try:
        report = payout.report_of(await tools.gateway.verify_transfer(last.reference))
    except UnknownReference:
        report = TransferReport(reference=last.reference, status=TransferStatus.REFUSED, reason="forgotten")
    return (await order(tools, NAME, transaction, RecordTransfer(report=report))).aggregate


async def take_refund(tools: Toolbox, transaction_id: UUID, found: Refund) -> Place:
    """Record what became of a refund that was ordered; one that was not is a person's to decide, as all refunds are."""
    transaction = await find_readable(tools.escrow, transaction_id)
    known = None if transaction is None else transaction.refunds.get(found.merchant_note or "")
    if transaction is None or known is None:
        return Place.UNPAID if found.status is RefundStatus.FAILED else Place.NONE
    if known.processor_refund_id not in (None, str(found.processor_id)):
        return Place.NONE
    if not (known.status.is_open or known.will_not_be_sent):
        return Place.KNOWN
    report = refund.report_of(known, await tools.gateway.fetch_refund(found.processor_id))
    result = await order(tools, NAME, transaction, RecordRefund(report=report))
    return Place.KNOWN if result.aggregate.version == transaction.version else Place.TAKEN
