"""`escrow tx` and `escrow events`: what a transaction is, and what happened to it."""

from typing import Annotated
from uuid import UUID

import typer

from cli.parse.options import LARGEST_NUMBER, JsonOption, LimitOption, TransactionArgument

app = typer.Typer(no_args_is_help=True, help="Find transactions and see why they do not move.")
log = typer.Typer()


@app.command("list", epilog="Example: escrow tx list --stuck")
def list_transactions(
    state: Annotated[str | None, typer.Option(help="Only this state, such as funds_held.")] = None,
    stuck: Annotated[
        bool, typer.Option("--stuck", help="Only what has not moved for 7 days, and failed payouts.")
    ] = False,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List transactions, newest first."""
    from cli.run.transaction import show_transactions

    show_transactions(state=state, stuck=stuck, limit=limit, as_json=as_json)


@app.command(epilog="Example: escrow tx show 0198c0de-… --json")
def show(transaction_id: TransactionArgument, as_json: JsonOption = False) -> None:
    """Show one transaction: its row, payouts, refunds, disputes, notes and events."""
    from cli.run.transaction import show_transaction

    show_transaction(transaction_id, as_json=as_json)


@log.command(epilog="Example: escrow events --stream 018f3c9e-0000-7000-8000-000000000000 --limit 20")
def events(
    stream: Annotated[UUID | None, typer.Option("--stream", help="Only this transaction, listing or deposit.")] = None,
    after: Annotated[
        int | None, typer.Option(min=0, max=LARGEST_NUMBER, help="Start after this position; else the newest.")
    ] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """Print the log as it was recorded; the newest events unless --after says where to start."""
    from cli.run.transaction import show_events

    show_events(stream=stream, after=after, limit=limit, as_json=as_json)
