"""Our side: charges, transfers, refunds, disputes and settlements, folded from the money events of the log."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain.event import Event, MoneyEvent
from domain.journal import Account, Postings
from domain.money import Currency
from domain.transaction.attempt import PayoutPaidAfterAll, PayoutReversalSeen
from domain.transaction.chargeback import ChargebackLost, ForeignChargebackSeen, ForeignChargebackSeenUnnamed
from domain.transaction.event import TransactionMoneyEvent
from domain.transaction.payment import PaymentFeeAssessed, PaymentMismatched, PaymentReceived
from domain.transaction.payout import (
    PayoutFailed,
    PayoutFeeAssessed,
    PayoutRequested,
    PayoutReversed,
    PayoutSubmitted,
    PayoutSucceeded,
)
from domain.transaction.records import PayoutStatus, RefundStatus
from domain.transaction.refund import RefundFailed, RefundProcessed, RefundSubmitted
from domain.transaction.settlement import ReceiptReturnOrdered, RefundOrdered, SplitOrdered
from domain.transaction.stray_chargeback import StrayChargebackLost
from domain.transaction.transfer import TransferStatus
from domain.treasury import FundsMoved, Movement
from reconciliation.key import CHARGE, DISPUTE, REFUND, TRANSFER, Key, key_of_evidence

DEDUCTIONS = frozenset({Movement.REFUND_DEDUCTED, Movement.REFUND_DEDUCTION_RETURNED})
"""What a settlement kept for a refund, or what came back of it: bookkeeping, which corrects nothing."""
WATCHED = frozenset({Account.UNCLEARED, Account.BALANCE, Account.BANK})


@dataclass(frozen=True, kw_only=True)
class BookedCharge:
    """A charge as booked: all of it that came, whether held or set aside; `fee_minor` None until it was assessed."""

    reference: str
    processor_id: str
    transaction_id: UUID
    currency: Currency
    amount_minor: int
    fee_minor: int | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class BookedTransfer:
    """A payout as booked; `accepted` once the processor took the money."""

    reference: str
    transaction_id: UUID
    currency: Currency
    amount_minor: int
    status: PayoutStatus
    accepted: bool
    fee_minor: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class BookedRefund:
    """A refund as ordered; `processor_id`, and the account it was taken from, are known once it was accepted."""

    reference: str
    processor_id: str | None
    transaction_id: UUID
    charge_reference: str
    currency: Currency
    amount_minor: int
    status: RefundStatus
    at: datetime
    source: Account | None = None


@dataclass(frozen=True, kw_only=True)
class BookedDispute:
    """A chargeback that was lost."""

    processor_id: str
    transaction_id: UUID
    currency: Currency
    amount_minor: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class BookedMovement:
    """A movement of the platform's own money; `key` is what its evidence names."""

    key: Key | None
    movement: Movement
    currency: Currency
    amount_minor: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class BookedLine:
    """One posting on an account that the processor keeps too, or on the bank; signed, a debit is positive."""

    key: Key | None
    account: Account
    currency: Currency
    amount_minor: int
    position: int
    at: datetime
    is_correction: bool


@dataclass
class Records:
    """All of it, by the name that the processor knows; `pages` are references that buyers were shown a page under."""

    charges: dict[str, BookedCharge] = field(default_factory=dict[str, BookedCharge])
    transfers: dict[str, BookedTransfer] = field(default_factory=dict[str, BookedTransfer])
    refunds: dict[str, BookedRefund] = field(default_factory=dict[str, BookedRefund])
    disputes: dict[str, BookedDispute] = field(default_factory=dict[str, BookedDispute])
    foreign_disputes: dict[str, UUID] = field(default_factory=dict[str, UUID])
    movements: list[BookedMovement] = field(default_factory=list[BookedMovement])
    lines: list[BookedLine] = field(default_factory=list[BookedLine])
    charge_ids: dict[str, str] = field(default_factory=dict[str, str])
    pages: frozenset[str] = frozenset()

    def fold(self, events: Iterable[tuple[int, Event]]) -> None:
        """Add what these events, each with its position, say; oldest first."""
        for position, event in events:
            note = _NOTES.get(type(event))
            if note is not None:
                note(self, event)
            if isinstance(event, MoneyEvent | TransactionMoneyEvent):
                self._add_lines(event, event.currency, event.postings, position)

    def _add_lines(self, event: Event, currency: Currency, postings: Postings, position: int) -> None:
        self.lines += [
            BookedLine(
                key=self._key_of(event),
                account=line.account,
                currency=currency,
                amount_minor=line.amount_minor,
                position=position,
                at=event.timestamp,
                is_correction=isinstance(event, FundsMoved) and event.movement not in DEDUCTIONS,
            )
            for line in postings
            if line.account in WATCHED
        ]

    def _key_of(self, event: Event) -> Key | None:
        match event:
            case PaymentReceived() | PaymentMismatched():
                return Key(CHARGE, event.processor_id)
            case PaymentFeeAssessed():
                return Key(CHARGE, self.charge_ids.get(event.reference, event.reference))
            case RefundSubmitted() | RefundFailed():
                refund = self.refunds.get(event.reference)
                return Key(REFUND, (refund and refund.processor_id) or event.reference)
            case FundsMoved():
                return key_of_evidence(event.evidence)
            case _:
                return _key_of_outcome(event)


def _key_of_outcome(event: Event) -> Key | None:
    match event:
        case _ if event.TOPIC.startswith("transaction.payout_"):
            return Key(TRANSFER, str(vars(event)["reference"]))
        case ChargebackLost() | StrayChargebackLost():
            return Key(DISPUTE, event.processor_dispute_id)
        case _:
            return None


Note = Callable[[Records, Event], None]


def _note_charge(records: Records, event: Event) -> None:
    assert isinstance(event, PaymentReceived | PaymentMismatched)
    came = sum(line.amount_minor for line in event.postings if line.account is Account.UNCLEARED)
    known = records.charges.get(event.processor_id)
    records.charge_ids[event.reference] = event.processor_id
    records.charges[event.processor_id] = BookedCharge(
        reference=event.reference,
        processor_id=event.processor_id,
        transaction_id=event.originator_id,
        currency=event.currency,
        amount_minor=came + (known.amount_minor if known else 0),
        fee_minor=known.fee_minor if known else None,
        at=event.timestamp,
    )


def _note_charge_fee(records: Records, event: Event) -> None:
    assert isinstance(event, PaymentFeeAssessed)
    known = records.charges.get(records.charge_ids.get(event.reference, ""))
    if known is not None:
        fee = (known.fee_minor or 0) + event.fee_minor
        records.charges[known.processor_id] = replace(known, fee_minor=fee, at=event.timestamp)


def _note_payout(records: Records, event: Event) -> None:
    assert isinstance(event, PayoutRequested)
    records.transfers[event.reference] = BookedTransfer(
        reference=event.reference,
        transaction_id=event.originator_id,
        currency=event.currency,
        amount_minor=event.amount_minor,
        status=PayoutStatus.REQUESTED,
        accepted=False,
        fee_minor=0,
        at=event.timestamp,
    )


def _note_outcome(records: Records, event: Event) -> None:
    known = records.transfers.get(str(vars(event)["reference"]))
    if known is None:
        return
    fee = event.fee_minor if isinstance(event, PayoutSucceeded | PayoutFeeAssessed | PayoutPaidAfterAll) else 0
    records.transfers[known.reference] = replace(
        known,
        status=_payout_status(event) or known.status,
        accepted=known.accepted or isinstance(event, PayoutSubmitted | PayoutPaidAfterAll),
        fee_minor=known.fee_minor + fee,
        at=event.timestamp,
    )


def _payout_status(event: Event) -> PayoutStatus | None:
    match event:
        case PayoutSubmitted():
            return PayoutStatus.SUBMITTED
        case PayoutSucceeded() | PayoutPaidAfterAll():
            return PayoutStatus.SUCCEEDED
        case PayoutFailed():
            return PayoutStatus.REVERSED if event.status is TransferStatus.REVERSED else PayoutStatus.FAILED
        case PayoutReversed() | PayoutReversalSeen():
            return PayoutStatus.REVERSED
        case _:
            return None


def _note_order(records: Records, event: Event) -> None:
    assert isinstance(event, RefundOrdered | SplitOrdered | ReceiptReturnOrdered)
    amount = event.to_buyer_minor if isinstance(event, SplitOrdered) else event.amount_minor
    if amount:
        records.refunds[event.reference] = BookedRefund(
            reference=event.reference,
            processor_id=None,
            transaction_id=event.originator_id,
            charge_reference=event.charge_reference,
            currency=event.currency,
            amount_minor=amount,
            status=RefundStatus.APPROVED,
            at=event.timestamp,
        )


def _note_refund(records: Records, event: Event) -> None:
    assert isinstance(event, RefundSubmitted | RefundProcessed | RefundFailed)
    known = records.refunds.get(event.reference)
    if known is None:
        return
    found = event.processor_refund_id if isinstance(event, RefundSubmitted) else None
    ended = RefundStatus.PROCESSED if isinstance(event, RefundProcessed) else RefundStatus.FAILED
    records.refunds[event.reference] = replace(
        known,
        processor_id=found or known.processor_id,
        source=event.source if isinstance(event, RefundSubmitted) else known.source,
        status=RefundStatus.SUBMITTED if isinstance(event, RefundSubmitted) else ended,
        at=event.timestamp,
    )


def _note_dispute(records: Records, event: Event) -> None:
    assert isinstance(event, ChargebackLost | StrayChargebackLost)
    known = records.disputes.get(event.processor_dispute_id)  # one of more than the price has two parts
    records.disputes[event.processor_dispute_id] = BookedDispute(
        processor_id=event.processor_dispute_id,
        transaction_id=event.originator_id,
        currency=event.currency,
        amount_minor=event.amount_minor + (0 if known is None else known.amount_minor),
        at=event.timestamp,
    )
    for reference in event.cancelled_refunds:
        known = records.refunds.get(reference)
        if known is not None:
            records.refunds[reference] = replace(known, status=RefundStatus.CANCELLED)


def _note_foreign_dispute(records: Records, event: Event) -> None:
    assert isinstance(event, ForeignChargebackSeenUnnamed)
    records.foreign_disputes[event.processor_dispute_id] = event.originator_id


def _note_movement(records: Records, event: Event) -> None:
    assert isinstance(event, FundsMoved)
    records.movements.append(
        BookedMovement(
            key=key_of_evidence(event.evidence),
            movement=event.movement,
            currency=event.currency,
            amount_minor=event.amount_minor,
            at=event.timestamp,
        )
    )


_NOTES: dict[type[Event], Note] = {
    PaymentReceived: _note_charge,
    PaymentMismatched: _note_charge,
    PaymentFeeAssessed: _note_charge_fee,
    PayoutRequested: _note_payout,
    PayoutSubmitted: _note_outcome,
    PayoutSucceeded: _note_outcome,
    PayoutFeeAssessed: _note_outcome,
    PayoutFailed: _note_outcome,
    PayoutReversed: _note_outcome,
    PayoutReversalSeen: _note_outcome,
    PayoutPaidAfterAll: _note_outcome,
    RefundOrdered: _note_order,
    SplitOrdered: _note_order,
    ReceiptReturnOrdered: _note_order,
    RefundSubmitted: _note_refund,
    RefundProcessed: _note_refund,
    RefundFailed: _note_refund,
    ChargebackLost: _note_dispute,
    StrayChargebackLost: _note_dispute,
    ForeignChargebackSeenUnnamed: _note_foreign_dispute,
    ForeignChargebackSeen: _note_foreign_dispute,
    FundsMoved: _note_movement,
}
