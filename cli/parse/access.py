"""`escrow access`: who read or revealed what, when and from where."""

from typing import Annotated
from uuid import UUID

import typer

from cli.parse.options import JsonOption, LimitOption

app = typer.Typer(no_args_is_help=True, help="See who read or revealed what, when and from where.")


@app.command("list", epilog="Example: escrow access list --action reveal --outcome refused --json")
def list_accesses(
    user: Annotated[UUID | None, typer.Option(help="Only of this person.")] = None,
    about: Annotated[UUID | None, typer.Option("--object", help="Only of this transaction or listing.")] = None,
    action: Annotated[str | None, typer.Option(help="Only these, such as reveal, sign_in, transaction_read.")] = None,
    outcome: Annotated[str | None, typer.Option(help="granted, refused, failed or rehearsed.")] = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """List accesses, newest first; the same within an hour is one line that counts."""
    from cli.run.access import show_accesses

    show_accesses(user=user, about=about, action=action, outcome=outcome, limit=limit, as_json=as_json)


@app.command(epilog="Example: escrow access alerts --json")
def alerts(limit: LimitOption = 20, as_json: JsonOption = False) -> None:
    """List attempts to see credentials that nobody makes by accident, newest first."""
    from cli.run.access import show_security_alerts

    show_security_alerts(limit=limit, as_json=as_json)
