"""`escrow reconcile`: the books held against the payment processor's."""

from typing import Annotated

import typer

from cli.parse.options import DryRunOption, JsonOption

app = typer.Typer()


@app.command(epilog="Example: escrow reconcile --since 2026-09-01 --json")
def reconcile(
    since: Annotated[
        str | None, typer.Option(help="From when: a date (UTC) or a time with its offset. At least 35 days before.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Up to when. Default: now.")] = None,
    ask: Annotated[
        bool,
        typer.Option("--ask", help="First ask the processor about what is ours and differs, and record what it says."),
    ] = False,
    reference: Annotated[
        str | None, typer.Argument(help="With --ask: only ask about this reference of ours, and compare nothing.")
    ] = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """List every difference between the processor's books and ours, with the command that settles it.

    Exit 3 when there are differences, 4 when the processor cannot be asked. Settlements that are not booked yet are
    booked, and the outcome is recorded, unless this is a dry run.
    """
    from cli.run.reconcile import require_clear, run_ask, run_reconciliation

    require_clear(reference, ask=ask, dry_run=dry_run)
    if reference is None:
        run_reconciliation(since, until, ask=ask, dry_run=dry_run, as_json=as_json)
    else:
        run_ask(reference, as_json=as_json)
