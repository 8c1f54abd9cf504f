"""`escrow vault`: what wraps the keys, and copies of it."""

from pathlib import Path
from typing import Annotated

import typer

from cli.consent import require_consent
from cli.parse.options import DryRunOption, JsonOption, YesOption

app = typer.Typer(no_args_is_help=True, help="Look at the vault, and keep copies of its pepper.")
pepper = typer.Typer(no_args_is_help=True, help="Back up the pepper, and prove that a backup is good.")
app.add_typer(pepper, name="pepper")

Backup = Annotated[Path, typer.Argument(help="The backup; keep it where the backups of the database are not.")]
Backups = Annotated[list[Path], typer.Argument(help="The backup, or two shares of it.")]
Passphrase = Annotated[
    typer.FileText | None, typer.Option("--passphrase-file", help="Where to read the passphrase; else it is asked for.")
]


@app.command(epilog="Example: escrow vault status --json")
def status(as_json: JsonOption = False) -> None:
    """Say which versions of the pepper wrap how many keys."""
    from cli.run.vault import show_status

    show_status(as_json=as_json)


@app.command(epilog="Example: escrow vault reconcile")
def reconcile(as_json: JsonOption = False) -> None:
    """Destroy again every key whose destruction is in the log; after each restore of a backup."""
    from cli.run.vault import reconcile_keys

    reconcile_keys(as_json=as_json)


@pepper.command(epilog="Example: escrow vault pepper backup /media/safe/escrow-pepper")
def backup(file: Backup, passphrase_file: Passphrase = None, as_json: JsonOption = False) -> None:
    """Write a copy of the pepper that opens with a passphrase of at least 12 characters; never over a file."""
    from cli.run.vault import back_up

    back_up(file, _read_passphrase(passphrase_file, confirm=True), as_json=as_json)


@pepper.command(epilog="Example: escrow vault pepper split /media/safe/escrow-pepper")
def split(file: Backup, as_json: JsonOption = False) -> None:
    """Write three shares, FILE.1 to FILE.3: any two give the pepper back, one alone says nothing; never over a file."""
    from cli.run.vault import back_up_in_shares

    back_up_in_shares(file, as_json=as_json)


@pepper.command(epilog="Example: escrow vault pepper check /media/safe/escrow-pepper")
def check(files: Backups, passphrase_file: Passphrase = None, as_json: JsonOption = False) -> None:
    """Open stored keys with the pepper in a backup; exit 9 when it does not open what this database holds."""
    from cli.run.vault import check_backup

    check_backup(files, lambda: _read_passphrase(passphrase_file), as_json=as_json)


@pepper.command(epilog="Example: escrow vault pepper restore /media/a/escrow-pepper.1 /media/b/escrow-pepper.3")
def restore(files: Backups, passphrase_file: Passphrase = None, as_json: JsonOption = False) -> None:
    """Put the pepper file back from a backup that opens what this database holds; never over a file."""
    from cli.run.vault import restore_backup

    restore_backup(files, lambda: _read_passphrase(passphrase_file), as_json=as_json)


@pepper.command(epilog="Example: escrow vault pepper rotate")
def rotate(
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only put the new version into the file, to be copied to other hosts.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Wrap everything with a new version while the system runs; after an interruption run it again to carry on."""
    from cli.run.pepper_rotation import rotate_pepper

    rotate_pepper(only_prepare=prepare, as_json=as_json)


@pepper.command(epilog="Example: escrow vault pepper forget --yes")
def forget(dry_run: DryRunOption = False, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Take retired versions out of the pepper file; backups of the database from before the rotation need them."""
    from cli.run.pepper_rotation import forget_versions

    question = "Older backups of the database will need a backup of the pepper. Go on?"
    require_consent(question, given=yes or dry_run)
    forget_versions(dry_run=dry_run, as_json=as_json)


def _read_passphrase(file: typer.FileText | None, *, confirm: bool = False) -> str:
    if file is not None:
        return file.read().rstrip("\n")
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm))
