"""`escrow migrate`, `escrow doctor` and `escrow dsn`: the database itself."""

from typing import Annotated, Literal

import typer

from cli.parse.options import JsonOption

app = typer.Typer()


@app.command(epilog="Example: escrow migrate --dry-run")
def migrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be applied.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the database to this version's schema; twice is the same as once."""
    from cli.run.database import run_migrations

    run_migrations(dry_run=dry_run, as_json=as_json)


@app.command(epilog="Example: escrow doctor --json")
def doctor(as_json: JsonOption = False) -> None:
    """Say which PostgreSQL is used and why, and whether the installation is safe. Exit 4 when something is wrong."""
    from cli.run.database import run_doctor

    run_doctor(as_json=as_json)


@app.command(epilog='Example: psql "$(escrow dsn)" -c "SELECT state, count(*) FROM transactions GROUP BY state"')
def dsn(
    role: Annotated[
        Literal["owner", "app", "auditor"], typer.Option(help="Auditors read and cannot write.")
    ] = "auditor",
    as_json: JsonOption = False,
) -> None:
    """Print the libpq address of the database for a role; it contains the role's password."""
    from cli.run.database import print_dsn

    print_dsn(role, as_json=as_json)
