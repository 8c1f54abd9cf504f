"""`escrow tx` and `escrow events`: what a transaction is, and what happened to it."""

from typing import Annotated
from uuid import UUID

import typer

from cli.options import LARGEST_NUMBER, JsonOption

app = typer.Typer(no_args_is_help=True, help="Find transactions and see why they do not move.")

Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")]


@app.command("list", epilog="Example: escrow tx list --stuck")
def list_transactions(
    state: Annotated[str | None, typer.Option(help="Only this state, such as funds_held.")] = None,
    stuck: Annotated[
        bool, typer.Option("--stuck", help="Only what has not moved for 7 days, and failed payouts.")
    ] = False,
    limit: Limit = 50,
    as_json: JsonOption = False,
) -> None:
    """List transactions, newest first."""
    from cli.reading import show_transactions

    show_transactions(state=state, stuck=stuck, limit=limit, as_json=as_json)


@app.command(epilog="Example: escrow tx show 0198c0de-… --json")
def show(
    transaction_id: Annotated[UUID, typer.Argument(help="The transaction's id.")], as_json: JsonOption = False
) -> None:
    """Show one transaction: its row, payouts, refunds, disputes, notes and events."""
    from cli.reading import show_transaction

    show_transaction(transaction_id, as_json=as_json)


def events(
    stream: Annotated[UUID | None, typer.Option("--stream", help="Only this transaction, listing or deposit.")] = None,
    after: Annotated[
        int | None, typer.Option(min=0, max=LARGEST_NUMBER, help="Start after this position; else the newest.")
    ] = None,
    limit: Limit = 50,
    as_json: JsonOption = False,
) -> None:
    """Print the log as it was recorded; the newest events unless --after says where to start."""
    from cli.reading import show_events

    show_events(stream=stream, after=after, limit=limit, as_json=as_json)
