"""Proofs: files that show that a listing is what its seller says. The log has their hash, the storage the files."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from domain.errors import Refused
from domain.event import Event

if TYPE_CHECKING:
    from domain.listing import Listing

MOST_PROOFS = 20


class TooManyProofs(Refused):
    """A listing has room for 20 proofs: take one away first."""

    code = "too_many_proofs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One file by its hash; what it is called and what it holds stand outside the log, and can be erased."""

    proof_id: UUID
    sha256: str
    media_type: str
    size_bytes: int
    attached_at: datetime


class ProofAttached(Event):
    """The seller has put a file to the listing; it was stored before."""

    TOPIC = "listing.proof_attached.v1"
    proof_id: UUID
    sha256: str
    media_type: str
    size_bytes: int

    def apply(self, aggregate: "Listing") -> None:
        """Whoever vets or buys can see it."""
        aggregate.proofs[self.proof_id] = Proof(
            proof_id=self.proof_id,
            sha256=self.sha256,
            media_type=self.media_type,
            size_bytes=self.size_bytes,
            attached_at=self.timestamp,
        )


class ProofRemoved(Event):
    """The seller has taken a file away before the listing was vetted."""

    TOPIC = "listing.proof_removed.v1"
    proof_id: UUID

    def apply(self, aggregate: "Listing") -> None:
        """Nobody sees it any more."""
        del aggregate.proofs[self.proof_id]
