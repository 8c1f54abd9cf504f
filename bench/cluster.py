"""What every measurement stands on: a server of its own on a real disk, and fresh, migrated databases in it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg.sql import SQL, Identifier

from database.binaries import find_server
from database.facts import read_facts
from database.migrate import migrate
from database.postgres import EmbeddedServer
from database.roles import open_database
from database.settings import Settings
from projections.install import install

NUMBERS = count(1)
IN_MEMORY = {"tmpfs", "ramfs", "devtmpfs"}


@dataclass(frozen=True)
class Database:
    """A database of its own; the URLs hold passwords."""

    name: str
    owner_dsn: str
    app_dsn: str
    superuser_dsn: str


@dataclass(frozen=True)
class Cluster:
    """The running server, with every database in it, and the conditions under which it is measured."""

    server: EmbeddedServer
    conditions: str

    def make_database(self, *, empty: bool = False) -> Database:
        """Create and migrate one; an `empty` one has no tables and is the yardsticks' playground."""
        name = f"bench_{next(NUMBERS)}"
        with psycopg.connect(self.server.superuser_dsn(), autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {} OWNER escrow_owner").format(Identifier(name)))
            open_database(connection, name)
        made = Database(
            name=name,
            owner_dsn=self.server.dsn("owner", name),
            app_dsn=self.server.dsn("app", name),
            superuser_dsn=self.server.superuser_dsn(name),
        )
        if not empty:
            migrate(made.owner_dsn)
            install(made.owner_dsn)
        return made

    def drop(self, database: Database) -> None:
        """Give the disk back."""
        with psycopg.connect(self.server.superuser_dsn(), autocommit=True) as connection:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(database.name)))

    def settle(self) -> None:
        """Let no checkpoint of what was filled in fall into what is measured."""
        execute(self.server.superuser_dsn(), "CHECKPOINT")


@contextmanager
def open_cluster() -> Generator[Cluster]:
    """Start a server below a new folder on a real disk, and remove everything afterwards."""
    home = Path(tempfile.mkdtemp(prefix="escrow-bench-", dir=choose_disk()))
    home.chmod(0o711)
    try:
        with EmbeddedServer(home, find_server(Settings())) as server:
            yield Cluster(server, _describe(server))
    finally:
        facts = read_facts(home).embedded
        if facts is not None:
            shutil.rmtree(facts.root, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def choose_disk() -> Path:
    """A temporary folder that is not in memory, where fsync costs nothing."""
    for folder in (Path(tempfile.gettempdir()), Path("/var/tmp"), Path.cwd()):  # noqa: S108 - mkdtemp makes it private
        if os.access(folder, os.W_OK) and read_file_system(folder) not in IN_MEMORY:
            return folder
    raise SystemExit("there is no folder on a real disk")


def read_file_system(folder: Path) -> str:
    """The type of the file system that the folder lies on."""
    done = subprocess.run(["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True, check=True)  # noqa: S607
    return done.stdout.strip()


def execute(dsn: str, statement: LiteralString, *parameters: object) -> list[tuple[object, ...]]:
    """Run one statement in autocommit; its rows, if it has any."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


def find_pgbench() -> Path:
    """It comes with the server's programs."""
    return find_server(Settings()).path_of("pgbench")


def _describe(server: EmbeddedServer) -> str:
    settings = {
        name: execute(server.superuser_dsn(), "SELECT current_setting(%s)", name)[0][0]
        for name in ("fsync", "synchronous_commit", "server_version")
    }
    assert settings["fsync"] == settings["synchronous_commit"] == "on", "a fast lie measures nothing"
    disk = read_file_system(server.home)
    return f"PostgreSQL {settings['server_version']}, fsync on, {disk}, {os.cpu_count()} cores shared with the client"
