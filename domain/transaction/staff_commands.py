"""The commands of staff to a transaction: notes, force, resolutions, approvals, and what a seller owes back."""

from dataclasses import dataclass
from uuid import UUID

from domain.aggregate import Aggregate
from domain.command import Stream
from domain.listing import Listing
from domain.transaction import Transaction
from domain.transaction.commands import TransactionCommand
from domain.transaction.dispute import Award
from domain.transaction.opening import listing_stream
from domain.transaction.records import Finding, PayoutPurpose
from domain.transaction.refund import RefundReport
from domain.transaction.transfer import TransferReport


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote(TransactionCommand):
    """Staff write down what they did and why."""

    text: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.add_note`."""
        aggregate.add_note(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceRelease(TransactionCommand):
    """A super_admin releases, or pays out again; `limit_usd_cents` is what one person may move alone.

    `purpose` says whose payout is meant, and has to where there is a recipient or more than one thing is due.
    """

    reason: str
    purpose: PayoutPurpose | None = None
    recipient: str | None = None
    limit_usd_cents: int | None

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.force_release`."""
        aggregate.force_release(self.reason, self.purpose, self.recipient, self.limit_usd_cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForceRefund(TransactionCommand):
    """A super_admin refunds all or a part; `limit_usd_cents` is what one person may move alone."""

    reason: str
    amount_minor: int | None = None
    limit_usd_cents: int | None

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.force_refund`."""
        aggregate.force_refund(self.reason, self.amount_minor, self.limit_usd_cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensate(TransactionCommand):
    """A super_admin compensates the buyer after the platform was found at fault."""

    amount_minor: int
    reason: str
    limit_usd_cents: int | None

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.compensate`."""
        aggregate.compensate(self.amount_minor, self.reason, self.limit_usd_cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateDispute(TransactionCommand):
    """Staff hand the decision to a super_admin."""

    dispute_id: UUID
    reason: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.escalate_dispute`."""
        aggregate.escalate_dispute(self.dispute_id, self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectApproval(TransactionCommand):
    """A super_admin disagrees."""

    approval_id: UUID
    reason: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.reject_approval`."""
        aggregate.reject_approval(self.approval_id, self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverInCash(TransactionCommand):
    """The seller paid back into the processor's balance."""

    amount_minor: int
    reason: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.recover_in_cash`."""
        aggregate.recover_in_cash(self.amount_minor, self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff(TransactionCommand):
    """The platform gives up what the seller owes."""

    amount_minor: int
    reason: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.write_off`."""
        aggregate.write_off(self.amount_minor, self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeOtp(TransactionCommand):
    """A super_admin is about to type the one-time password of a transfer."""

    reference: str | None = None
    reason: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.type_otp`."""
        aggregate.type_otp(self.reference, self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalizePayout(TransactionCommand):
    """The processor took the one-time password that a super_admin typed."""

    reason: str
    report: TransferReport

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.finalize_payout`."""
        aggregate.finalize_payout(self.reason, self.report)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseOtp(TransactionCommand):
    """The processor did not take the one-time password that a super_admin typed."""

    refusal: str
    report: TransferReport

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.refuse_otp`."""
        aggregate.refuse_otp(self.refusal, self.report)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOtp(TransactionCommand):
    """A super_admin is about to have the one-time password of a transfer sent again."""

    reference: str | None = None

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.order_otp`."""
        aggregate.order_otp(self.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendOtp(TransactionCommand):
    """The processor has sent the one-time password of a transfer again."""

    reference: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.resend_otp`."""
        aggregate.resend_otp(self.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveRefundAccount(TransactionCommand):
    """A super_admin is about to say where a refund is to go."""

    reference: str | None = None
    reason: str
    content_id: UUID
    content_sha256: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.give_refund_account`."""
        aggregate.give_refund_account(self.reference, self.reason, self.content_id, self.content_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRefund(TransactionCommand):
    """The processor took the account that a super_admin gave for a refund."""

    reason: str
    content_id: UUID
    content_sha256: str
    report: RefundReport

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.retry_refund`."""
        aggregate.retry_refund(self.reason, self.content_id, self.content_sha256, self.report)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseRefundAccount(TransactionCommand):
    """The processor did not take the account that a super_admin gave for a refund."""

    content_id: UUID
    refusal: str
    report: RefundReport

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.refuse_refund_account`."""
        aggregate.refuse_refund_account(self.content_id, self.refusal, self.report)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveDispute(TransactionCommand):
    """Staff decide a dispute; a seller at fault loses the listing in the same append."""

    dispute_id: UUID
    award: Award
    limit_usd_cents: int | None

    def related(self, aggregate: Transaction) -> tuple[Stream, ...]:
        """The listing, when the seller is found at fault."""
        return (listing_stream(aggregate.listing_id),) if self.award.finding is Finding.SELLER else ()

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.resolve_dispute`; the listing goes only when the decision was carried out."""
        aggregate.resolve_dispute(self.dispute_id, self.award, self.limit_usd_cents)
        remove_at_fault(aggregate, self.dispute_id, self.award.reason, *related)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantApproval(TransactionCommand):
    """A second super_admin agrees."""

    approval_id: UUID

    def related(self, aggregate: Transaction) -> tuple[Stream, ...]:
        """The listing, when the decision finds the seller at fault."""
        request = aggregate.approvals.get(self.approval_id)
        at_fault = request is not None and request.finding is Finding.SELLER
        return (listing_stream(aggregate.listing_id),) if at_fault else ()

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.grant_approval`."""
        aggregate.grant_approval(self.approval_id)
        request = aggregate.approvals[self.approval_id]
        if request.dispute_id is not None:
            remove_at_fault(aggregate, request.dispute_id, request.reason, *related)


def remove_at_fault(transaction: Transaction, dispute_id: UUID, reason: str, *related: Aggregate) -> None:
    """Remove the listing of a seller whom a dispute has found at fault."""
    if transaction.disputes[dispute_id].finding is Finding.SELLER:
        for listing in related:
            assert isinstance(listing, Listing)
            listing.remove_for_fault(reason)
