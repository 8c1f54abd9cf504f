"""After a restore: what the processor has and the log has forgotten is recorded. Nothing is sent from here.

Everything goes through the commands that record it on any other day, after a GET. What its transaction has no place for
as things stand becomes an external payment, which holds the transaction back; so does what the processor lists and
then refuses to say more of.
"""

from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import NamedTuple, TypeVar
from uuid import UUID

from domain.errors import Refused
from domain.journal import Account
from domain.money import CurrencyUnsupported
from domain.transaction import Transaction
from domain.transaction.chargeback_report import dispute_id_of
from domain.transaction.commands import RequestPayment
from domain.transaction.deadline import DeadlineKind
from domain.transaction.payout import NothingPayable
from domain.transaction.records import PaymentStatus, PayoutPurpose
from domain.transaction.system_commands import (
    EnforceDeadline,
    RecordCharge,
    RecordPaymentRefused,
    RecordRefund,
    RecordTransfer,
    RequestPayout,
)
from domain.transaction.transfer import NOT_PAID, TransferReport, TransferStatus
from gateways.chargeback import Chargeback
from gateways.ensure import OutcomeMismatched
from gateways.errors import UnknownReference
from gateways.payment import Charge, Refund, RefundStatus, Transfer
from reactions import payment, payout, refund
from reactions.chargeback import confirm_chargebacks, reference_of
from reactions.naming import MOST_ATTEMPTS, Names, purpose_of
from reactions.payment_page import remember_page
from reactions.question import REFUSALS
from reactions.toolbox import Toolbox, find_readable, order

NAME = "recovery"
P = TypeVar("P", Charge, Transfer, Refund)


class Place(Enum):
    """What the log makes of a payment.

    `KNOWN`: it is in it; `TAKEN`: it was taken up just now; `UNPAID`: it is not in it and need not be, because nobody
    has that money; `NONE`: the money has moved or may yet move, and that cannot be recorded as things stand, or the
    processor refuses to say.
    """

    KNOWN = "known"
    TAKEN = "taken"
    UNPAID = "unpaid"
    NONE = "none"


class Found(NamedTuple):
    """A payment of the processor's, or a chargeback of one, its transaction, and what the log made of it.

    `transaction_id` is None where nobody says which charge a chargeback is of.
    """

    payment: Charge | Transfer | Refund | Chargeback
    transaction_id: UUID | None
    place: Place


async def take_up(tools: Toolbox, since: datetime) -> list[Found]:
    """Record whatever the processor lists since then under a reference of ours, oldest first; return all of it.

    Doing it twice is harmless. What it refuses to say of one thing keeps no other waiting. Raises the processor's other
    errors, and then not everything was recorded.
    """
    charges = [charge for charge in await tools.gateway.list_charges(since=since) if charge.status in payment.PAID]
    names = Names(tools, charges)
    found = await _take_each(tools, names.charges(charges), take_charge)
    for disputed in await tools.gateway.list_chargebacks(since=since):
        found += await _take_disputed(tools, names, disputed)
    transfers = await tools.gateway.list_transfers(since=since)
    found += await _take_each(tools, names.transfers(transfers), take_transfer)
    refunds = await tools.gateway.list_refunds(since=since)
    found += await _take_each(tools, names.refunds(refunds), take_refund)
    return found


async def _take_each(
    tools: Toolbox, owned: AsyncIterable[tuple[P, UUID]], take: Callable[[Toolbox, UUID, P], Awaitable[Place]]
) -> list[Found]:
    found: list[Found] = []
    async for each, owner in owned:
        try:
            place = await take(tools, owner, each)
        except REFUSALS:
            place = await _place_unsaid(tools, owner, each)
        found.append(Found(each, owner, place))
    return found


async def _take_disputed(tools: Toolbox, names: Names, disputed: Chargeback) -> list[Found]:
    """Record it; return it where it is ours, or may be, and the processor refuses to say more of it."""
    owner: UUID | None = None
    try:
        disputed = replace(disputed, charge_reference=await reference_of(tools, disputed))
        owner = await names.of_charge(disputed.charge_reference or "")
        transaction = None if owner is None else await find_readable(tools.escrow, owner)
        if transaction is not None:
            await confirm_chargebacks(tools, transaction, disputed.charge_reference or "")
    except REFUSALS:
        return [Found(disputed, owner, await _place_unsaid(tools, owner, disputed))]
    return []


async def _place_unsaid(tools: Toolbox, owner: UUID | None, thing: Charge | Transfer | Refund | Chargeback) -> Place:
    """What the log has ordered, or knows of, is asked about as on any other day, and what depends on it waits."""
    transaction = None if owner is None else await find_readable(tools.escrow, owner)
    return Place.KNOWN if transaction is not None and _is_known(transaction, thing) else Place.NONE


def _is_known(transaction: Transaction, thing: Charge | Transfer | Refund | Chargeback) -> bool:
    match thing:
        case Charge():
            return False  # nothing is asked about one that is
        case Transfer():
            return thing.reference in transaction.payouts
        case Refund():
            return thing.merchant_note in transaction.refunds
        case Chargeback():
            number = str(thing.processor_id)
            is_foreign = number in transaction.foreign_chargebacks
            return is_foreign or dispute_id_of(transaction.id, number) in transaction.disputes


async def take_chargebacks(tools: Toolbox, transaction_id: UUID, reference: str) -> Place:
    """Record what the payer's bank disputes of a charge, or has taken back."""
    transaction = await find_readable(tools.escrow, transaction_id)
    if transaction is None:
        return Place.NONE
    charge = await tools.gateway.verify_charge(reference)
    return Place.TAKEN if await confirm_chargebacks(tools, transaction, charge.reference) else Place.KNOWN


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
    except (Refused, CurrencyUnsupported):
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
    try:
        if transfer.reference not in transaction.payouts:
            transaction = await _order_anew(tools, transaction, confirmed)
        report = payout.report_of_payout(transaction, transaction.payouts[transfer.reference], confirmed)
    except Refused:
        return Place.UNPAID if payout.report_of(confirmed).status in NOT_PAID else Place.NONE
    except OutcomeMismatched:
        return Place.NONE
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
        if purpose is PayoutPurpose.SELLER:
            transaction = await _end_warranty(tools, transaction, transfer)
        owed = transaction.payable_minor(purpose), transaction.price.currency.value
        if owed != (transfer.amount_minor, transfer.currency):
            raise NothingPayable
        transaction = (await order(tools, NAME, transaction, request)).aggregate
    return transaction


async def _end_warranty(tools: Toolbox, transaction: Transaction, transfer: Transfer) -> Transaction:
    """Release the reserve where just that was paid and is due: the clock of a sale that is held back stands still."""
    deadline, reserve = transaction.next_deadline, transaction.owed(Account.SELLER_RESERVE)
    is_due = deadline is not None and deadline.kind is DeadlineKind.RESERVE and tools.clock() >= deadline.at
    if is_due and transaction.payable_minor(PayoutPurpose.SELLER) + reserve == transfer.amount_minor:
        return (await order(tools, NAME, transaction, EnforceDeadline())).aggregate
    return transaction


async def _conclude_last(tools: Toolbox, transaction: Transaction, purpose: PayoutPurpose) -> Transaction:
    """Record what became of an attempt before another one; what the processor does not know it had refused."""
    last = transaction.last_payout(purpose)
    if last is None or not last.status.is_open:
        return transaction
    try:
        report = payout.report_of_payout(transaction, last, await tools.gateway.verify_transfer(last.reference))
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
    try:
        report = refund.report_of(known, await tools.gateway.fetch_refund(found.processor_id))
    except OutcomeMismatched:
        return Place.NONE
    result = await order(tools, NAME, transaction, RecordRefund(report=report))
    return Place.KNOWN if result.aggregate.version == transaction.version else Place.TAKEN
