"""The `proofs` table: files that show that a listing is what its seller says, by their hash."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from database.connect import Pool
from database.queries import load
from eventstore.converter import text_of
from eventstore.log import RecordedEvent
from projections.page import fetch_all
from projections.projection import Change, at_field, project
from projections.rows import Rows, Table

SQL = load("projections", "proof.sql")


class ProofRow(NamedTuple):
    """A row of `proofs`; `removed_at` is when its seller took it away."""

    id: UUID
    listing_id: UUID
    sha256: str
    media_type: str
    size_bytes: int
    attached_at: datetime
    removed_at: datetime | None
    position: int


class ProofCount(NamedTuple):
    """How many proofs of one media type a listing has."""

    listing_id: UUID
    media_type: str
    amount: int


PROOF = Table(name="proofs", key=("id",), columns=ProofRow._fields)


async def count_proofs(pool: Pool, listing_ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, int]]:
    """Return, for listings that have any, how many proofs of each media type there are."""
    rows = await fetch_all(pool, ProofCount, SQL.count, {"listing_ids": list(listing_ids)})
    counted: dict[UUID, dict[str, int]] = {}
    for row in rows:
        counted.setdefault(row.listing_id, {})[row.media_type] = row.amount
    return counted


def attach(event: RecordedEvent, rows: Rows) -> None:
    """The seller has put a file to the listing."""
    data = event.data
    rows.put(
        PROOF.name,
        {
            "id": data["proof_id"],
            "listing_id": text_of(event.stream_id),
            "sha256": data["sha256"],
            "media_type": data["media_type"],
            "size_bytes": data["size_bytes"],
            "attached_at": data["timestamp"],
            "removed_at": None,
            "position": event.position,
        },
    )


def remove(event: RecordedEvent, rows: Rows) -> None:
    """The seller took it away."""
    data = event.data
    rows.change(PROOF.name, str(data["proof_id"]), removed_at=data["timestamp"], position=event.position)


PROOFS = project(
    "proofs",
    1,
    (PROOF,),
    SQL,
    {
        "listing.proof_attached.v1": Change(attach),
        "listing.proof_removed.v1": Change(remove, at_field(PROOF, "proof_id")),
    },
)
