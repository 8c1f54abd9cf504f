"""Facts about the server for `escrow doctor`: which one, why, where, and whether it answers."""

from typing import TypedDict

import psycopg

from database.account import choose_account
from database.binaries import find_server
from database.cluster import refuse_other_version
from database.errors import DatabaseError
from database.external import describe_external
from database.facts import EmbeddedFacts, is_owner_alive, read_facts
from database.place import LOG_NAME, find_copy, find_root
from database.postgres import DATABASE, is_answering, make_dsn
from database.roles import name_of
from database.settings import Settings
from database.timeouts import PATIENT_CONNECT_SECONDS


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
    after_restart: str
    server: dict[str, str]
    problem: str


def describe(settings: Settings) -> ServerFacts:
    """What is running, or what would be started; starts nothing, changes nothing, holds no password.

    `after_restart` names other programs than those that run, which a restart would choose.
    """
    if settings.database_url is not None:
        return _describe_external(settings.database_url.get_secret_value())
    home = settings.escrow_home.resolve()
    found: ServerFacts = {"kind": "embedded", "database": DATABASE, "running": False}
    facts = read_facts(home).embedded
    if facts is not None and is_owner_alive(facts) and is_answering(facts):
        found |= {**_describe_running(facts), **_describe_restart(settings, facts)}
    else:
        found |= {**_describe_programs(settings), "data_dir": str(find_root(home, choose_account()) / "data")}
    return {**found, "log_file": str(home / LOG_NAME)}


def _describe_programs(settings: Settings) -> ServerFacts:
    try:
        binaries = find_server(settings)
    except DatabaseError as error:
        return {"problem": str(error)}
    return {"why": f"programs from {binaries.source}", "version": binaries.version, "bin_dir": str(binaries.bin_dir)}


def _describe_running(facts: EmbeddedFacts) -> ServerFacts:
    dsn = make_dsn(facts, name_of("app"), facts.passwords.app, DATABASE)
    return {
        "running": True,
        "why": f"programs from {facts.source}",
        "version": _read_version(dsn),
        "bin_dir": str(facts.bin_dir),
        "data_dir": str(facts.root / "data"),
        "account": facts.account or "",
        "started_at": facts.started_at or "",
        "owner_pid": facts.owner_pid or 0,
        "socket_dir": str(facts.socket_dir),
    }


def _describe_restart(settings: Settings, facts: EmbeddedFacts) -> ServerFacts:
    """Empty when a restart would change nothing."""
    try:
        chosen = find_server(settings)
        refuse_other_version(facts.root / "data", chosen)
    except DatabaseError as error:
        return {"problem": f"a restart would fail: {error}"}
    if facts.version == chosen.version and facts.bin_dir in (chosen.bin_dir, find_copy(chosen)):
        return {}
    return {"after_restart": f"{chosen.version} from {chosen.source}, {chosen.bin_dir}"}


def _describe_external(url: str) -> ServerFacts:
    found: ServerFacts = {"kind": "external", "why": "DATABASE_URL is set", "server": describe_external(url)}
    try:
        return {**found, "running": True, "version": _read_version(url)}
    except psycopg.OperationalError:  # whose words may quote parts of a URL that was cut in the wrong place
        return {**found, "running": False, "problem": "it does not answer, or refuses this user or database"}


def _read_version(dsn: str) -> str:
    with psycopg.connect(dsn, connect_timeout=PATIENT_CONNECT_SECONDS) as connection:
        return connection.info.parameter_status("server_version") or ""
