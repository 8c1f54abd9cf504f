"""Statuses of the tracks, and the small records that a transaction keeps: payouts, refunds, disputes, approvals."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.journal import Account
from domain.money import Currency
from domain.user import AccountDoubt


class PaymentStatus(StrEnum):
    """Where the buyer's payment stands."""

    NONE = "none"
    REQUESTED = "requested"
    RECEIVED = "received"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Money that came without having been asked for; it waits in suspense for its return to the payer."""

    reference: str
    processor_id: str
    amount_minor: int
    currency: Currency


class ContractStatus(StrEnum):
    """Where the contract stands; `SIGNED` means by both parties."""

    NONE = "none"
    GENERATED = "generated"
    PARTLY_SIGNED = "partly_signed"
    SIGNED = "signed"


class VaultStatus(StrEnum):
    """Where the credentials stand for this buyer."""

    SEALED = "sealed"
    GRANTED = "granted"
    REVEALED = "revealed"
    ACKNOWLEDGED = "acknowledged"
    LOST = "lost"


class SettlementStatus(StrEnum):
    """What was decided about the money that escrow held."""

    NONE = "none"
    HELD = "held"
    RELEASED = "released"
    SPLIT = "split"
    RETURNED = "returned"


class Basis(StrEnum):
    """Why money was released or returned."""

    BUYER_CONFIRMED = "buyer_confirmed"
    LAPSE = "lapse"
    AWARD = "award"
    FORCED = "forced"
    MUTUAL = "mutual"
    MISMATCH = "mismatch"


class PayoutPurpose(StrEnum):
    """Why a transfer leaves: the seller's share, a refund that failed, or compensation."""

    SELLER = "seller"
    REFUND = "refund"
    COMPENSATION = "compensation"


class PayoutStatus(StrEnum):
    """Lattice: requested < uncertain < submitted < otp < the conclusive ones; succeeded may still become reversed."""

    REQUESTED = "requested"
    UNCERTAIN = "uncertain"
    SUBMITTED = "submitted"
    OTP = "otp"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REVERSED = "reversed"

    @property
    def is_open(self) -> bool:
        """True while the processor may still pay it: the same money must not be sent again."""
        return self in {PayoutStatus.REQUESTED, PayoutStatus.UNCERTAIN, PayoutStatus.SUBMITTED, PayoutStatus.OTP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """One attempt to transfer money; `reference` names it at the processor and is its id here.

    `retry_at` is from when the next attempt may be made after this one failed; None when a person has to look first.
    `settled` says that what it failed to pay is not owed any more: it tells nothing of what is owed later.
    `waits_for_balance` says that the processor's balance was too low so far, `otp_typed` how often a one-time password
    was accepted, `otp_by` which command typed the last one, until it is known what became of it.
    """

    reference: str
    purpose: PayoutPurpose
    attempt: int
    amount_minor: int
    recipient: str
    status: PayoutStatus
    accepted: bool = False
    transfer_code: str | None = None
    fee_minor: int | None = None
    failure: str | None = None
    retry_at: datetime | None = None
    settled: bool = False
    waits_for_balance: bool = False
    otp_typed: int = 0
    otp_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWait:
    """From when the next attempt to pay somebody may be made, because his account is new."""

    attempt: int
    usable_at: datetime

    def holds(self, attempt: int, at: datetime) -> bool:
        """Whether this attempt may not be made yet."""
        return self.attempt == attempt and at < self.usable_at


@dataclass(frozen=True, slots=True, kw_only=True)
class UnprovenAccount:
    """The next attempt to pay somebody is not made: the log does not vouch for the account that he has."""

    attempt: int
    doubt: AccountDoubt


class RefundStatus(StrEnum):
    """Lattice: approved < uncertain < submitted < processing, needs attention < processed | failed.

    What the processor needs attention for may go on processing. What was not sent when a chargeback took the money back
    is cancelled; if it was sent all the same, it goes on from there.
    """

    APPROVED = "approved"
    UNCERTAIN = "uncertain"
    SUBMITTED = "submitted"
    PROCESSING = "processing"
    NEEDS_ATTENTION = "needs_attention"
    PROCESSED = "processed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """True while the processor may still send it."""
        return self not in {RefundStatus.PROCESSED, RefundStatus.FAILED, RefundStatus.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAccount:
    """Where staff said that a refund is to go; `refusal` is why the processor did not take it."""

    content_id: UUID
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One order to give money back; `reference` stands in the processor's merchant note and is its id here.

    `charge_id` names the charge of stray money that it returns. A chargeback took `taken_minor` of it; `contested_by`
    took `contested_minor` of the same money while it was on its way. `waits_for_balance`: that was too low so far;
    `doubt`: why it was last uncertain; `paid_by`: which payout or dispute paid it instead. The last account counts.
    """

    reference: str
    amount_minor: int
    status: RefundStatus
    basis: Basis
    charge_reference: str
    currency: Currency
    charge_id: str | None = None
    processor_refund_id: str | None = None
    source: Account | None = None
    failure: str | None = None
    waits_for_balance: bool = False
    doubt: str | None = None
    paid_by: str | None = None
    contested_by: str | None = None
    contested_minor: int = 0
    taken_minor: int = 0
    accounts: tuple[GivenAccount, ...] = ()

    @property
    def is_owed(self) -> bool:
        """True when it will not be sent, and nothing has paid it in another way."""
        return self.will_not_be_sent and self.paid_by is None

    @property
    def is_contested(self) -> bool:
        """True when the payer's bank has taken of the same money: what is not sent is not sent any more."""
        return self.contested_minor > 0

    @property
    def will_not_be_sent(self) -> bool:
        """True when the processor will not send it: what is owed of it goes to the buyer by transfer."""
        return self.status in {RefundStatus.FAILED, RefundStatus.CANCELLED}

    @property
    def is_unpaid(self) -> bool:
        """True when it failed and nothing has paid it in another way: it is still owed."""
        return self.status is RefundStatus.FAILED and self.paid_by is None

    @property
    def is_of_price(self) -> bool:
        """True when it gives back what was paid for the sale; the return of stray money is not part of that."""
        return self.basis is not Basis.MISMATCH


class DisputeSource(StrEnum):
    """Who opened the dispute."""

    BUYER = "buyer"
    SELLER = "seller"
    ADMIN = "admin"
    PROCESSOR = "processor"


class DisputeCategory(StrEnum):
    """What the dispute is about."""

    NOT_WORKING = "not_working"
    PAYMENT_NOT_RECEIVED = "payment_not_received"
    ACCESS_LOST = "access_lost"
    PLATFORM_BAN = "platform_ban"
    CHARGEBACK = "chargeback"
    FRAUD = "fraud"


class Finding(StrEnum):
    """Who is at fault, from the runbook's decision matrix, or how a chargeback ended."""

    BUYER = "buyer"
    SELLER = "seller"
    PLATFORM = "platform"
    UNCLEAR = "unclear"
    PROCESSOR_WON = "processor_won"
    PROCESSOR_LOST = "processor_lost"
    WITHDRAWN = "withdrawn"


class AnswerStatus(StrEnum):
    """Lattice: ordered < refused < sent, because a person may answer what the processor refused from us."""

    ORDERED = "ordered"
    REFUSED = "refused"
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeAnswer:
    """What the processor is told about its dispute; without evidence of ours it was a person who answered there.

    `evidence_version` is the version of the transaction up to which its events are the evidence.
    """

    status: AnswerStatus
    resolution: str
    template_version: str | None = None
    evidence_version: int | None = None
    evidence_sha256: str | None = None
    evidence_refs: tuple[str, ...] = ()
    ordered_at: datetime | None = None
    answered_at: datetime | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A disagreement about this transaction; `finding` is None while it is open.

    One of the processor's is of the charge that paid the price and no more, unless `charge_id` names its charge.
    """

    dispute_id: UUID
    source: DisputeSource
    category: DisputeCategory
    opened_at: datetime
    opened_by: str
    escalated: bool = False
    finding: Finding | None = None
    closed_by_force: bool = False
    processor_dispute_id: str | None = None
    charge_id: str | None = None
    charge_reference: str | None = None
    due_at: datetime | None = None
    answer: DisputeAnswer | None = None

    @property
    def is_open(self) -> bool:
        """True until somebody decided it, or its opener withdrew it."""
        return self.finding is None

    def is_completed_by(self, charge_id: str | None, charge_reference: str | None) -> bool:
        """True when this is the reference of the charge that was named by its number only."""
        is_same = self.charge_id is not None and self.charge_id == charge_id
        return is_same and self.charge_reference is None and charge_reference is not None

    @property
    def is_answered(self) -> bool:
        """True once the processor has an answer to its dispute."""
        return self.answer is not None and self.answer.status is AnswerStatus.SENT

    @property
    def is_decided(self) -> bool:
        """True when somebody decided it; a dispute that was withdrawn was not."""
        return self.finding is not None and self.finding is not Finding.WITHDRAWN

    @property
    def is_decided_by_staff(self) -> bool:
        """True when a person judged it: force, or the end of a chargeback, says nothing about who is at fault."""
        return self.is_decided and not self.closed_by_force and self.source is not DisputeSource.PROCESSOR


class ApprovalStatus(StrEnum):
    """Where a request for a second pair of eyes stands."""

    REQUESTED = "requested"
    GRANTED = "granted"
    REJECTED = "rejected"
    EXPIRED = "expired"


class ApprovalAction(StrEnum):
    """What may need a second pair of eyes."""

    RELEASE = "release"
    REFUND = "refund"
    RESOLVE = "resolve"
    COMPENSATE = "compensate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What staff want to do with the money: carried out at once, or when a second super_admin has agreed.

    `purpose` and `recipient` are of a release, which pays out what is due to somebody, or releases what is held: then
    both are None. Dispute, finding, shares and compensation are of a resolution.
    """

    action: ApprovalAction
    amount_minor: int
    reason: str
    purpose: PayoutPurpose | None = None
    recipient: str | None = None
    dispute_id: UUID | None = None
    finding: Finding | None = None
    to_buyer_minor: int | None = None
    to_seller_minor: int | None = None
    compensation_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a request rests on besides the money, as it was when it was asked for.

    `doubt` is that about the account of whoever is paid, None when there is none. `disputed_by` are those who had a
    dispute open, all of which force or an award closes; `is_stated` is whether the buyer had said that he has access.
    """

    doubt: UnprovenAccount | None
    disputed_by: frozenset[str]
    is_stated: bool

    def cover(self, found: "Grounds") -> bool:
        """Whether what is found now is no other case; that somebody has taken his dispute back makes it none."""
        return replace(found, disputed_by=self.disputed_by) == self and found.disputed_by <= self.disputed_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(Decision):
    """A decision that waits for a second super_admin; void when the transaction changes meanwhile.

    One without `grounds` was asked for before a request said whose payout it is, and is void.
    """

    approval_id: UUID
    requested_by: str
    requested_at: datetime
    at_version: int
    expires_at: datetime
    status: ApprovalStatus
    grounds: Grounds | None = None
