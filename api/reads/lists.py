"""Lists: a page of a read model or of the log, with a cursor for the next one."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from api.errors import CursorInvalid
from api.http.query import read_choice, read_flag
from api.reads.ledger import find_folded_position
from api.reads.page import Page, make_page, read_last_key, read_moment_cursor, read_position_cursor
from api.reads.reading import Reader
from api.views.event import EventView, may_see_event
from api.views.ledger import EntryItem
from api.views.row import ActionItem, AlertItem, ApprovalItem, TransactionItem
from domain.errors import NotFound
from domain.journal import Account
from domain.money import Currency
from domain.transaction.phase import Phase
from domain.transaction.records import ApprovalStatus
from eventstore.log import END, RecordedEvent, read_after, read_stream
from projections.admin_action import list_admin_actions
from projections.alert import AlertRow
from projections.alert import list_alerts as read_alerts
from projections.approval import list_approvals
from projections.ledger import list_entries
from projections.transaction import TransactionRow, list_transactions

ACCOUNTS = frozenset(account.value for account in Account)


async def list_own_transactions(reader: Reader) -> Page[TransactionItem]:
    """What the reader buys or sells, newest first."""
    rows = await list_transactions(
        reader.dependencies.pool,
        party_id=reader.session.user_id,
        states=_states(reader),
        before=read_moment_cursor(reader, "transactions"),
        limit=reader.limit + 1,
    )
    return make_page(reader, "transactions", rows, TransactionItem.of, _transaction_key)


async def list_all_transactions(reader: Reader) -> Page[TransactionItem]:
    """Everybody's transactions, newest first; with `stuck=true` those whose money does not move."""
    rows = await list_transactions(
        reader.dependencies.pool,
        states=_states(reader),
        stuck_at=reader.now if read_flag(reader.query.get("stuck")) else None,
        before=read_moment_cursor(reader, "admin"),
        limit=reader.limit + 1,
    )
    return make_page(reader, "admin", rows, TransactionItem.of, _transaction_key)


async def list_approval_items(reader: Reader) -> Page[ApprovalItem]:
    """Requests for a second pair of eyes, newest first."""
    status = read_choice(ApprovalStatus, reader.query.get("status"))
    before = read_moment_cursor(reader, "approvals")
    rows = await list_approvals(reader.dependencies.pool, status=status, before=before, limit=reader.limit + 1)
    return make_page(
        reader, "approvals", rows, ApprovalItem.of, lambda row: (row.requested_at.isoformat(), str(row.approval_id))
    )


async def list_actions(reader: Reader) -> Page[ActionItem]:
    """What staff did, newest first."""
    before = read_position_cursor(reader, "actions") or None
    rows = await list_admin_actions(reader.dependencies.pool, before=before, limit=reader.limit + 1)
    return make_page(reader, "actions", rows, ActionItem.of, lambda row: (row.position,))


async def list_alerts(reader: Reader) -> Page[AlertItem]:
    """What somebody has to look at, newest first."""
    before = _alert_cursor(reader)
    rows = await read_alerts(reader.dependencies.pool, before=before, at=reader.now, limit=reader.limit + 1)
    return make_page(reader, "alerts", rows, AlertItem.of, _alert_key)


async def list_log(reader: Reader) -> Page[EventView]:
    """The whole log, oldest first."""
    after = read_position_cursor(reader, "log")
    events = await read_after(reader.dependencies.pool, after, reader.limit + 1)
    return make_page(reader, "log", events, _viewer(reader), lambda event: (event.position,))


async def list_events(reader: Reader, stream_id: UUID) -> Page[EventView]:
    """The events of one stream that the reader is shown, oldest first."""
    name = f"events of {stream_id}"
    last, wanted, shown = read_position_cursor(reader, name), reader.limit + 1, list[RecordedEvent]()
    while len(shown) < wanted:
        first, last = last, last + wanted
        events = await read_stream(reader.dependencies.pool, stream_id, after_version=first, to_version=last)
        shown += [event for event in events if may_see_event(event, reader.actor)]
        if len(events) < wanted:
            break
    return make_page(reader, name, shown, _viewer(reader), lambda event: (event.version,))


def _viewer(reader: Reader) -> Callable[[RecordedEvent], EventView]:
    return lambda event: EventView.of(event, reader.actor)


async def list_account_entries(reader: Reader, account: str) -> Page[EntryItem]:
    """The lines of one account with its running balance, oldest first. Raises NotFound for what is no account."""
    currency = read_choice(Currency, reader.query.get("currency"))
    if account not in ACCOUNTS:
        raise NotFound
    name = f"entries of {account}"
    after = _entry_cursor(reader, name)
    as_of = await find_folded_position(reader)
    rows = await list_entries(
        reader.dependencies.pool,
        account,
        currency=currency,
        after=after,
        as_of=END if as_of is None else as_of,
        limit=reader.limit + 1,
    )
    return make_page(reader, name, rows, EntryItem.of, lambda row: (row.position, row.line))


def _states(reader: Reader) -> list[str] | None:
    state = read_choice(Phase, reader.query.get("state"))
    return None if state is None else [state]


def _transaction_key(row: TransactionRow) -> tuple[str, str]:
    return row.created_at.isoformat(), str(row.id)


def _alert_key(row: AlertRow) -> tuple[str, int, str]:
    return row.raised_at.isoformat(), row.position, row.subject


def _alert_cursor(reader: Reader) -> tuple[datetime, int, str] | None:
    match read_last_key(reader, "alerts"):
        case None:
            return None
        case [str(at), int(position), str(subject)]:
            return datetime.fromisoformat(at), position, subject
        case _:
            raise CursorInvalid


def _entry_cursor(reader: Reader, name: str) -> tuple[int, int]:
    match read_last_key(reader, name):
        case None:
            return 0, 0
        case [int(position), int(line)]:
            return position, line
        case _:
            raise CursorInvalid
