"""`escrow vault`: what wraps the keys, and copies of it."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import JsonOption

app = typer.Typer(no_args_is_help=True, help="Look at the vault, and keep copies of its pepper.")
pepper = typer.Typer(no_args_is_help=True, help="Back up the pepper, and prove that a backup is good.")
app.add_typer(pepper, name="pepper")

Backup = Annotated[Path, typer.Argument(help="The backup; keep it where the backups of the database are not.")]
Passphrase = Annotated[
    typer.FileText | None, typer.Option("--passphrase-file", help="Where to read the passphrase; else it is asked for.")
]


@app.command(epilog="Example: escrow vault status --json")
def status(as_json: JsonOption = False) -> None:
    """Say which versions of the pepper wrap how many keys."""
    from cli.safekeeping import show_status

    show_status(as_json=as_json)


@pepper.command(epilog="Example: escrow vault pepper backup /media/safe/escrow-pepper")
def backup(file: Backup, passphrase_file: Passphrase = None, as_json: JsonOption = False) -> None:
    """Write a copy of the pepper that opens with a passphrase of at least 12 characters; never over a file."""
    from cli.safekeeping import back_up

    back_up(file, _read_passphrase(passphrase_file, confirm=True), as_json=as_json)


@pepper.command(epilog="Example: escrow vault pepper check /media/safe/escrow-pepper")
def check(file: Backup, passphrase_file: Passphrase = None, as_json: JsonOption = False) -> None:
    """Open stored keys with the pepper in a backup; exit 9 when it does not open what this database holds."""
    from cli.safekeeping import check_backup

    check_backup(file, _read_passphrase(passphrase_file), as_json=as_json)


@pepper.command(epilog="Example: escrow vault pepper restore /media/safe/escrow-pepper")
def restore(file: Backup, passphrase_file: Passphrase = None, as_json: JsonOption = False) -> None:
    """Put the pepper file back from a backup that opens what this database holds; never over a file."""
    from cli.safekeeping import restore_backup

    restore_backup(file, _read_passphrase(passphrase_file), as_json=as_json)


def _read_passphrase(file: typer.FileText | None, *, confirm: bool = False) -> str:
    if file is not None:
        return file.read().rstrip("\n")
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm))
