"""Depositing again in the middle of a sale: a new deposit and its place in the transaction, in one append."""

from dataclasses import dataclass
from uuid import UUID

from domain.aggregate import Aggregate
from domain.command import CreationCommand, Stream
from domain.event import Context
from domain.transaction import Transaction
from domain.transaction.vault import Addendum
from domain.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class RedepositCredentials(CreationCommand[Vault]):
    """The seller seals credentials anew and has granted them to the buyer."""

    aggregate_type = Vault
    transaction_id: UUID
    ciphertext: bytes
    commitment_sha256: str
    suite: str
    addendum: Addendum

    def sources(self) -> tuple[Stream, ...]:
        """The transaction that waits for it."""
        return (Stream(Transaction, self.transaction_id),)

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> Vault:
        """Return the sealed deposit; raise what `Transaction.replace_deposit` raises."""
        (transaction,) = sources
        assert isinstance(transaction, Transaction)
        with transaction.acting(context):
            transaction.replace_deposit(stream_id, self.addendum)
        return Vault.seal(
            stream_id,
            context,
            listing_id=transaction.listing_id,
            seller_id=transaction.seller_id,
            ciphertext=self.ciphertext,
            commitment_sha256=self.commitment_sha256,
            suite=self.suite,
            seller_key_fingerprint=self.addendum.seller_key_fingerprint,
        )
