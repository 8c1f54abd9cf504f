"""What `escrow migrate`, `escrow doctor` and `escrow dsn` do."""

import psycopg
import typer

from cli.connection import prepare_database, running_server
from cli.exit_code import PRECONDITION
from cli.output import print_json, say
from database.connect import resolve_dsn
from database.describe import ServerFacts, describe
from database.errors import ServerNotRunning
from database.facts import DatabaseRole
from database.migrate import list_pending
from database.safety import list_dangers
from database.settings import Settings


def run_migrations(*, dry_run: bool, as_json: bool) -> None:
    """Apply or list what is missing."""
    settings = Settings()
    with running_server(settings):
        names = list_pending(resolve_dsn(settings, "owner")) if dry_run else prepare_database(settings)
    if as_json:
        print_json({"pending" if dry_run else "applied": names})
    else:
        say("\n".join(names) or "the schema is up to date")


def run_doctor(*, as_json: bool) -> None:
    """Print the facts and the dangers; exit 4 when there is a problem."""
    settings = Settings()
    facts = describe(settings)
    dangers = _dangers(settings, facts)
    if as_json:
        print_json({**facts, "dangers": dangers})
    else:
        _print_facts(facts, dangers)
    if dangers or facts.get("problem"):
        raise typer.Exit(PRECONDITION)


def _dangers(settings: Settings, facts: ServerFacts) -> dict[str, str]:
    if not facts.get("running"):
        return {}
    try:
        with psycopg.connect(resolve_dsn(settings, "app")) as connection:
            return list_dangers(connection)
    except ServerNotRunning:
        return {}


def _print_facts(facts: ServerFacts, dangers: dict[str, str]) -> None:
    for name, fact in facts.items():
        print(f"{name:12} {fact}")
    for name, danger in dangers.items():
        print(f"{'DANGER':12} {name}: {danger}")
    if not dangers and facts.get("running"):
        print(f"{'safe':12} an acknowledged command survives a power cut on this server")


def print_dsn(role: DatabaseRole, *, as_json: bool) -> None:
    """Print the address for a role."""
    dsn = resolve_dsn(Settings(), role)
    if as_json:
        print_json({"role": role, "dsn": dsn})
    else:
        print(dsn)
