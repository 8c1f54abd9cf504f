"""`escrow restored`: the brake after a restore."""

from typing import Annotated

import typer

from cli.parse.options import JsonOption

app = typer.Typer()


@app.command(epilog="Example: escrow restored")
def restored(
    lift: Annotated[
        str | None,
        typer.Option(help="Let the transaction go on although this reference of the processor's has no place in it."),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why it may go on; at least 10 characters, no names.")] = None,
    keep_api_keys: Annotated[
        bool, typer.Option("--keep-api-keys", help="None was revoked since the backup was made: all stay good.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say that the database was restored: no money moves until the worker has held the log against the processor.

    Sessions, codes and API keys of the backup are good no more: it does not know which of them were ended since. A
    restore where ESCROW_HOME stayed is noticed without it, and API keys stay good then. With `--lift` an external
    payment that was found then no longer holds its transaction back.
    """
    from cli.run.restored import LiftMissing, run_lift, run_restored

    if lift is None and reason is not None:
        raise LiftMissing
    if lift is None:
        run_restored(keeps_api_keys=keep_api_keys, as_json=as_json)
    else:
        run_lift(lift, reason or "", as_json=as_json)
