"""Proofs: the facts from the log, the name from the erasable table."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from api.files.media import MediaType
from domain.listing.proof import Proof


class ProofItem(BaseModel):
    """A file that shows that the listing is what it says; `name` is null once it was erased."""

    id: UUID
    kind: str
    media_type: str
    size_bytes: int
    sha256: str
    name: str | None
    attached_at: datetime

    @classmethod
    def of(cls, proof: Proof, name: str | None) -> "ProofItem":
        """Show one proof."""
        return cls(
            id=proof.proof_id,
            kind=MediaType(proof.media_type).kind,
            media_type=proof.media_type,
            size_bytes=proof.size_bytes,
            sha256=proof.sha256,
            name=name,
            attached_at=proof.attached_at,
        )


class ProofsView(BaseModel):
    """The proofs of a listing, in the order in which they were attached."""

    items: list[ProofItem]


def count_kinds(amounts: Mapping[str, int]) -> dict[str, int]:
    """Return how many proofs there are of each kind, from amounts by media type: what everybody may know."""
    kinds: dict[str, int] = {}
    for media_type, amount in sorted(amounts.items()):
        kind = MediaType(media_type).kind
        kinds[kind] = kinds.get(kind, 0) + amount
    return kinds
