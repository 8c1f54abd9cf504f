"""`escrow access`: who read or revealed what, when and from where."""

from typing import Annotated
from uuid import UUID

import typer

from cli.options import JsonOption

app = typer.Typer(no_args_is_help=True, help="See who read or revealed what, when and from where.")
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")]


@app.command("list", epilog="Example: escrow access list --action reveal --outcome refused --json")
def list_them(
    user: Annotated[UUID | None, typer.Option(help="Only of this person.")] = None,
    about: Annotated[UUID | None, typer.Option("--object", help="Only of this transaction or listing.")] = None,
    action: Annotated[str | None, typer.Option(help="Only these, such as reveal, sign_in, transaction_read.")] = None,
    outcome: Annotated[str | None, typer.Option(help="granted, refused, failed or rehearsed.")] = None,
    limit: Limit = 20,
    as_json: JsonOption = False,
) -> None:
    """List accesses, newest first; the same within an hour is one line that counts."""
    from cli.access_log import show_accesses

    show_accesses(user=user, about=about, action=action, outcome=outcome, limit=limit, as_json=as_json)


@app.command(epilog="Example: escrow access alerts --json")
def alerts(limit: Limit = 20, as_json: JsonOption = False) -> None:
    """List attempts to see credentials that nobody makes by accident, newest first."""
    from cli.access_log import show_security_alerts

    show_security_alerts(limit=limit, as_json=as_json)
