"""`escrow webhooks`: what the processor delivered, and what became of it."""

from typing import Annotated

import typer

from cli.parse.options import LARGEST_NUMBER, DryRunOption, JsonOption, LimitOption, YesOption

app = typer.Typer(no_args_is_help=True, help="See what the processor delivered, and work it off again.")

Since = Annotated[str | None, typer.Option(help="A time with its offset; only what came from then on.")]
DeliveryId = Annotated[int, typer.Argument(min=1, max=LARGEST_NUMBER, help="The delivery's number in the list.")]


@app.command("list", epilog="Example: escrow webhooks list --outcome failing")
def list_webhooks(
    outcome: Annotated[
        str | None, typer.Option(help="Only these: waiting, failing, applied, unmatched or ignored.")
    ] = None,
    since: Since = None,
    before: Annotated[
        int | None, typer.Option(min=1, max=LARGEST_NUMBER, help="Only those before this number: the next page.")
    ] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List deliveries, newest first."""
    from cli.run.webhook import show_deliveries

    show_deliveries(outcome=outcome, since=since, before=before, limit=limit, as_json=as_json)


@app.command(epilog="Example: escrow webhooks show 17")
def show(delivery_id: DeliveryId, as_json: JsonOption = False) -> None:
    """Show a delivery. Of its body only what is known to be harmless: people's details are masked."""
    from cli.run.webhook import show_delivery

    show_delivery(delivery_id, as_json=as_json)


@app.command(epilog="Example: escrow webhooks replay --unmatched --dry-run")
def replay(
    delivery_id: Annotated[
        int | None, typer.Argument(min=1, max=LARGEST_NUMBER, help="The delivery's number in the list.")
    ] = None,
    unmatched: Annotated[bool, typer.Option("--unmatched", help="Everything that nobody could match.")] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put deliveries back, for the worker to work off again; what was applied is not applied twice."""
    from cli.run.webhook import replay_deliveries

    replay_deliveries(delivery_id, unmatched=unmatched, dry_run=dry_run, yes=yes, as_json=as_json)


@app.command(epilog="Example: escrow webhooks refused --since 2026-11-01T00:00:00Z")
def refused(since: Since = None, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """Count deliveries whose signature was wrong, by minute; of these only a hash is kept."""
    from cli.run.webhook import show_refused

    show_refused(since=since, limit=limit, as_json=as_json)
