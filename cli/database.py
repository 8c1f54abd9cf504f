"""The commands about the database: migrate, doctor, dsn."""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
import typer

from cli.output import print_json, say
from database.connect import resolve_dsn
from database.describe import ServerFacts, describe
from database.errors import ServerNotRunning
from database.facts import DATABASE_ROLES, DatabaseRole
from database.migrate import list_pending, migrate
from database.postgres import EmbeddedServer
from database.safety import list_dangers
from database.settings import Settings


@contextmanager
def running_server(settings: Settings) -> Generator[None]:
    """Have a database for the length of the block: one's own, the embedded one that runs, or it is started."""
    if settings.database_url is not None:
        yield
        return
    with EmbeddedServer(settings.escrow_home):
        yield


def prepare_database(settings: Settings) -> list[str]:
    """Apply the migrations and make the tables of the projections; return the names of what was applied."""
    from projections.install import install  # it knows every fold, which commands that only read do not need

    owner = resolve_dsn(settings, "owner")
    applied = migrate(owner)
    install(owner)
    return applied


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
    from cli.failure import PRECONDITION  # it knows every kind of refusal, which every start would have to import

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


def print_dsn(role: str) -> None:
    """Print the address for a role; exit 2 for a role that does not exist."""
    from cli.failure import USAGE

    known: dict[str, DatabaseRole] = {name: name for name in DATABASE_ROLES}
    if role not in known:
        say("--role is one of owner, app, auditor")
        raise typer.Exit(USAGE)
    print(resolve_dsn(Settings(), known[role]))
