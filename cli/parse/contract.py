"""`escrow contract`: what was signed, held against the log."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from cli.parse.options import JsonOption

app = typer.Typer(no_args_is_help=True, help="Hold a contract that somebody shows against the log.")


@app.command(epilog="Example: escrow contract verify contract.pdf")
def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The PDF, or its plain text.")],
    transaction: Annotated[UUID | None, typer.Option(help="Of which transaction; else the file says it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether a contract is, to the byte, what the log holds. Exit 3 when it differs, 5 when there is none."""
    from cli.run.contract import verify_contract

    verify_contract(file, transaction, as_json=as_json)
