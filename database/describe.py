"""Facts about the server for `escrow doctor`: which one, why, where, and whether it answers."""

from typing import TypedDict

import psycopg

from database.account import choose_account
from database.binaries import find_server
from database.errors import DatabaseError
from database.external import describe_external
from database.facts import EmbeddedFacts, is_owner_alive, read_facts
from database.place import LOG_NAME, find_root
from database.postgres import DATABASE, is_answering, make_dsn
from database.roles import name_of
from database.settings import Settings


class ServerFacts(TypedDict, total=False):
    """JSON as it stands; a key is absent where it means nothing."""

    kind: str
    why: str
    running: bool
    version: str
    database: str
    bin_dir: str
    data_dir: str
    socket_dir: str
    log_file: str
    account: str
    started_at: str
    owner_pid: int
    server: dict[str, str]
    problem: str


def describe(settings: Settings) -> ServerFacts:
    """What would be used and what is running; starts nothing, changes nothing, holds no password."""
    if settings.database_url is not None:
        return _describe_external(settings.database_url.get_secret_value())
    facts = read_facts(settings.escrow_home).embedded
    found: ServerFacts = {"kind": "embedded", "database": DATABASE, "running": False, **_describe_programs(settings)}
    found["data_dir"] = str(find_root(settings.escrow_home, choose_account()) / "data")
    found["log_file"] = str(settings.escrow_home / LOG_NAME)
    return found if facts is None else {**found, **_describe_running(facts)}


def _describe_programs(settings: Settings) -> ServerFacts:
    try:
        binaries = find_server(settings)
    except DatabaseError as error:
        return {"problem": str(error)}
    return {"why": f"programs from {binaries.source}", "version": binaries.version, "bin_dir": str(binaries.bin_dir)}


def _describe_running(facts: EmbeddedFacts) -> ServerFacts:
    running = is_owner_alive(facts) and is_answering(facts)
    found: ServerFacts = {"running": running, "account": facts.account or "", "started_at": facts.started_at or ""}
    if running and facts.owner_pid is not None:
        dsn = make_dsn(facts, name_of("app"), facts.passwords.app, DATABASE)
        found |= {"owner_pid": facts.owner_pid, "socket_dir": str(facts.socket_dir), "version": _read_version(dsn)}
    return found


def _describe_external(url: str) -> ServerFacts:
    found: ServerFacts = {"kind": "external", "why": "DATABASE_URL is set", "server": describe_external(url)}
    try:
        return {**found, "running": True, "version": _read_version(url)}
    except psycopg.OperationalError as error:
        return {**found, "running": False, "problem": type(error).__name__}


def _read_version(dsn: str) -> str:
    with psycopg.connect(dsn, connect_timeout=5) as connection:
        return connection.info.parameter_status("server_version") or ""
