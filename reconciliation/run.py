"""One run: read both sides, book what was settled, match, and put the outcome on record."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from database.connect import Pool
from database.standstill import resolve_standstill
from domain.actor import reaction
from domain.errors import NotFound
from domain.ids import Clock
from domain.money import Currency, Money
from domain.reconciliation import RecordReconciliation
from domain.treasury import MoveFunds, OpenTreasury, Treasury, treasury_id
from eventstore.escrow import Escrow, Request
from gateways.bookkeeping import Bookkeeping
from projections.reconciliation import list_reconciliations
from reconciliation.books import PADDING, Books, read_books
from reconciliation.deduction import list_deductions
from reconciliation.figures import KINDS
from reconciliation.finding import Window
from reconciliation.ledger import Cut, find_pages, read_cut
from reconciliation.match import Outcome, match
from reconciliation.movement import request_of_settlement
from reconciliation.settlement import Booking, list_due

ACTOR = reaction("reconciliation")
NAMESPACE = UUID("0f6f3c07-1f0c-5c0e-9a38-51a7f8c1d6b4")
RECENT = timedelta(days=7)
LENGTH = timedelta(days=35)
"""How far back a run looks at least: longer than anything stays on its way, and so can explain a distance.

It looks further back for as long as something is listed by its name.
"""
EARLIER = timedelta(days=1)
"""The log is read from this long before the lists, which go back an hour more than asked and have dates of their own.

A settlement that is listed, and what was booked for it is not read, would be booked again.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a run works with."""

    escrow: Escrow
    pool: Pool
    processor: Bookkeeping
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run that is over; `reconciliation_id` is None when it left no trace, `booked` are the settlements it booked."""

    since: datetime
    until: datetime
    position: int
    booked: tuple[Booking, ...]
    outcome: Outcome
    reconciliation_id: UUID | None


async def reconcile(
    desk: Desk, key: str | None, *, since: datetime | None = None, until: datetime | None = None
) -> Run:
    """Hold the books against the processor's; the same `key` again records nothing more.

    Without a key nothing is booked or recorded. Raises the processor's errors, of which nothing is concluded, and
    `LedgerBehind`.
    """
    window = await _window(desk, since, until)
    books = await read_books(desk.processor, window.since)
    cut = await _read_cut(desk, window.since)
    due = (*list_due(books, cut.records), *list_deductions(books, cut.records))
    if key is not None and due:
        await _book(desk, due)
        cut = await _read_cut(desk, window.since)
    cut.records.pages = await find_pages(desk.pool, [charge.reference for charge in books.charges])
    outcome = match(books, cut.records, cut.totals, window)
    run_id = None if key is None else await _record(desk, key, window, cut, outcome)
    return Run(
        since=window.since,
        until=window.now,
        position=cut.position,
        booked=() if key is None else due,
        outcome=outcome,
        reconciliation_id=run_id,
    )


async def book_settlements(desk: Desk) -> tuple[Booking, ...]:
    """Book what Paystack has settled and nobody has booked; doing it again, or twice at once, books it once."""
    since = desk.clock() - RECENT
    cut = await _read_cut(desk, since)
    newest = Books(settlements=await desk.processor.list_settlements(since=since))
    if not list_due(newest, cut.records):
        return ()
    books = await read_books(desk.processor, since)
    due = (*list_due(books, cut.records), *list_deductions(books, cut.records))
    await _book(desk, due)
    return due


def id_of(key: str) -> UUID:
    """Return the stream of the run that this key names."""
    return uuid5(NAMESPACE, key)


def request_of(key: str) -> Request:
    """Return the request of a run, or of a booking of its own: the same key is the same request."""
    return Request.keyed(ACTOR, f"reconciliation:{key}")


async def _window(desk: Desk, since: datetime | None, until: datetime | None) -> Window:
    """What the last run listed by its name stays in sight until it is settled, and what no run has judged is judged."""
    now = min(until or desk.clock(), desk.clock())
    runs = await list_reconciliations(desk.pool, limit=1)
    unsettled = (run.since if run.counts.keys() - KINDS.values() else run.until for run in runs)
    return Window(since=min((now - LENGTH, since or now, *unsettled)), now=now)


async def _read_cut(desk: Desk, since: datetime) -> Cut:
    """Return our side of what `read_books` returns for the same moment."""
    return await read_cut(desk.pool, since - PADDING - EARLIER, desk.clock())


async def _book(desk: Desk, due: Iterable[Booking]) -> None:
    """Record each settlement once, however often it is asked for."""
    for booking in due:
        await _open_treasury(desk, booking.currency)
        amount = Money(booking.amount_minor, booking.currency)
        command = MoveFunds(movement=booking.movement, amount=amount, evidence=str(booking.key))
        occasion = f"{booking.movement}:{booking.key}{booking.occasion}"
        request = request_of_settlement(ACTOR, command) or request_of(occasion)
        await desk.escrow.execute(treasury_id(booking.currency), command, request)


async def _open_treasury(desk: Desk, currency: Currency) -> None:
    try:
        await desk.escrow.get(Treasury, treasury_id(currency))
    except NotFound:
        await desk.escrow.execute(
            treasury_id(currency), OpenTreasury(currency=currency), request_of(f"open:{currency}")
        )


async def _record(desk: Desk, key: str, window: Window, cut: Cut, outcome: Outcome) -> UUID:
    command = RecordReconciliation(
        since=window.since,
        until=window.now,
        position=cut.position,
        matched=outcome.matched,
        pending=outcome.pending,
        figures=outcome.figures,
        differences=outcome.differences,
    )
    result = await desk.escrow.execute(id_of(key), command, request_of(key))
    await resolve_standstill(desk.pool, "reconciliation", desk.clock())
    return result.aggregate.id
