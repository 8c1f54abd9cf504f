"""The buyer's payment: asked for, confirmed by a GET, held in escrow; money that does not fit is set aside."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.actor import Role
from domain.errors import Refused
from domain.ids import derive_reference
from domain.journal import Account, credit, debit, journal
from domain.money import Currency
from domain.transaction.event import TransactionEvent, TransactionMoneyEvent
from domain.transaction.opening import AlreadyEnded, OpeningTrack
from domain.transaction.records import PaymentStatus, Receipt, SettlementStatus
from domain.transaction.state import TransactionState


class AlreadyPaid(Refused):
    """The payment has been received already."""

    code = "already_paid"


class PaymentOverdue(Refused):
    """The time to pay is over; open a new transaction."""

    code = "payment_overdue"


class UnknownReference(Refused):
    """No payment, payout or refund of this transaction has this reference."""

    code = "unknown_reference"


class Mismatch(StrEnum):
    """How a charge fails to be the payment that was asked for."""

    UNDER = "under"
    OVER = "over"
    CURRENCY = "currency"
    DUPLICATE = "duplicate"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedCharge:
    """A successful charge as a GET at the processor reported it, in minor units of `currency`.

    `requested_minor` is what was asked for where the customer bears the fee, and `amount_minor` is then more.
    """

    reference: str
    processor_id: str
    amount_minor: int
    requested_minor: int | None
    currency: Currency
    fee_minor: int | None
    channel: str
    paid_at: datetime
    verified_by: str

    def surcharge_minor(self, price_minor: int) -> int:
        """Return what the customer paid on top as his share of the fee, where the processor says so.

        It names what was requested also when the payer simply sent more: a surplus beyond the fee is no share of it.
        """
        surplus = self.amount_minor - price_minor
        is_share = self.requested_minor == price_minor and surplus <= (self.fee_minor or 0)
        return surplus if is_share else 0


class PaymentRequested(TransactionEvent):
    """The intent to ask the processor for a payment page under this reference."""

    TOPIC = "transaction.payment_requested.v1"
    reference: str
    attempt: int
    amount_minor: int
    currency: Currency
    expires_at: datetime

    def change(self, transaction: TransactionState) -> None:
        """A payment may come under this reference from now on."""
        transaction.payment = PaymentStatus.REQUESTED
        transaction.payment_reference = self.reference
        transaction.payment_attempts = self.attempt
        transaction.payment_link_issued = False


class PaymentLinkIssued(TransactionEvent):
    """The processor opened a payment page; its address is a bearer secret, so only its SHA-256 stands here."""

    TOPIC = "transaction.payment_link_issued.v1"
    reference: str
    authorization_url_sha256: str

    def change(self, transaction: TransactionState) -> None:
        """The page can be shown to the buyer."""
        transaction.payment_link_issued = True


class PaymentAttemptFailed(TransactionEvent):
    """The processor refused conclusively to open a payment page; the next attempt has a reference of its own."""

    TOPIC = "transaction.payment_attempt_failed.v1"
    reference: str
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """The buyer may try again."""
        transaction.payment = PaymentStatus.NONE


class PaymentReceived(TransactionMoneyEvent):
    """The charge was confirmed by a GET: status, amount, currency and domain were what was asked for."""

    TOPIC = "transaction.payment_received.v1"
    reference: str
    processor_id: str
    amount_minor: int
    surcharge_minor: int
    channel: str
    paid_at: datetime
    verified_by: str

    def change(self, transaction: TransactionState) -> None:
        """The money is escrow's to hold."""
        super().change(transaction)
        transaction.payment = PaymentStatus.RECEIVED
        transaction.payment_reference = self.reference  # of an earlier attempt, perhaps: refunds go against this charge
        transaction.processor_charge_id = self.processor_id
        transaction.received_minor = self.amount_minor


class FundsHeld(TransactionEvent):
    """Escrow holds the price; both parties are to sign before `signing_due_at`."""

    TOPIC = "transaction.funds_held.v1"
    amount_minor: int
    signing_due_at: datetime

    def change(self, transaction: TransactionState) -> None:
        """The clock for the signatures starts."""
        transaction.settlement = SettlementStatus.HELD
        transaction.funds_held_at = self.timestamp
        transaction.signing_due_at = self.signing_due_at


class PaymentFeeAssessed(TransactionMoneyEvent):
    """The processor's fee on the charge is known."""

    TOPIC = "transaction.payment_fee_assessed.v1"
    reference: str
    fee_minor: int

    def change(self, transaction: TransactionState) -> None:
        """The platform bears it, also for a charge that goes back."""
        super().change(transaction)
        is_held = transaction.funds_held_at is not None and self.reference == transaction.payment_reference
        if is_held and transaction.charge_fee_minor is None:
            transaction.charge_fee_minor = self.fee_minor
        else:
            transaction.stray_fees.add(self.reference)


class PaymentMismatched(TransactionMoneyEvent):
    """Money came that is not the payment asked for: it waits in suspense until it goes back to its payer."""

    TOPIC = "transaction.payment_mismatched.v1"
    reference: str
    processor_id: str
    kind: Mismatch
    expected_minor: int
    received_minor: int
    suspense_minor: int

    def change(self, transaction: TransactionState) -> None:
        """Remember the charge, so that a repeated report of it changes nothing."""
        super().change(transaction)
        transaction.seen_charges.add(self.processor_id)
        transaction.suspense[self.processor_id] = Receipt(
            reference=self.reference,
            processor_id=self.processor_id,
            amount_minor=self.suspense_minor,
            currency=self.currency,
        )


class PaymentTrack(OpeningTrack):
    """Asking for the payment and recording what the processor confirms."""

    def check_pay(self) -> None:
        """Raise unless the buyer (or a reaction for him) can still pay."""
        if self.actor.role is not Role.SYSTEM:
            self.require_buyer()
        if self.was_paid:
            raise AlreadyPaid
        if self.ended_as is not None:
            raise AlreadyEnded
        if self.now >= self.payment_due_at:
            raise PaymentOverdue

    def request_payment(self) -> None:
        """Record the intent to open a payment page; a live one is used again."""
        self.check_pay()
        if self.payment is PaymentStatus.REQUESTED and not self._is_spent():
            return
        attempt = self.payment_attempts + 1
        self.record(
            PaymentRequested,
            reference=derive_reference("ch", self.id, "payment", attempt),
            attempt=attempt,
            amount_minor=self.price.amount_minor,
            currency=self.price.currency,
            expires_at=self.payment_due_at,
        )

    def record_payment_link(self, reference: str, authorization_url_sha256: str) -> None:
        """Record that the processor opened the payment page; once per reference."""
        self.require_system()
        if self.payment is PaymentStatus.REQUESTED and not self.payment_link_issued:
            self._require_reference(reference)
            self.record(PaymentLinkIssued, reference=reference, authorization_url_sha256=authorization_url_sha256)

    def record_payment_refused(self, reference: str, reason: str) -> None:
        """Record that the processor refused to open a payment page; no money can come under this reference."""
        self.require_system()
        if self.payment is PaymentStatus.REQUESTED and not self.payment_link_issued:
            self._require_reference(reference)
            self.record(PaymentAttemptFailed, reference=reference, reason=reason)

    def record_charge(self, charge: ConfirmedCharge) -> None:
        """Record a charge that a GET confirmed; reporting it again, in any order, changes nothing.

        Raises `UnknownReference` for a charge that this transaction never asked for.
        """
        self.require_system()
        if not self.has_asked_for(charge.reference):
            raise UnknownReference
        if charge.processor_id == self.processor_charge_id:
            self._assess_fee(charge)
        elif charge.processor_id not in self.seen_charges:
            self._record_new_charge(charge)
        else:
            self._assess_stray_fee(charge)

    def has_asked_for(self, reference: str) -> bool:
        """Return whether a payment was asked for under it; nearly always it is the newest one, which is not derived."""
        attempts = range(1, self.payment_attempts + 1)
        return reference == self.payment_reference or reference in (
            derive_reference("ch", self.id, "payment", attempt) for attempt in attempts
        )

    def _record_new_charge(self, charge: ConfirmedCharge) -> None:
        price = self.price.amount_minor
        kind = self._mismatch(charge)
        if kind is not None and kind is not Mismatch.OVER:
            self._set_aside(charge, kind, charge.amount_minor)
            self._assess_stray_fee(charge)
            return
        surcharge = charge.surcharge_minor(price)
        self._hold(charge, surcharge)
        if kind is Mismatch.OVER:
            self._set_aside(charge, kind, charge.amount_minor - price)
        self._assess_fee(charge)

    def _mismatch(self, charge: ConfirmedCharge) -> Mismatch | None:
        price = self.price.amount_minor
        if self.ended_as is not None:
            return Mismatch.LATE
        if self.funds_held_at is not None:
            return Mismatch.DUPLICATE
        if charge.currency != self.price.currency:
            return Mismatch.CURRENCY
        if charge.amount_minor < price:
            return Mismatch.UNDER
        exact = charge.amount_minor == price or charge.surcharge_minor(price) > 0
        return None if exact else Mismatch.OVER

    def _hold(self, charge: ConfirmedCharge, surcharge: int) -> None:
        price = self.price.amount_minor
        self.record(
            PaymentReceived,
            reference=charge.reference,
            processor_id=charge.processor_id,
            amount_minor=price,
            surcharge_minor=surcharge,
            channel=charge.channel,
            paid_at=charge.paid_at,
            verified_by=charge.verified_by,
            currency=self.price.currency,
            postings=journal(
                debit(Account.UNCLEARED, price + surcharge),
                credit(Account.HELD, price),
                credit(Account.FEE_SURCHARGE, surcharge),
            ),
        )
        due = self.now + timedelta(seconds=self.terms.signing_seconds)
        self.record(FundsHeld, amount_minor=price, signing_due_at=due)

    def _assess_fee(self, charge: ConfirmedCharge) -> None:
        """Only under the reference that it paid under: with another one the processor contradicts itself."""
        is_its_own = charge.reference == self.payment_reference
        if is_its_own and charge.fee_minor is not None and self.charge_fee_minor is None:
            self._record_fee(charge, charge.fee_minor)

    def _assess_stray_fee(self, charge: ConfirmedCharge) -> None:
        """A charge that goes back has cost its fee too; a reference is charged once at the processor."""
        if charge.fee_minor is not None and charge.reference not in self.stray_fees:
            self._record_fee(charge, charge.fee_minor)

    def _record_fee(self, charge: ConfirmedCharge, fee_minor: int) -> None:
        self.record(
            PaymentFeeAssessed,
            reference=charge.reference,
            fee_minor=fee_minor,
            currency=charge.currency,
            postings=journal(debit(Account.CHARGE_FEE, fee_minor), credit(Account.UNCLEARED, fee_minor)),
        )

    def _set_aside(self, charge: ConfirmedCharge, kind: Mismatch, suspense_minor: int) -> None:
        self.record(
            PaymentMismatched,
            reference=charge.reference,
            processor_id=charge.processor_id,
            kind=kind,
            expected_minor=self.price.amount_minor,
            received_minor=charge.amount_minor,
            suspense_minor=suspense_minor,
            currency=charge.currency,
            postings=journal(
                debit(Account.UNCLEARED, suspense_minor),
                credit(Account.UNMATCHED_RECEIPTS, suspense_minor, charge.reference),
            ),
        )

    def _is_spent(self) -> bool:
        """True when money that did not fit came under the present reference: the processor charges each only once."""
        waiting = [receipt.reference for receipt in self.suspense.values()]
        returned = [refund.charge_reference for refund in self.refunds.values()]
        return self.payment_reference in (*waiting, *returned, *self.stray_fees)

    def _require_reference(self, reference: str) -> None:
        if reference != self.payment_reference:
            raise UnknownReference
