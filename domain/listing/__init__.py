"""A listing: an account offered for sale, vetted, reserved for one live transaction at a time, then sold or removed."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from domain.actor import PARTIES, STAFF, Actor, Role
from domain.aggregate import Aggregate
from domain.errors import EscrowError, Forbidden, NotFound, Refused
from domain.event import CreatedEvent, Event
from domain.listing.proof import MOST_PROOFS, Proof, ProofAttached, ProofRemoved, TooManyProofs
from domain.listing.sale import ListingFreed, ListingNotForSale, ListingRemoved, ListingReserved, ListingSold
from domain.listing.status import EDITABLE, FINAL, ListingStatus
from domain.listing.vetting import (
    ListingApproved,
    ListingInfoRequested,
    ListingNotDecidable,
    ListingRejected,
    ListingSubmitted,
)
from domain.money import AmountNotPositive, Money, require_payable
from domain.reason import require_reason


class ListingNotEditable(Refused):
    """Only a draft, or a listing that staff sent back, can be changed; what is offered stays as it was vetted."""

    code = "listing_not_editable"


class CredentialsMissing(Refused):
    """The seller has not deposited the credentials yet."""

    code = "credentials_missing"


class ListingDrafted(CreatedEvent):
    """A seller offers an account; what he wrote stands in the erasable contents under `content_id`."""

    TOPIC = "listing.drafted.v1"
    seller_id: UUID
    price: Money
    content_id: UUID
    content_sha256: str


class ListingRevised(Event):
    """The seller changed price or text."""

    TOPIC = "listing.revised.v1"
    price: Money
    content_id: UUID
    content_sha256: str

    def apply(self, aggregate: "Listing") -> None:
        """A revised listing has to be submitted again."""
        aggregate.price = self.price
        aggregate.content_id = self.content_id
        aggregate.content_sha256 = self.content_sha256
        aggregate.status = ListingStatus.DRAFT


class DepositAttached(Event):
    """The credentials for this listing are sealed in the vault."""

    TOPIC = "listing.deposit_attached.v1"
    vault_id: UUID

    def apply(self, aggregate: "Listing") -> None:
        """The newest deposit is the one that is sold."""
        aggregate.vault_id = self.vault_id


class ListingDepositLost(Event):
    """Nothing opens the deposit any more: the seller may make another, and until then the listing is not for sale."""

    TOPIC = "listing.deposit_lost.v1"
    vault_id: UUID

    def apply(self, aggregate: "Listing") -> None:
        """There is nothing to hand over."""
        aggregate.vault_id = None


class Listing(Aggregate):
    """What is offered, by whom, for how much, and whether it can be bought now."""

    TOPIC = "listing"

    def __init__(self, seller_id: UUID, price: Money, content_id: UUID, content_sha256: str) -> None:
        self.seller_id = seller_id
        self.price = price
        self.content_id = content_id
        self.content_sha256 = content_sha256
        self.status = ListingStatus.DRAFT
        self.vault_id: UUID | None = None
        self.transaction_id: UUID | None = None
        self.reason: str | None = None
        self.proofs: dict[UUID, Proof] = {}

    @property
    def state(self) -> str:
        """The status in lower case."""
        return self.status.value

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        """Return what `actor` can do with the listing now."""
        return tuple(name for name, check in _ACTIONS.items() if _passes(self, check, actor))

    def revise(self, price: Money, content_id: UUID, content_sha256: str) -> None:
        """The seller changes price or text of a draft, or of a listing that staff sent back."""
        self.check_editable(self.actor)
        require_price(price)
        self.record(ListingRevised, price=price, content_id=content_id, content_sha256=content_sha256)

    def attach_deposit(self, vault_id: UUID) -> None:
        """The seller's credentials were sealed; allowed until it is vetted, and again after they were lost."""
        self.check_depositable(self.actor)
        self.record(DepositAttached, vault_id=vault_id)

    def lose_deposit(self, vault_id: UUID) -> None:
        """A reaction found that nothing opens this deposit any more; another deposit, or a second time, is no news."""
        self._require_system()
        if self.vault_id == vault_id and self.status not in FINAL:
            self.record(ListingDepositLost, vault_id=vault_id)

    def attach_proof(self, proof_id: UUID, sha256: str, media_type: str, size_bytes: int) -> None:
        """The seller's file was stored; the same file again changes nothing."""
        self.check_editable(self.actor)
        if self.find_proof(sha256) is not None:
            return
        if len(self.proofs) >= MOST_PROOFS:
            raise TooManyProofs
        self.record(ProofAttached, proof_id=proof_id, sha256=sha256, media_type=media_type, size_bytes=size_bytes)

    def remove_proof(self, proof_id: UUID) -> None:
        """The seller takes a file away."""
        self.check_editable(self.actor)
        if proof_id not in self.proofs:
            raise NotFound
        self.record(ProofRemoved, proof_id=proof_id)

    def find_proof(self, sha256: str) -> Proof | None:
        """Return the proof with this hash, if there is one."""
        return next((proof for proof in self.proofs.values() if proof.sha256 == sha256), None)

    def submit(self) -> None:
        """The seller asks for vetting; the credentials must be deposited by then."""
        self.check_submittable(self.actor)
        self.record(ListingSubmitted)

    def approve(self) -> None:
        """Staff let the listing be sold."""
        self.check_decidable(self.actor)
        self.record(ListingApproved)

    def reject(self, reason: str) -> None:
        """Staff refuse the listing and say why."""
        self.check_decidable(self.actor)
        require_reason(reason)
        self.record(ListingRejected, reason=reason)

    def request_info(self, reason: str) -> None:
        """Staff ask the seller for what they need to decide."""
        self.check_decidable(self.actor)
        require_reason(reason)
        self.record(ListingInfoRequested, reason=reason)

    def remove(self, reason: str) -> None:
        """Staff take the listing away for good; the transaction that holds it goes its own way."""
        self.check_removable(self.actor)
        require_reason(reason)
        self.record(ListingRemoved, reason=reason)

    def remove_for_fault(self, reason: str) -> None:
        """A dispute found the seller at fault: removed for good, in the same append as the finding."""
        if self.status is not ListingStatus.REMOVED:
            self.record(ListingRemoved, reason=reason)

    def reserve(self, transaction_id: UUID) -> None:
        """A buyer opens a transaction: nobody else can, until it ends."""
        if self.status is not ListingStatus.APPROVED:
            raise ListingNotForSale
        self.record(ListingReserved, transaction_id=transaction_id)

    def follow_end(self, transaction_id: UUID, *, sold: bool, shown: bool) -> None:
        """The transaction that reserved the listing ended; anything else is an echo and changes nothing.

        Not sold, yet with its credentials shown, it is removed: what one buyer has seen is never sold to another.
        """
        self._require_system()
        if self.status is not ListingStatus.RESERVED or self.transaction_id != transaction_id:
            return
        if sold:
            self.record(ListingSold, transaction_id=transaction_id)
        elif shown:
            self.record(ListingRemoved, reason="the credentials were shown to a buyer whose money went back")
        else:
            self.record(ListingFreed, transaction_id=transaction_id)

    def check_editable(self, actor: Actor) -> None:
        """Raise unless `actor` is the seller and the listing is a draft or was sent back by staff."""
        self._check_seller(actor)
        if self.status not in EDITABLE:
            raise ListingNotEditable

    def check_depositable(self, actor: Actor) -> None:
        """Raise unless `actor` is the seller, and the listing is editable or waits for another deposit.

        A vetted listing stays vetted: staff never saw what is in a deposit.
        """
        self._check_seller(actor)
        waits = self.vault_id is None and self.status in {ListingStatus.SUBMITTED, ListingStatus.APPROVED}
        if not waits:
            self.check_editable(actor)

    def check_submittable(self, actor: Actor) -> None:
        """Raise unless `actor` is the seller, and there are credentials to sell with the editable listing."""
        self.check_editable(actor)
        if self.vault_id is None:
            raise CredentialsMissing

    def check_decidable(self, actor: Actor) -> None:
        """Raise unless `actor` is staff, not the seller himself, and the listing was submitted."""
        self._check_staff(actor)
        if self.status is not ListingStatus.SUBMITTED:
            raise ListingNotDecidable

    def check_removable(self, actor: Actor) -> None:
        """Raise unless `actor` is staff and the listing is not sold or removed already."""
        self._check_staff(actor)
        if self.status in FINAL:
            raise ListingNotEditable

    def may_see(self, actor: Actor) -> bool:
        """True for the seller and staff always, for everybody else once it was approved."""
        public = {ListingStatus.APPROVED, ListingStatus.RESERVED, ListingStatus.SOLD}
        return self.may_know_reason(actor) or self.status in public

    def may_know_reason(self, actor: Actor) -> bool:
        """True for the seller and for those who work here: what staff wrote is no business of buyers."""
        return actor.id == str(self.seller_id) or actor.role not in PARTIES

    def check_proofs(self, actor: Actor, buyer_id: UUID | None) -> None:
        """Raise unless `actor` may open the proofs: the seller, staff, and the buyer whose transaction has the listing.

        Auditors see that there are proofs and their hashes: files may show people.
        """
        is_buyer = buyer_id is not None and actor.id == str(buyer_id)
        if not (is_buyer or actor.id == str(self.seller_id) or actor.role in STAFF):
            raise Forbidden if self.may_see(actor) else NotFound

    def _require_system(self) -> None:
        if self.actor.role is not Role.SYSTEM:
            raise Forbidden

    def _check_seller(self, actor: Actor) -> None:
        if actor.id != str(self.seller_id):
            raise Forbidden if self.may_see(actor) else NotFound

    def _check_staff(self, actor: Actor) -> None:
        if actor.role not in STAFF or actor.id == str(self.seller_id):
            raise Forbidden if self.may_see(actor) else NotFound


_ACTIONS = {
    "edit": Listing.check_editable,
    "deposit": Listing.check_depositable,
    "attach-proof": Listing.check_editable,
    "submit": Listing.check_submittable,
    "approve": Listing.check_decidable,
    "reject": Listing.check_decidable,
    "request-info": Listing.check_decidable,
    "remove": Listing.check_removable,
}


def _passes(listing: Listing, check: Callable[[Listing, Actor], None], actor: Actor) -> bool:
    try:
        check(listing, actor)
    except EscrowError:
        return False
    return True


def require_price(price: Money) -> None:
    """Raise `AmountNotPositive` for a price of nothing, `CurrencyUnsupported` for one that is never paid out."""
    if price.amount_minor == 0:
        raise AmountNotPositive
    require_payable(price.currency)
