"""Looking into the inbox, and putting deliveries back into it.

To work a delivery off again is always harmless: it is a hint to ask the processor, and what it says is applied once.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from database.connect import Pool
from database.queries import load
from domain.errors import NotFound
from projections.page import fetch_all, fetch_one

SQL = load("reactions", "deliveries.sql")
MOST_AT_ONCE = 10_000


class DeliveryOutcome(StrEnum):
    """What became of a delivery: it waits, it failed and is tried again, or it is done with."""

    WAITING = "waiting"
    FAILING = "failing"
    APPLIED = "applied"
    UNMATCHED = "unmatched"
    IGNORED = "ignored"


class DeliveryRow(NamedTuple):
    """A delivery without its body; `deliveries` counts how often the same bytes came."""

    id: int
    received_at: datetime
    event: str
    reference: str | None
    outcome: str
    deliveries: int
    attempts: int
    next_attempt_at: datetime
    processed_at: datetime | None
    transaction_id: UUID | None
    error: str | None
    body_sha256: str


class Body(NamedTuple):
    """The bytes as they were delivered; they hold the payer's details, and are empty once a party was erased."""

    body: bytes


class PutBack(NamedTuple):
    """A delivery that will be worked off again."""

    id: int


class RefusedRow(NamedTuple):
    """How many deliveries of a minute had a wrong signature, and the hash of the last of them."""

    minute: datetime
    refused: int
    last_body_sha256: str


async def list_deliveries(
    pool: Pool,
    *,
    outcome: DeliveryOutcome | None = None,
    since: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[DeliveryRow]:
    """Return deliveries, newest first; `before` is the id of the last one of the page before."""
    parameters = {"outcome": outcome, "since": since, "before": before, "limit": limit, "id": None}
    return await fetch_all(pool, DeliveryRow, SQL.list, parameters)


async def get_delivery(pool: Pool, delivery_id: int) -> DeliveryRow:
    """Return one delivery. Raises NotFound."""
    parameters = {"outcome": None, "since": None, "before": None, "limit": 1, "id": delivery_id}
    found = await fetch_one(pool, DeliveryRow, SQL.list, parameters)
    if found is None:
        raise NotFound
    return found


async def get_body(pool: Pool, delivery_id: int) -> bytes:
    """Return the bytes of a delivery. Raises NotFound."""
    found = await fetch_one(pool, Body, SQL.get_body, {"id": delivery_id})
    if found is None:
        raise NotFound
    return found.body


async def erase_bodies(pool: Pool, user_id: UUID) -> None:
    """Empty what the processor sent about somebody, of both parties of his sales; again changes nothing.

    Nothing reads a body but a person who looks into it: a delivery is worked off by its other columns. To be called
    with the read models as far as the log, and while his address is known.
    """
    async with pool.connection() as connection:
        await connection.execute(SQL.erase_bodies, {"user_id": user_id})


async def put_back(pool: Pool, delivery_ids: Sequence[int], at: datetime) -> list[int]:
    """Let the worker work these deliveries off again, from the time `at`; return those that exist."""
    found = await fetch_all(pool, PutBack, SQL.put_back, {"ids": list(delivery_ids), "at": at})
    return sorted(each.id for each in found)


async def list_refused(pool: Pool, *, since: datetime | None = None, limit: int = 50) -> list[RefusedRow]:
    """Return the minutes in which signatures were wrong, newest first."""
    return await fetch_all(pool, RefusedRow, SQL.list_refused, {"since": since, "limit": limit})
