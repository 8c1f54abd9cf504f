"""What `escrow ledger` prints: the books now or in the past, read as the auditor."""

from collections.abc import Sequence
from typing import Literal

import typer

from api.reads.past import find_position
from api.reads.spreadsheet import write_head, write_rows
from cli.connection import run_as
from cli.errors import NotReady
from cli.exit_code import DIFFERENCE
from cli.output import print_json, print_rows, say
from database.clock import read_clock
from database.connect import Pool
from database.settings import Settings
from domain.errors import Invalid, NotFound
from domain.journal import Account
from domain.money import parse_charged_currency
from eventstore.log import END
from projections.ledger import (
    LEDGER,
    AccountRow,
    EntryLine,
    TrialBalance,
    list_entries,
    list_newest_entries,
    list_trial_balances,
)
from projections.reached import get_reached

Form = Literal["table", "json", "csv"]

BALANCE_COLUMNS = AccountRow._fields
ENTRY_COLUMNS = tuple(name for name in EntryLine._fields if name not in {"timestamp", "account"})
ACCOUNTS = frozenset(account.value for account in Account)
LAST_LINE = 2**15 - 1
"""No journal has more lines: `line` is a smallint."""


class FormatsContradict(Invalid):
    """Choose one form to print: a table, JSON or CSV."""

    code = "formats_contradict"


def form_of(*, as_json: bool, as_csv: bool = False) -> Form:
    """Return what the options ask for; raise `FormatsContradict`."""
    if as_json and as_csv:
        raise FormatsContradict
    return "json" if as_json else "csv" if as_csv else "table"


class NotFolded(NotReady):
    """The tables have not reached this position of the log yet: does `escrow worker` run?"""

    code = "not_folded"


async def find_folded(pool: Pool, as_of: str | None, *names: str) -> int | None:
    """Return the position that `as_of` names. Raises QueryInvalid for the future, and NotFolded."""
    if as_of is None:
        return None
    position = await find_position(pool, as_of, read_clock())
    await require_folded(pool, position, *names)
    return position


async def require_folded(pool: Pool, position: int, *names: str) -> None:
    """Raise NotFolded until these tables hold what was recorded up to a position."""
    reached = await get_reached(pool, names)
    if reached < position:
        raise NotFolded(reached=reached, wanted=position)


def show_trial_balance(as_of: str | None, form: Form) -> None:
    """Print the trial balance; exit 3 when the books do not balance or clients' money is not covered."""

    async def read(pool: Pool) -> list[TrialBalance]:
        return await list_trial_balances(pool, as_of=await find_folded(pool, as_of, LEDGER.name))

    books = run_as("auditor", Settings(), read)
    is_sound = all(each.total_minor == 0 and each.safeguarded_minor >= each.owed_minor for each in books)
    _print_books(books, form, is_sound=is_sound)
    if not is_sound:
        raise typer.Exit(DIFFERENCE)


def _print_books(books: Sequence[TrialBalance], form: Form, *, is_sound: bool) -> None:
    rows = [row._asdict() for each in books for row in each.accounts]
    if form == "json":
        sums = {each.currency: each.total_minor for each in books}
        margins = {each.currency: each.safeguarded_minor - each.owed_minor for each in books}
        print_json({"accounts": rows, "sums_minor": sums, "safeguarding_margin_minor": margins, "sound": is_sound})
        return
    print_form("accounts", rows, BALANCE_COLUMNS, form)
    for each in books:
        say(f"{each.currency}: the sum is {each.total_minor}")
        say(describe_cover(each.currency, each.safeguarded_minor - each.owed_minor))


def describe_cover(currency: str, margin_minor: int) -> str:
    """Say whether what is safeguarded covers what clients are owed, and by how much it is more or less."""
    if margin_minor < 0:
        return f"{currency}: clients' money is NOT COVERED: {-margin_minor} are missing"
    return f"{currency}: clients' money is covered with {margin_minor} to spare"


def show_account(
    account: str, *, currency: str | None, as_of: str | None, after: int | None, limit: int, form: Form
) -> None:
    """Print the entries of an account with its running balance: the newest, or those after a position."""
    _require_account(account, currency)

    async def read(pool: Pool) -> list[EntryLine]:
        found = await find_folded(pool, as_of, LEDGER.name)
        until = END if found is None else found
        if after is None:
            return await list_newest_entries(pool, account, currency=currency, as_of=until, limit=limit)
        begin = (after, LAST_LINE)
        return await list_entries(pool, account, currency=currency, after=begin, as_of=until, limit=limit)

    rows = run_as("auditor", Settings(), read)
    print_form("entries", [row._asdict() for row in rows], ENTRY_COLUMNS, form)


def show_newest(account: str, currency: str | None, limit: int, form: Form) -> None:
    """Print the entries of an account, newest first."""
    _require_account(account, currency)

    async def read(pool: Pool) -> list[EntryLine]:
        return await list_newest_entries(pool, account, currency=currency, limit=limit)

    rows = run_as("auditor", Settings(), read)
    print_form("entries", [row._asdict() for row in reversed(rows)], ENTRY_COLUMNS, form)


def _require_account(account: str, currency: str | None) -> None:
    if account not in ACCOUNTS:
        raise NotFound
    if currency is not None:
        parse_charged_currency(currency)


def print_form(name: str, rows: Sequence[dict[str, object]], columns: Sequence[str], form: Form) -> None:
    """Print rows as CSV, or as `print_rows` does."""
    if form == "csv":
        print(write_head(columns) + write_rows(columns, rows), end="")
    else:
        print_rows(name, rows, columns, as_json=form == "json")
