"""`escrow reconcile`: the books held against the payment processor's."""

from typing import Annotated

import typer

from cli.options import DryRunOption, JsonOption


def reconcile(
    since: Annotated[
        str | None, typer.Option(help="From when: a date (UTC) or a time with its offset. Default: 35 days before.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Up to when. Default: now.")] = None,
    ask: Annotated[
        str | None,
        typer.Option(help="Only ask the processor about this reference of ours, and record what it says."),
    ] = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """List every difference between the processor's books and ours, with the command that settles it.

    Exit 3 when there are differences, 4 when the processor cannot be asked. Settlements that are not booked yet are
    booked, and the outcome is recorded, unless this is a dry run.
    """
    from cli.reconciling import run_ask, run_reconciliation

    if ask is None:
        run_reconciliation(since, until, dry_run=dry_run, as_json=as_json)
    else:
        run_ask(ask, as_json=as_json)
