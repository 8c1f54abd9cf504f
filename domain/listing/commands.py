"""The commands to a listing: frozen intents, each calling one method."""

from dataclasses import dataclass
from uuid import UUID

from domain.actor import Role
from domain.aggregate import Aggregate
from domain.command import Command, CreationCommand, Stream
from domain.errors import Forbidden
from domain.event import Context
from domain.listing import Listing, ListingDrafted, require_price
from domain.money import Money
from domain.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftListing(CreationCommand[Listing]):
    """A seller starts a listing."""

    aggregate_type = Listing
    seller_id: UUID
    price: Money
    content_id: UUID
    content_sha256: str

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> Listing:
        """Return the draft; raise `AmountNotPositive`, `CurrencyUnsupported` or `Forbidden`."""
        if context.actor.role is not Role.SELLER or context.actor.id != str(self.seller_id):
            raise Forbidden
        require_price(self.price)
        return Listing.start(
            ListingDrafted,
            stream_id,
            context,
            seller_id=self.seller_id,
            price=self.price,
            content_id=self.content_id,
            content_sha256=self.content_sha256,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviseListing(Command[Listing]):
    """The seller changes price or text."""

    aggregate_type = Listing
    price: Money
    content_id: UUID
    content_sha256: str

    def decide(self, aggregate: Listing, *related: Aggregate) -> None:
        """Call `Listing.revise`."""
        aggregate.revise(self.price, self.content_id, self.content_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachProof(Command[Listing]):
    """The seller puts a file, which is stored, to the listing."""

    aggregate_type = Listing
    proof_id: UUID
    sha256: str
    media_type: str
    size_bytes: int

    def decide(self, aggregate: Listing, *related: Aggregate) -> None:
        """Call `Listing.attach_proof`."""
        aggregate.attach_proof(self.proof_id, self.sha256, self.media_type, self.size_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveProof(Command[Listing]):
    """The seller takes a file away."""

    aggregate_type = Listing
    proof_id: UUID

    def decide(self, aggregate: Listing, *related: Aggregate) -> None:
        """Call `Listing.remove_proof`."""
        aggregate.remove_proof(self.proof_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitListing(Command[Listing]):
    """The seller asks for vetting."""

    aggregate_type = Listing

    def decide(self, aggregate: Listing, *related: Aggregate) -> None:
        """Call `Listing.submit`."""
        aggregate.submit()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveListing(Command[Listing]):
    """Staff let the listing be sold."""

    aggregate_type = Listing

    def decide(self, aggregate: Listing, *related: Aggregate) -> None:
        """Call `Listing.approve`."""
        aggregate.approve()


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectListing(Command[Listing]):
    """Staff refuse the listing."""

    aggregate_type = Listing
    reason: str

    def decide(self, aggregate: Listing, *related: Aggregate) -> None:
        """Call `Listing.reject`."""
        aggregate.reject(self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInfo(Command[Listing]):
    """Staff ask the seller for more before they decide."""

    aggregate_type = Listing
    reason: str

    def decide(self, aggregate: Listing, *related: Aggregate) -> None:
        """Call `Listing.request_info`."""
        aggregate.request_info(self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveListing(Command[Listing]):
    """Staff take the listing away for good."""

    aggregate_type = Listing
    reason: str

    def decide(self, aggregate: Listing, *related: Aggregate) -> None:
        """Call `Listing.remove`."""
        aggregate.remove(self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseListedDeposit(Command[Listing]):
    """A reaction: nothing opens the deposit of the listing any more."""

    aggregate_type = Listing
    vault_id: UUID

    def decide(self, aggregate: Listing, *related: Aggregate) -> None:
        """Call `Listing.lose_deposit`."""
        aggregate.lose_deposit(self.vault_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowTransactionEnd(Command[Listing]):
    """A reaction: the transaction that reserved the listing has ended."""

    aggregate_type = Listing
    transaction_id: UUID
    sold: bool
    shown: bool

    def decide(self, aggregate: Listing, *related: Aggregate) -> None:
        """Call `Listing.follow_end`."""
        aggregate.follow_end(self.transaction_id, sold=self.sold, shown=self.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositCredentials(CreationCommand[Vault]):
    """The seller seals credentials: a vault stream of its own, attached to the listing in the same append."""

    aggregate_type = Vault
    listing_id: UUID
    ciphertext: bytes
    commitment_sha256: str
    suite: str
    seller_key_fingerprint: str

    def sources(self) -> tuple[Stream, ...]:
        """The listing that the deposit is for."""
        return (Stream(Listing, self.listing_id),)

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> Vault:
        """Return the sealed deposit; raise what `Listing.attach_deposit` raises."""
        (listing,) = sources
        assert isinstance(listing, Listing)
        with listing.acting(context):
            listing.attach_deposit(stream_id)
        return Vault.seal(
            stream_id,
            context,
            listing_id=self.listing_id,
            seller_id=listing.seller_id,
            ciphertext=self.ciphertext,
            commitment_sha256=self.commitment_sha256,
            suite=self.suite,
            seller_key_fingerprint=self.seller_key_fingerprint,
        )
