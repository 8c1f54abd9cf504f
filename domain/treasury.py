"""The platform's own money movements, one stream per currency: capital, top-ups, settlements, sweeps, corrections."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from domain.actor import IN_CHARGE, Actor
from domain.aggregate import Aggregate
from domain.command import Command, CreationCommand
from domain.errors import Forbidden
from domain.event import Context, CreatedEvent, MoneyEvent
from domain.journal import Account, credit, debit, journal
from domain.money import AmountNotPositive, Currency, CurrencyMismatch, Money

NAMESPACE = UUID("6d1f3c56-7f0e-5b7a-9d43-0e5c6f1b2a90")


class Movement(StrEnum):
    """What moved, and between which accounts; from `UNKNOWN_RECEIPT` on they settle what reconciliation found."""

    CAPITAL_PAID_IN = "capital_paid_in"
    BALANCE_TOPPED_UP = "balance_topped_up"
    CHARGES_SETTLED = "charges_settled"
    CHARGES_SETTLED_TO_BANK = "charges_settled_to_bank"
    SWEPT_TO_BANK = "swept_to_bank"
    UNKNOWN_RECEIPT = "unknown_receipt"
    UNKNOWN_RECEIPT_RETURNED = "unknown_receipt_returned"
    CHARGE_FEE_CHARGED = "charge_fee_charged"
    CHARGE_FEE_CREDITED = "charge_fee_credited"
    CHARGE_FEE_RETURNED = "charge_fee_returned"
    TRANSFER_FEE_CHARGED = "transfer_fee_charged"
    TRANSFER_FEE_RETURNED = "transfer_fee_returned"
    DISPUTE_FEE_CHARGED = "dispute_fee_charged"
    REFUND_DEDUCTED = "refund_deducted"
    REFUND_DEDUCTION_RETURNED = "refund_deduction_returned"
    BALANCE_SHORT = "balance_short"
    BALANCE_OVER = "balance_over"
    UNCLEARED_SHORT = "uncleared_short"
    UNCLEARED_OVER = "uncleared_over"
    DIFFERENCE_WRITTEN_OFF = "difference_written_off"
    DIFFERENCE_WRITTEN_BACK = "difference_written_back"


ACCOUNTS: dict[Movement, tuple[Account, Account]] = {
    Movement.CAPITAL_PAID_IN: (Account.BANK, Account.CAPITAL),
    Movement.BALANCE_TOPPED_UP: (Account.BALANCE, Account.BANK),
    Movement.CHARGES_SETTLED: (Account.BALANCE, Account.UNCLEARED),
    Movement.CHARGES_SETTLED_TO_BANK: (Account.BANK, Account.UNCLEARED),
    Movement.SWEPT_TO_BANK: (Account.BANK, Account.BALANCE),
    Movement.UNKNOWN_RECEIPT: (Account.UNCLEARED, Account.UNMATCHED_RECEIPTS),
    Movement.UNKNOWN_RECEIPT_RETURNED: (Account.UNMATCHED_RECEIPTS, Account.BALANCE),
    Movement.CHARGE_FEE_CHARGED: (Account.CHARGE_FEE, Account.UNCLEARED),
    Movement.CHARGE_FEE_CREDITED: (Account.UNCLEARED, Account.CHARGE_FEE),
    Movement.CHARGE_FEE_RETURNED: (Account.BALANCE, Account.CHARGE_FEE),
    Movement.TRANSFER_FEE_CHARGED: (Account.TRANSFER_FEE, Account.BALANCE),
    Movement.TRANSFER_FEE_RETURNED: (Account.BALANCE, Account.TRANSFER_FEE),
    Movement.DISPUTE_FEE_CHARGED: (Account.DISPUTE_FEE, Account.BALANCE),
    Movement.REFUND_DEDUCTED: (Account.UNCLEARED, Account.BALANCE),
    Movement.REFUND_DEDUCTION_RETURNED: (Account.BALANCE, Account.UNCLEARED),
    Movement.BALANCE_SHORT: (Account.DIFFERENCES, Account.BALANCE),
    Movement.BALANCE_OVER: (Account.BALANCE, Account.DIFFERENCES),
    Movement.UNCLEARED_SHORT: (Account.DIFFERENCES, Account.UNCLEARED),
    Movement.UNCLEARED_OVER: (Account.UNCLEARED, Account.DIFFERENCES),
    Movement.DIFFERENCE_WRITTEN_OFF: (Account.DIFFERENCES_EXPENSE, Account.DIFFERENCES),
    Movement.DIFFERENCE_WRITTEN_BACK: (Account.DIFFERENCES, Account.DIFFERENCES_EXPENSE),
}


class TreasuryOpened(CreatedEvent):
    """The books of a currency were opened."""

    TOPIC = "treasury.opened.v1"
    currency: Currency


class FundsMoved(MoneyEvent):
    """Money moved between the platform's own accounts; `evidence` names the statement or settlement that shows it."""

    TOPIC = "treasury.funds_moved.v1"
    movement: Movement
    amount_minor: int
    evidence: str


class Treasury(Aggregate):
    """The platform's own accounts in one currency."""

    TOPIC = "treasury"

    def __init__(self, currency: Currency) -> None:
        self.currency = currency

    @property
    def state(self) -> str:
        """The currency."""
        return self.currency.value

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        """Super administrators and reconciliation record movements."""
        return ("move-funds",) if actor.role in IN_CHARGE else ()

    def move(self, movement: Movement, amount: Money, evidence: str) -> None:
        """Record a movement that has happened outside."""
        if self.actor.role not in IN_CHARGE:
            raise Forbidden
        if amount.amount_minor == 0:
            raise AmountNotPositive
        if amount.currency is not self.currency:
            raise CurrencyMismatch
        to, source = ACCOUNTS[movement]
        self.record(
            FundsMoved,
            movement=movement,
            amount_minor=amount.amount_minor,
            evidence=evidence,
            currency=self.currency,
            postings=journal(debit(to, amount.amount_minor), credit(source, amount.amount_minor)),
        )


def treasury_id(currency: Currency) -> UUID:
    """Return the stream of a currency's treasury."""
    return uuid5(NAMESPACE, currency.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTreasury(CreationCommand[Treasury]):
    """Open the books of a currency."""

    aggregate_type = Treasury
    currency: Currency

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> Treasury:
        """Return the new stream."""
        if context.actor.role not in IN_CHARGE:
            raise Forbidden
        return Treasury.start(TreasuryOpened, stream_id, context, currency=self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFunds(Command[Treasury]):
    """Money moved between the platform's own accounts."""

    aggregate_type = Treasury
    movement: Movement
    amount: Money
    evidence: str

    def decide(self, aggregate: Treasury, *related: Aggregate) -> None:
        """Call `Treasury.move`."""
        aggregate.move(self.movement, self.amount, self.evidence)
