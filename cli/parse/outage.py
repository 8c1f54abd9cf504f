"""`escrow outage`: time that nobody could use."""

from typing import Annotated

import typer

from cli.parse.options import JsonOption

app = typer.Typer()


@app.command(
    epilog="Example: escrow outage --since 2026-11-27T01:00:00Z --until 2026-11-27T03:30:00Z --reason 'A power cut'"
)
def outage(
    since: Annotated[str, typer.Option(help="When it began: a time with its offset.")],
    reason: Annotated[str, typer.Option(help="What happened, 10 characters or more. It stands in the log for ever.")],
    until: Annotated[str | None, typer.Option(help="When it ended. Default: now.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Lengthen every deadline that was running in an outage by its length and a day, because nobody could act then.

    Where the worker was away, too, it has done so by itself. The same beginning again lengthens nothing twice.
    """
    from cli.run.outage import run_outage

    run_outage(since, until, reason, as_json=as_json)
