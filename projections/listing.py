"""The `listings` table: what is offered, by whom, for how much, and whether it can be bought now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import NamedTuple, cast
from uuid import UUID

from psycopg import sql

from database.connect import Pool
from database.queries import load
from eventstore.converter import JSON, text_of
from eventstore.log import RecordedEvent
from projections.page import Moment, fetch_all
from projections.projection import Change, at_stream, project
from projections.rows import Row, Rows, Table

SQL = load("projections", "listing.sql")


class ListingRow(NamedTuple):
    """A row of `listings`; `amount_minor` is the price in minor units of `currency`.

    `reason` is why it was refused or removed, or what staff ask.
    """

    id: UUID
    seller_id: UUID
    state: str
    currency: str
    amount_minor: int
    content_id: UUID
    content_sha256: str
    vault_id: UUID | None
    transaction_id: UUID | None
    reason: str | None
    created_at: datetime
    submitted_at: datetime | None
    approved_at: datetime | None
    sold_at: datetime | None
    removed_at: datetime | None
    state_since: datetime
    version: int
    position: int


LISTING = Table(name="listings", key=("id",), columns=ListingRow._fields)


async def list_listings(
    pool: Pool,
    *,
    state: str | None = None,
    seller_id: UUID | None = None,
    before: Moment | None = None,
    limit: int = 20,
) -> list[ListingRow]:
    """Return listings, newest first; `before` is the (created_at, id) of the last one of the page before."""
    at, last_id = before or (None, None)
    parameters = {
        "state": state,
        "seller_id": seller_id,
        "before_at": at,
        "before_id": last_id,
        "limit": limit,
    }
    return await fetch_all(pool, ListingRow, SQL.list, parameters)


class Order(StrEnum):
    """In which order the catalog is shown."""

    NEWEST = "newest"
    CHEAPEST = "cheapest"
    DEAREST = "dearest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody looks for; `words` are whole or begun words, all of which have to be there."""

    words: tuple[str, ...] = ()
    currency: str | None = None
    min_minor: int | None = None
    max_minor: int | None = None
    order: Order = Order.NEWEST


async def list_for_sale(
    pool: Pool, wanted: Wanted, *, after: tuple[datetime | int, UUID] | None = None, limit: int = 20
) -> list[ListingRow]:
    """Return what can be bought now; `after` is (created_at or amount_minor, id) of the last one of the page before."""
    last, last_id = after or (None, None)
    parameters = {
        "words": " & ".join(f"{word}:*" for word in wanted.words) or None,
        "currency": wanted.currency,
        "min_minor": wanted.min_minor,
        "max_minor": wanted.max_minor,
        "after": last,
        "after_id": last_id,
        "limit": limit,
    }
    return await fetch_all(pool, ListingRow, _for_sale(wanted.order), parameters)


@cache
def _for_sale(order: Order) -> sql.Composed:
    rank = "created_at" if order is Order.NEWEST else "amount_minor"
    beyond, direction = (">", "ASC") if order is Order.CHEAPEST else ("<", "DESC")
    return sql.SQL(SQL.list_for_sale).format(
        rank=sql.Identifier(rank), beyond=sql.SQL(beyond), direction=sql.SQL(direction)
    )


def draft(event: RecordedEvent, rows: Rows) -> None:
    """A seller offers an account."""
    data = event.data
    rows.put(
        LISTING.name,
        {
            **dict.fromkeys(LISTING.columns),
            "id": text_of(event.stream_id),
            "seller_id": data["seller_id"],
            "state": "draft",
            **_offer(event),
            "created_at": data["timestamp"],
            "state_since": data["timestamp"],
            "version": event.version,
            "position": event.position,
        },
    )


def revise(event: RecordedEvent, rows: Rows) -> None:
    """The seller changed price or text, and has to submit it again."""
    _change(event, rows, state="draft", **_offer(event))


def attach(event: RecordedEvent, rows: Rows) -> None:
    """The newest deposit is the one that is sold."""
    _change(event, rows, vault_id=event.data["vault_id"])


def lose(event: RecordedEvent, rows: Rows) -> None:
    """There is nothing to sell until the seller deposits again."""
    _change(event, rows, vault_id=None)


def submit(event: RecordedEvent, rows: Rows) -> None:
    """Staff decide next; what they said before is answered."""
    _change(event, rows, state="submitted", submitted_at=event.data["timestamp"], reason=None)


def touch(event: RecordedEvent, rows: Rows) -> None:
    """What it is about has a table of its own."""
    _change(event, rows)


def become(state: str, moment: str | None = None, *fields: str) -> Callable[[RecordedEvent, Rows], None]:
    """Return the change to a state, its moment in a column of its own, and these fields of the event."""

    def apply(event: RecordedEvent, rows: Rows) -> None:
        data = event.data
        columns: Row = {} if moment is None else {moment: data["timestamp"]}
        _change(event, rows, state=state, **columns, **{name: data[name] for name in fields})

    return apply


def free(event: RecordedEvent, rows: Rows) -> None:
    """The transaction ended without a sale."""
    _change(event, rows, state="approved", transaction_id=None)


def _offer(event: RecordedEvent) -> Row:
    price = cast("dict[str, JSON]", event.data["price"])
    return {
        "currency": price["currency"],
        "amount_minor": price["amount_minor"],
        "content_id": event.data["content_id"],
        "content_sha256": event.data["content_sha256"],
    }


def _change(event: RecordedEvent, rows: Rows, **columns: JSON) -> None:
    if "state" in columns:
        columns["state_since"] = event.data["timestamp"]
    rows.change(LISTING.name, text_of(event.stream_id), **columns, version=event.version, position=event.position)


_OWN = at_stream(LISTING)

LISTINGS = project(
    "listings",
    3,
    (LISTING,),
    SQL,
    {
        "listing.drafted.v1": Change(draft),
        "listing.revised.v1": Change(revise, _OWN),
        "listing.deposit_attached.v1": Change(attach, _OWN),
        "listing.deposit_lost.v1": Change(lose, _OWN),
        "listing.proof_attached.v1": Change(touch, _OWN),
        "listing.proof_removed.v1": Change(touch, _OWN),
        "listing.submitted.v1": Change(submit, _OWN),
        "listing.approved.v1": Change(become("approved", "approved_at"), _OWN),
        "listing.rejected.v1": Change(become("rejected", None, "reason"), _OWN),
        "listing.info_requested.v1": Change(become("info_requested", None, "reason"), _OWN),
        "listing.reserved.v1": Change(become("reserved", None, "transaction_id"), _OWN),
        "listing.freed.v1": Change(free, _OWN),
        "listing.sold.v1": Change(become("sold", "sold_at"), _OWN),
        "listing.removed.v1": Change(become("removed", "removed_at", "reason"), _OWN),
    },
)
