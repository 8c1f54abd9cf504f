"""What auditors read: the log and the books."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.reads.ledger import read_accounts, read_trial_balance
from api.reads.lists import list_account_entries, list_log
from api.reads.page import Page
from api.reads.reading import Reader, reading_as_auditor
from api.reads.spreadsheet import AS_CSV
from api.reads.statement import show_audit_statement
from api.strict_route import StrictRoute
from api.views.event import EventView
from api.views.ledger import AccountsView, EntryItem, TrialBalanceView
from api.views.statement import StatementView

router = APIRouter(prefix="/api/v1/audit", tags=["audit"], route_class=StrictRoute)

ListReader = Annotated[Reader, Depends(reading_as_auditor("limit", "cursor"))]
PastReader = Annotated[Reader, Depends(reading_as_auditor("as_of"))]
EntryReader = Annotated[Reader, Depends(reading_as_auditor("currency", "as_of", "limit", "cursor"))]

StatementReader = Annotated[
    Reader, Depends(reading_as_auditor("user_id", "transaction_id", "since", "until", "limit", "cursor"))
]


@router.get("/events", response_model=Page[EventView])
async def get_events(reader: ListReader) -> Page[EventView]:
    """Read the log, oldest first."""
    return await list_log(reader)


@router.get("/trial-balance", response_model=TrialBalanceView)
async def get_trial_balance(reader: PastReader) -> TrialBalanceView:
    """Show that the books balance, now or as of a position or time."""
    return await read_trial_balance(reader)


@router.get("/accounts", response_model=AccountsView)
async def get_accounts(reader: PastReader) -> AccountsView:
    """List the accounts with their balances, now or as of a position or time."""
    return await read_accounts(reader)


@router.get("/accounts/{account}/entries", response_model=Page[EntryItem])
async def get_entries(account: str, reader: EntryReader) -> Page[EntryItem]:
    """List the lines of an account with its running balance, oldest first, up to `as_of`."""
    return await list_account_entries(reader, account)


@router.get("/statements", response_model=StatementView, responses=AS_CSV)
async def get_statement(request: Request, reader: StatementReader) -> Response:
    """Show what moved for a user, in a transaction, or both: in pages, or whole with `Accept: text/csv`."""
    return await show_audit_statement(request, reader)
