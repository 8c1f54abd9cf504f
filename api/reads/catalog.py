"""Listings in lists: a seller's own, and the catalog of what can be bought now, by words, currency and price."""

import re
from datetime import datetime
from uuid import UUID

from api.content import read_contents
from api.errors import CursorInvalid
from api.http.query import QueryInvalid, read_choice, read_if_given, read_whole
from api.reads.page import Page, make_page, read_last_key, read_moment_cursor
from api.reads.reading import Reader
from api.views.catalog import ListingItem
from domain.listing.status import ListingStatus
from domain.money import MAX_AMOUNT_MINOR, Currency
from projections.listing import ListingRow, Order, Wanted, list_for_sale, list_listings
from projections.proof import count_proofs

FILTERS = ("q", "currency", "min_amount_minor", "max_amount_minor", "sort")
WORD = re.compile(r"[^\W_]+")
LONGEST_SEARCH = 200
MOST_WORDS = 10
NAME = "catalog"


async def list_catalog(reader: Reader) -> Page[ListingItem]:
    """Return a page of what is for sale. Raises QueryInvalid and CursorInvalid."""
    wanted = _read_wanted(reader)
    after = _read_after(reader, wanted.order)
    rows = await list_for_sale(reader.dependencies.pool, wanted, after=after, limit=reader.limit + 1)
    return await _show(reader, NAME, rows, by_price=wanted.order is not Order.NEWEST)


async def list_own_listings(reader: Reader) -> Page[ListingItem]:
    """Return a page of what the reader sells, newest first. Raises QueryInvalid and CursorInvalid."""
    rows = await list_listings(
        reader.dependencies.pool,
        state=read_choice(ListingStatus, reader.query.get("state")),
        seller_id=reader.session.user_id,
        before=read_moment_cursor(reader, "listings"),
        limit=reader.limit + 1,
    )
    return await _show(reader, "listings", rows)


async def _show(reader: Reader, name: str, rows: list[ListingRow], *, by_price: bool = False) -> Page[ListingItem]:
    """Return a page of listings with their texts, and how many proofs they have."""
    texts = await read_contents(reader.dependencies.pool, [row.content_id for row in rows])
    proofs = await count_proofs(reader.dependencies.pool, [row.id for row in rows])
    return make_page(
        reader,
        name,
        rows,
        lambda row: ListingItem.of(row, texts.get(row.content_id, {}), proofs.get(row.id, {})),
        lambda row: (row.amount_minor if by_price else row.created_at.isoformat(), str(row.id)),
    )


def _read_wanted(reader: Reader) -> Wanted:
    """Return what the query asks for.

    Raises QueryInvalid: also for prices without a currency, which would compare shillings with naira.
    """
    query = reader.query
    currency = read_choice(Currency, query.get("currency"))
    order = read_choice(Order, query.get("sort")) or Order.NEWEST
    lowest, highest = _read_amount(query.get("min_amount_minor")), _read_amount(query.get("max_amount_minor"))
    is_about_price = order is not Order.NEWEST or lowest is not None or highest is not None
    if is_about_price and currency is None:
        raise QueryInvalid
    if lowest is not None and highest is not None and lowest > highest:
        raise QueryInvalid
    return Wanted(
        words=_read_words(query.get("q")), currency=currency, min_minor=lowest, max_minor=highest, order=order
    )


def _read_words(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    words = tuple(WORD.findall(text.lower()))
    if not 1 <= len(words) <= MOST_WORDS or len(text) > LONGEST_SEARCH:
        raise QueryInvalid
    return words


def _read_amount(text: str | None) -> int | None:
    amount_minor = read_if_given(read_whole, text)
    if amount_minor is not None and amount_minor > MAX_AMOUNT_MINOR:
        raise QueryInvalid
    return amount_minor


def _read_after(reader: Reader, order: Order) -> tuple[datetime | int, UUID] | None:
    match read_last_key(reader, NAME):
        case None:
            return None
        case [str(at), str(row_id)] if order is Order.NEWEST:
            return datetime.fromisoformat(at), UUID(row_id)
        case [int(amount_minor), str(row_id)] if order is not Order.NEWEST:
            return amount_minor, UUID(row_id)
        case _:
            raise CursorInvalid
