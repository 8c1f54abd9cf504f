"""The program's commands to a transaction: what the processor said, what the clock demands, what a reaction found."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.aggregate import Aggregate
from domain.command import Stream
from domain.restore import PaymentKind
from domain.transaction import Transaction
from domain.transaction.chargeback_answer import AnswerPlan, AnswerReport
from domain.transaction.chargeback_report import ChargebackReport
from domain.transaction.commands import TransactionCommand
from domain.transaction.payment import ConfirmedCharge
from domain.transaction.records import PayoutPurpose
from domain.transaction.refund import RefundReport
from domain.transaction.transfer import TransferReport
from domain.user import AccountDoubt


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
class LoseDeposit(TransactionCommand):
    """Nothing opens the deposit any more."""

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.lose_deposit`."""
        aggregate.lose_deposit()


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
class RecordRefusedQuestion(TransactionCommand):
    """The processor has refused for a while to say what became of something."""

    reference: str
    refusal: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.record_refused_question`."""
        aggregate.record_refused_question(self.reference, self.refusal)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAnsweredQuestion(TransactionCommand):
    """The processor says again what became of it, or nobody asks any more."""

    reference: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.record_answered_question`."""
        aggregate.record_answered_question(self.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginHold(TransactionCommand):
    """The processor has something of the transaction that the log has no place for."""

    external_payment_id: UUID
    kind: PaymentKind
    reference: str

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.begin_hold`."""
        aggregate.begin_hold(self.external_payment_id, self.kind, self.reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndHold(TransactionCommand):
    """It has a place now, nobody was paid by it, or a person let the transaction go."""

    external_payment_id: UUID

    def decide(self, aggregate: Transaction, *related: Aggregate) -> None:
        """Call `Transaction.end_hold`."""
        aggregate.end_hold(self.external_payment_id)


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
