"""What `escrow ledger statement` prints, read as the auditor."""

from uuid import UUID

from api.http.query import parse_id
from api.reads.past import find_period
from api.reads.statement import Statement, list_pages, open_statement, write_csv
from cli.connection import run_as
from cli.output import print_json, print_table, say
from cli.run.ledger import Form, require_folded
from database.connect import Pool
from database.settings import Settings
from domain.errors import Invalid, NotFound
from eventstore.log import END
from identity.user import find_user, get_user
from projections.statement import (
    SOURCES_OF_STATEMENTS,
    StatementLine,
    StatementTotal,
    Subject,
)
from projections.transaction import get_transaction

LINE_COLUMNS = tuple(name for name in StatementLine._fields if name != "subject")


class StatementOfNothing(Invalid):
    """Say whose statement: --user, --transaction, or both."""

    code = "statement_of_nothing"


def show_statement(
    *, user: str | None, transaction_id: UUID | None, since: str | None, until: str | None, form: Form
) -> None:
    """Print a statement. Raises StatementOfNothing, NotFound, NotReady and QueryInvalid."""
    if user is None and transaction_id is None:
        raise StatementOfNothing
    subject = Subject(transaction_id, None if user is None else find_user_id(user))

    async def read(pool: Pool) -> None:
        if transaction_id is not None and await get_transaction(pool, transaction_id) is None:
            raise NotFound
        period = await find_period(pool, since, until)
        if period.until != END:
            await require_folded(pool, period.until, *SOURCES_OF_STATEMENTS)
        await _print(pool, await open_statement(pool, subject, period), form)

    run_as("auditor", Settings(), read)


def find_user_id(user: str) -> UUID:
    """Return the id of a user named by id or e-mail address; raise NotFound. The auditor cannot read addresses."""

    async def read(pool: Pool) -> UUID:
        async with pool.connection() as connection:
            user_id = parse_id(user)
            row = await (find_user(connection, user) if user_id is None else get_user(connection, user_id))
        if row is None:
            raise NotFound
        return row.id

    return run_as("app", Settings(), read)


async def _print(pool: Pool, statement: Statement, form: Form) -> None:
    if form == "csv":
        async for text in write_csv(pool, statement):
            print(text, end="")
        return
    lines = [line async for page in list_pages(pool, statement) for line in page]
    if form == "json":
        print_json({**_facts(statement), "lines": [line._asdict() for line in lines]})
        return
    print_table([line._asdict() for line in lines], LINE_COLUMNS)
    print_table([total._asdict() for total in statement.totals], StatementTotal._fields)
    for owed in statement.owed:
        say(f"{owed.currency}: owed to the user {owed.closing_minor}, at the beginning {owed.opening_minor}")


def _facts(statement: Statement) -> dict[str, object]:
    return {
        "transaction_id": statement.subject.transaction_id,
        "user_id": statement.subject.user_id,
        "position": statement.period.until,
        "owed": [each._asdict() for each in statement.owed],
        "accounts": [total._asdict() for total in statement.totals],
    }
