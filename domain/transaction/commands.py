"""The parties' commands to a transaction: frozen intents, each calling one method."""

from dataclasses import dataclass
from uuid import UUID

from domain.aggregate import Aggregate
from domain.command import Command, CreationCommand, Stream
from domain.event import Context
from domain.listing import Listing
from domain.policy import Terms
from domain.transaction import Transaction
from domain.transaction.opening import UsdRate, listing_stream
from domain.transaction.records import DisputeCategory
from domain.transaction.vault import Addendum


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
