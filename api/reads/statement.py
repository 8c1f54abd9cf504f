"""Statements as JSON in pages, or whole as CSV."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from api.errors import CursorInvalid
from api.http.query import QueryInvalid, read_id, read_if_given, read_moment
from api.reads.page import make_page, read_last_key
from api.reads.past import Period, find_period
from api.reads.reading import Reader
from api.reads.spreadsheet import MEDIA_TYPE, wants_csv, write_head, write_rows
from api.reads.waiting import wait_for_position
from api.views.statement import LineItem, OwedItem, StatementView, TotalItem
from database.connect import Pool
from domain.transaction import Transaction
from eventstore.log import END
from identity.user import get_user
from projections.statement import (
    SOURCES_OF_STATEMENTS,
    Owed,
    Place,
    StatementLine,
    StatementTotal,
    Subject,
    begin_after,
    find_end,
    list_lines,
    list_owed,
    list_totals,
)

CSV_COLUMNS = ("entry", *StatementLine._fields)
"""`entry` is opening, line or closing; the first and the last have one row per account."""
NAME = "statement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a statement is about, how far it reaches, and its totals. It never changes: the log only grows."""

    subject: Subject
    period: Period
    totals: tuple[StatementTotal, ...]

    @property
    def owed(self) -> list[Owed]:
        """What the platform owes the user; nothing for everybody's lines, whose sum is always zero."""
        return [] if self.subject.user_id is None else list_owed(self.totals)


async def show_audit_statement(request: Request, reader: Reader) -> Response:
    """Answer with the statement of a user, a transaction, or of one in the other. Raises NotFound and QueryInvalid."""
    user_id, transaction_id = (read_id(reader.query.get(name)) for name in ("user_id", "transaction_id"))
    if user_id is None and transaction_id is None:
        raise QueryInvalid
    if transaction_id is not None:
        await reader.get(Transaction, transaction_id)
    if user_id is not None:
        async with reader.dependencies.pool.connection() as connection:
            await get_user(connection, user_id)
    return await _show(request, reader, Subject(transaction_id, user_id))


async def show_own_statement(request: Request, reader: Reader, transaction_id: UUID) -> Response:
    """Answer with a party's own lines of a transaction; with all of them to auditors and staff. Raises NotFound."""
    transaction = await reader.get(Transaction, transaction_id)
    user_id = reader.session.user_id
    is_party = user_id in {transaction.buyer_id, transaction.seller_id}
    return await _show(request, reader, Subject(transaction_id, user_id if is_party else None))


async def _show(request: Request, reader: Reader, subject: Subject) -> Response:
    place = _read_place(reader)
    statement = await open_statement(reader.dependencies.pool, subject, await _find_period(reader, place))
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    if wants_csv(request.headers.get("accept")):
        headers["Content-Disposition"] = 'attachment; filename="statement.csv"'
        rows = write_csv(reader.dependencies.pool, statement)
        return StreamingResponse(rows, 200, headers, f"{MEDIA_TYPE}; charset=utf-8")
    view = await _view(reader, statement, place)
    return Response(view.model_dump_json(), 200, headers, "application/json")


async def _find_period(reader: Reader, place: tuple[int, Place] | None) -> Period:
    """Return the period asked for, as far as the tables are; the pages of one statement all reach equally far."""
    pool = reader.dependencies.pool
    wanted = await find_period(pool, reader.query.get("since"), reader.query.get("until"))
    if place is not None:
        return wanted._replace(until=place[0])
    if wanted.until != END:
        await wait_for_position(reader.dependencies, wanted.until, *SOURCES_OF_STATEMENTS)
    return wanted


async def open_statement(pool: Pool, subject: Subject, period: Period) -> Statement:
    """Return a statement that reaches to the end of the period, or as far as the tables are."""
    until = await find_end(pool, period.until)
    totals = await list_totals(pool, subject, after=period.after, until=until)
    return Statement(subject=subject, period=period._replace(until=until), totals=tuple(totals))


async def _view(reader: Reader, statement: Statement, place: tuple[int, Place] | None) -> StatementView:
    period, subject = statement.period, statement.subject
    after = begin_after(period.after) if place is None else place[1]
    rows = await list_lines(reader.dependencies.pool, subject, after=after, until=period.until, limit=reader.limit + 1)
    page = make_page(reader, NAME, rows, LineItem.of, lambda row: (period.until, row.position, row.line))
    return StatementView(
        transaction_id=subject.transaction_id,
        user_id=subject.user_id,
        since=read_if_given(read_moment, reader.query.get("since")),
        until=read_if_given(read_moment, reader.query.get("until")),
        position=period.until,
        owed=[OwedItem.of(each) for each in statement.owed],
        accounts=[TotalItem.of(total) for total in statement.totals],
        items=page.items,
        next_cursor=page.next_cursor,
    )


def _read_place(reader: Reader) -> tuple[int, Place] | None:
    """Return how far the statement reaches and the last line of the page before. Raises CursorInvalid."""
    match read_last_key(reader, NAME):
        case None:
            return None
        case [int(until), int(position), int(line)]:
            return until, (position, line)
        case _:
            raise CursorInvalid


async def write_csv(pool: Pool, statement: Statement) -> AsyncIterator[str]:
    """Yield the whole statement: the opening balances, every line, the closing balances."""
    yield write_head(CSV_COLUMNS)
    yield write_rows(CSV_COLUMNS, (_balance_row("opening", total) for total in statement.totals))
    async for lines in list_pages(pool, statement):
        yield write_rows(CSV_COLUMNS, ({"entry": "line", **line._asdict()} for line in lines))
    yield write_rows(CSV_COLUMNS, (_balance_row("closing", total) for total in statement.totals))


async def list_pages(pool: Pool, statement: Statement) -> AsyncIterator[list[StatementLine]]:
    """Yield every line of a statement, a page at a time."""
    after = begin_after(statement.period.after)
    while lines := await list_lines(pool, statement.subject, after=after, until=statement.period.until):
        yield lines
        after = lines[-1].position, lines[-1].line


def _balance_row(entry: str, total: StatementTotal) -> Mapping[str, object]:
    is_opening = entry == "opening"
    return {
        "entry": entry,
        "account": total.account,
        "currency": total.currency,
        "debit_minor": None if is_opening else total.debits_minor,
        "credit_minor": None if is_opening else total.credits_minor,
        "balance_minor": total.opening_minor if is_opening else total.closing_minor,
    }
