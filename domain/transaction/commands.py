"""The parties' and the program's commands to a transaction: frozen intents, each calling one method."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.aggregate import Aggregate
from domain.command import Command, CreationCommand, Stream
from domain.event import Context
from domain.listing import Listing
from domain.policy import Terms
from domain.transaction import Transaction
from domain.transaction.chargeback import ChargebackReport
from domain.transaction.chargeback_answer import AnswerPlan, AnswerReport
from domain.transaction.opening import UsdRate, listing_stream
from domain.transaction.payment import ConfirmedCharge
from domain.transaction.records import DisputeCategory, PayoutPurpose
from domain.transaction.refund import RefundReport
from domain.transaction.transfer import TransferReport
from domain.transaction.vault import Addendum
from domain.user import AccountDoubt


class TransactionCommand(Command[Transaction]):
    """An intent that concerns one transaction."""

    aggregate_type = Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTransaction(CreationCommand[Transaction]):
    """The buyer reserves a listing."""

    aggregate_type = Transaction
    listing_id: UUID
    rate: UsdRate
    terms: Terms

    def sources(self) -> tuple[Stream, ...]:
        """The listing, which is reserved in the same append."""
        return (listing_stream(self.listing_id),)

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> Transaction:
        """Return the new transaction; raise what `Transaction.open` raises."""
        (listing,) = sources
        assert isinstance(listing, Listing)
        return Transaction.open(stream_id, context, listing, self.rate, self.terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTransaction(TransactionCommand):
    """A party ends the transaction."""

    reason: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.cancel`."""
        aggregate.cancel(self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPayment(TransactionCommand):
    """The buyer asks for a payment page."""

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.request_payment`."""
        aggregate.request_payment()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPaymentLink(TransactionCommand):
    """The processor opened the payment page."""

    reference: str
    authorization_url_sha256: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.record_payment_link`."""
        aggregate.record_payment_link(self.reference, self.authorization_url_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPaymentRefused(TransactionCommand):
    """The processor refused to open a payment page."""

    reference: str
    reason: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.record_payment_refused`."""
        aggregate.record_payment_refused(self.reference, self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCharge(TransactionCommand):
    """A GET confirmed a charge."""

    charge: ConfirmedCharge

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.record_charge`."""
        aggregate.record_charge(self.charge)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateContract(TransactionCommand):
    """The text to be signed."""

    contract_id: UUID
    content_sha256: str
    template_version: str
    buyer_key_fingerprint: str
    seller_key_fingerprint: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.generate_contract`."""
        aggregate.generate_contract(
            self.contract_id,
            self.content_sha256,
            self.template_version,
            self.buyer_key_fingerprint,
            self.seller_key_fingerprint,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignContract(TransactionCommand):
    """A party signs; the seller's signature names the key that the credentials are granted to."""

    content_sha256: str
    name_digest: str
    acknowledgements: tuple[str, ...]
    granted_fingerprint: str | None = None

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.sign_contract`."""
        aggregate.sign_contract(self.content_sha256, self.name_digest, self.acknowledgements, self.granted_fingerprint)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealCredentials(TransactionCommand):
    """The buyer sees the credentials, once."""

    sealed_to: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.reveal`."""
        aggregate.reveal(self.sealed_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeReveal(TransactionCommand):
    """The buyer has what he needs."""

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.acknowledge_reveal`."""
        aggregate.acknowledge_reveal()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmAccess(TransactionCommand):
    """The buyer accepts the account."""

    statements: tuple[str, ...]

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.confirm_access`."""
        aggregate.confirm_access(self.statements)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseDeposit(TransactionCommand):
    """Nothing opens the deposit any more."""

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.lose_deposit`."""
        aggregate.lose_deposit()


@dataclass(frozen=True, slots=True, kw_only=True)
class MissReveal(TransactionCommand):
    """The buyer did not get the credentials that were shown."""

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.miss_reveal`."""
        aggregate.miss_reveal()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceDeposit(TransactionCommand):
    """The seller granted a deposit to the buyer in place of a lost one."""

    vault_id: UUID
    addendum: Addendum

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.replace_deposit`."""
        aggregate.replace_deposit(self.vault_id, self.addendum)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendInspection(TransactionCommand):
    """The seller or staff give the buyer more time."""

    seconds: int
    reason: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.extend_inspection`."""
        aggregate.extend_inspection(self.seconds, self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDispute(TransactionCommand):
    """A party or staff disagree."""

    dispute_id: UUID
    category: DisputeCategory
    statement_id: UUID | None = None
    statement_sha256: str | None = None

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.open_dispute`."""
        aggregate.open_dispute(self.dispute_id, self.category, self.statement_id, self.statement_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawDispute(TransactionCommand):
    """Its opener takes a dispute back."""

    dispute_id: UUID

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.withdraw_dispute`."""
        aggregate.withdraw_dispute(self.dispute_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStatement(TransactionCommand):
    """The buyer states that he has access."""

    content_id: UUID
    content_sha256: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.record_statement`."""
        aggregate.record_statement(self.content_id, self.content_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforceDeadline(TransactionCommand):
    """A recorded deadline has passed."""

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.enforce_deadline`."""
        aggregate.enforce_deadline()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendDeadlines(TransactionCommand):
    """An outage lengthens every running deadline."""

    seconds: int
    reason: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.extend_deadlines`."""
        aggregate.extend_deadlines(self.seconds, self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithholdPayable(TransactionCommand):
    """What this sale owes the seller pays first what he owes on another one."""

    owing_transaction_id: UUID

    def related(self, aggregate: Transaction) -> tuple[Stream, ...]:
        """The sale that he owes on, which changes in the same append."""
        return (Stream(Transaction, self.owing_transaction_id),)

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.withhold_for`."""
        (owing,) = related
        assert isinstance(owing, Transaction)
        aggregate.withhold_for(owing)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPayout(TransactionCommand):
    """What is payable is to be transferred."""

    purpose: PayoutPurpose
    recipient: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.request_payout_by_system`."""
        aggregate.request_payout_by_system(self.purpose, self.recipient)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitForAccount(TransactionCommand):
    """The account of whoever is to be paid is too new."""

    purpose: PayoutPurpose
    usable_at: datetime

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.wait_for_account`."""
        aggregate.wait_for_account(self.purpose, self.usable_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrustAccount(TransactionCommand):
    """The account of whoever is to be paid is not the one that he named."""

    purpose: PayoutPurpose
    doubt: AccountDoubt

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.distrust_account`."""
        aggregate.distrust_account(self.purpose, self.doubt)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTransfer(TransactionCommand):
    """The processor said something about a transfer."""

    report: TransferReport

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.record_transfer`."""
        aggregate.record_transfer(self.report)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRefund(TransactionCommand):
    """The processor said something about a refund."""

    report: RefundReport

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.record_refund`."""
        aggregate.record_refund(self.report)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChargeback(TransactionCommand):
    """The processor said something about its dispute."""

    report: ChargebackReport

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.record_chargeback`."""
        aggregate.record_chargeback(self.report)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnswer(TransactionCommand):
    """The processor's dispute is to be declined, with evidence from the log."""

    plan: AnswerPlan

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.order_answer`."""
        aggregate.order_answer(self.plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAnswer(TransactionCommand):
    """The processor took the answer to its dispute, or refused it."""

    report: AnswerReport

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.record_answer`."""
        aggregate.record_answer(self.report)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnReceipts(TransactionCommand):
    """Money in suspense goes back to its payer."""

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.return_receipts`."""
        aggregate.return_receipts()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordNotice(TransactionCommand):
    """Somebody was told of something, or could not be."""

    template: str
    channel: str
    user_ids: tuple[UUID, ...]
    outcome: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.record_notice`."""
        aggregate.record_notice(self.template, self.channel, self.user_ids, self.outcome)
