"""What is decided about the held money: released to the seller, returned to the buyer, or split."""

from datetime import datetime, timedelta

from domain.actor import Role
from domain.errors import Invalid, Refused
from domain.ids import derive_reference
from domain.journal import Account, Posting, Postings, credit, debit, journal
from domain.money import Currency
from domain.transaction.event import TransactionEvent, TransactionMoneyEvent
from domain.transaction.records import Basis, Refund, RefundStatus, SettlementStatus
from domain.transaction.state import NothingHeld, TransactionState
from domain.transaction.stray import StrayTrack
from domain.transaction.vault import AlreadyRevealed


class RefundTooLarge(Invalid):
    """A refund cannot be more than what was received and not yet returned or charged back."""

    code = "refund_too_large"


class AwardInvalid(Invalid):
    """What the parties are awarded, and the fee, must add up to what escrow holds."""

    code = "award_invalid"


class CancellationAsked(Refused):
    """You have asked to call the sale off; the other party has not answered."""

    code = "cancellation_asked"


class ReserveNotDue(Refused):
    """The reserve is kept until the warranty period ends."""

    code = "reserve_not_due"


class ReleaseOrdered(TransactionMoneyEvent):
    """All that escrow holds is the seller's now, less commission, tax and reserve; the payout follows."""

    TOPIC = "transaction.release_ordered.v1"
    amount_minor: int
    to_seller_minor: int
    platform_fee_minor: int
    tax_minor: int
    reserve_minor: int
    reserve_due_at: datetime | None
    basis: Basis
    reason: str | None

    def change(self, transaction: TransactionState) -> None:
        """The seller is owed."""
        super().change(transaction)
        transaction.settlement = SettlementStatus.RELEASED
        transaction.settled_at = self.timestamp
        transaction.reserve_due_at = self.reserve_due_at


class ReserveReleased(TransactionMoneyEvent):
    """The warranty period ended: the reserve is the seller's."""

    TOPIC = "transaction.reserve_released.v1"
    amount_minor: int

    def change(self, transaction: TransactionState) -> None:
        """Nothing is reserved any more."""
        super().change(transaction)
        transaction.reserve_due_at = None


class CancellationRequested(TransactionEvent):
    """A party asks to call the sale off after the payment; when the other asks too, everything goes back."""

    TOPIC = "transaction.cancellation_requested.v1"
    by: Role
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """The other party decides."""
        transaction.cancel_requested_by = self.by


class RefundOrdered(TransactionMoneyEvent):
    """The buyer is owed this much; sending it follows under `reference`, against the charge `charge_reference`."""

    TOPIC = "transaction.refund_ordered.v1"
    reference: str
    charge_reference: str
    amount_minor: int
    basis: Basis
    reason: str
    returns_all: bool

    def change(self, transaction: TransactionState) -> None:
        """When everything goes back, the transaction is returned."""
        super().change(transaction)
        add_refund(transaction, self.reference, self.charge_reference, self.amount_minor, self.currency, self.basis)
        if self.returns_all:
            transaction.settlement = SettlementStatus.RETURNED
            transaction.settled_at = self.timestamp


class SplitOrdered(TransactionMoneyEvent):
    """An award divides what escrow holds between buyer, seller and platform."""

    TOPIC = "transaction.split_ordered.v1"
    reference: str
    charge_reference: str
    to_buyer_minor: int
    to_seller_minor: int
    platform_fee_minor: int
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """Both are owed."""
        super().change(transaction)
        if self.to_buyer_minor:
            basis, amount = Basis.AWARD, self.to_buyer_minor
            add_refund(transaction, self.reference, self.charge_reference, amount, self.currency, basis)
        transaction.settlement = SettlementStatus.SPLIT
        transaction.settled_at = self.timestamp


class ReceiptReturnOrdered(TransactionMoneyEvent):
    """Money that was never asked for goes back to its payer, against its own charge."""

    TOPIC = "transaction.receipt_return_ordered.v1"
    reference: str
    charge_reference: str
    processor_id: str
    amount_minor: int

    def change(self, transaction: TransactionState) -> None:
        """It is owed to the payer now."""
        super().change(transaction)
        transaction.suspense.pop(self.processor_id, None)
        basis = Basis.MISMATCH
        add_refund(transaction, self.reference, self.charge_reference, self.amount_minor, self.currency, basis)
        transaction.update_refund(self.reference, charge_id=self.processor_id)


class SettlementTrack(StrayTrack):
    """Ordering releases, refunds and splits; guards stand in the commands that lead here."""

    def order_release(self, basis: Basis, reason: str | None) -> None:
        """Everything held becomes the seller's, less commission, tax and reserve. Raises `NothingHeld`."""
        if not self.is_held:
            raise NothingHeld
        held = self.held_minor
        fee, tax = self.terms.fee_minor(held), self.terms.tax_minor(held)
        reserve = min(self.terms.reserve_minor(held), held - fee - tax)
        warranty = timedelta(seconds=self.terms.warranty_seconds)
        self.record(
            ReleaseOrdered,
            amount_minor=held,
            to_seller_minor=held - fee - tax - reserve,
            platform_fee_minor=fee,
            tax_minor=tax,
            reserve_minor=reserve,
            reserve_due_at=self.now + warranty if reserve else None,
            basis=basis,
            reason=reason,
            currency=self.price.currency,
            postings=journal(
                debit(Account.HELD, held),
                credit(Account.SELLER_PAYABLE, held - fee - tax - reserve),
                credit(Account.SELLER_RESERVE, reserve),
                credit(Account.PLATFORM_FEE, fee),
                credit(Account.TAX_PAYABLE, tax),
            ),
        )

    @property
    def refundable_minor(self) -> int:
        """What was received and has not been ordered back or charged back, in minor units."""
        ordered = sum(refund.amount_minor for refund in self.refunds.values() if refund.is_of_price)
        by_refund = max(0, ordered - self.charged_back_refunds_minor + self.sent_twice_minor)
        returned = by_refund + self.charged_back_minor
        return max(0, self.received_minor + self.surcharge_minor - returned)

    @property
    def surcharge_minor(self) -> int:
        """The fee that the customer paid on top and that has not been returned."""
        return self.owed(Account.FEE_SURCHARGE)

    @property
    def refundable_of_price_minor(self) -> int:
        """What can go back of the price: a surcharge goes back with the last part of it."""
        return max(0, self.refundable_minor - self.surcharge_minor)

    def order_refund(self, amount_minor: int, basis: Basis, reason: str) -> None:
        """The buyer is owed `amount_minor`: from what is held, else from the seller's side, lastly from the seller.

        A full refund returns the surcharge too. Raises `RefundTooLarge`.
        """
        limit = self.refundable_of_price_minor
        if not 1 <= amount_minor <= limit:
            raise RefundTooLarge(refundable_minor=limit)
        is_full = amount_minor == limit
        surcharge = self.surcharge_minor if is_full else 0
        sources = take(self, REFUND_SOURCES, amount_minor, Account.SELLER_RECEIVABLE, str(self.seller_id))
        if surcharge:
            sources = (*sources, debit(Account.FEE_SURCHARGE, surcharge))
        self.record(
            RefundOrdered,
            reference=self._next_refund_reference(),
            charge_reference=self.payment_reference,
            amount_minor=amount_minor + surcharge,
            basis=basis,
            reason=reason,
            returns_all=is_full and self.settlement is not SettlementStatus.SPLIT,
            currency=self.price.currency,
            postings=journal(*sources, credit(Account.REFUND_DUE, amount_minor + surcharge)),
        )

    def check_cancel(self) -> None:
        """Raise unless a party can end the transaction: alone before money came, with the other before the reveal."""
        if self.settlement is not SettlementStatus.HELD:
            super().check_cancel()
            return
        self.require_party()
        self.require_live()
        self.require_no_dispute_against_refund()
        if self.revealed_at is not None:
            raise AlreadyRevealed
        if self.cancel_requested_by is self.actor_on_record().role:
            raise CancellationAsked

    def cancel(self, reason: str) -> None:
        """A party ends the transaction; once money is held the other party has to ask for it too."""
        if self.settlement is not SettlementStatus.HELD:
            super().cancel(reason)
            return
        self.check_cancel()
        by = self.actor_on_record().role
        first = self.cancel_requested_by is None
        self.record(CancellationRequested, by=by, reason=reason)
        if not first:
            self.order_refund(self.refundable_of_price_minor, Basis.MUTUAL, reason)

    def order_split(self, to_buyer_minor: int, to_seller_minor: int, reason: str) -> None:
        """Divide what is held; what neither gets is the platform's fee. Raises `AwardInvalid`."""
        held = self.held_minor
        fee = held - to_buyer_minor - to_seller_minor
        if min(to_buyer_minor, to_seller_minor, fee) < 0 or held == 0:
            raise AwardInvalid(held_minor=held)
        self.record(
            SplitOrdered,
            reference=self._next_refund_reference(),
            charge_reference=self.payment_reference,
            to_buyer_minor=to_buyer_minor,
            to_seller_minor=to_seller_minor,
            platform_fee_minor=fee,
            reason=reason,
            currency=self.price.currency,
            postings=journal(
                debit(Account.HELD, held),
                credit(Account.REFUND_DUE, to_buyer_minor),
                credit(Account.SELLER_PAYABLE, to_seller_minor),
                credit(Account.PLATFORM_FEE, fee),
            ),
        )

    def release_reserve(self) -> None:
        """The clock ends the warranty: the reserve is the seller's. Raises `ReserveNotDue`."""
        self.require_system()
        self.require_no_dispute()
        reserve = self.owed(Account.SELLER_RESERVE)
        if self.reserve_due_at is None or self.now < self.reserve_due_at or reserve <= 0:
            raise ReserveNotDue
        self.record(
            ReserveReleased,
            amount_minor=reserve,
            currency=self.price.currency,
            postings=journal(debit(Account.SELLER_RESERVE, reserve), credit(Account.SELLER_PAYABLE, reserve)),
        )

    def return_receipts(self) -> None:
        """Money that waits in suspense goes back to its payer, unless his bank disputes it."""
        self.require_system()
        for receipt in self.returnable_receipts:
            self.record(
                ReceiptReturnOrdered,
                reference=self._next_refund_reference(),
                charge_reference=receipt.reference,
                processor_id=receipt.processor_id,
                amount_minor=receipt.amount_minor,
                currency=receipt.currency,
                postings=journal(
                    debit(Account.UNMATCHED_RECEIPTS, receipt.amount_minor, receipt.reference),
                    credit(Account.REFUND_DUE, receipt.amount_minor),
                ),
            )

    def _next_refund_reference(self) -> str:
        return derive_reference("rf", self.id, "refund", len(self.refunds) + 1)


REFUND_SOURCES = (
    Account.HELD,
    Account.SELLER_PAYABLE,
    Account.SELLER_RESERVE,
    Account.PLATFORM_FEE,
    Account.TAX_PAYABLE,
)


def take(
    transaction: TransactionState, sources: tuple[Account, ...], amount_minor: int, rest: Account, subject: str
) -> Postings:
    """Return debits that take an amount from liability or income accounts in this order, and the rest from `rest`."""
    lines: list[Posting] = []
    missing = amount_minor
    for account in sources:
        taken = max(0, min(missing, transaction.owed(account)))
        lines.append(debit(account, taken))
        missing -= taken
    return (*lines, debit(rest, missing, subject))


def add_refund(
    transaction: TransactionState,
    reference: str,
    charge_reference: str,
    amount_minor: int,
    currency: Currency,
    basis: Basis,
) -> None:
    """Fold a refund that was ordered; sending it is the next step."""
    transaction.refunds[reference] = Refund(
        reference=reference,
        charge_reference=charge_reference,
        amount_minor=amount_minor,
        status=RefundStatus.APPROVED,
        basis=basis,
        currency=currency,
    )
