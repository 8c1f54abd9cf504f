"""Forward-only migrations: numbered `.sql` files, each applied once, in order, in a transaction of its own.

A number that is missing between two others was never given out: only the order counts.
"""

from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from database.errors import MigrationChanged, MigrationUnknown
from database.queries import load
from database.timeouts import PATIENT_CONNECT_SECONDS

SQL = load("database", "migrate.sql")
PACKAGE = "database.migrations"


class Migration(NamedTuple):
    """One file: `0001_roles.sql`, its bytes and nothing else, so that line endings count too."""

    name: str
    script: bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 of the file as it lies on disk."""
        return sha256(self.script).digest()


def list_migrations() -> list[Migration]:
    """The migrations this program knows, in the order of their numbers."""
    found = [Migration(file.name, file.read_bytes()) for file in files(PACKAGE).iterdir() if file.name.endswith(".sql")]
    return sorted(found)


def migrate(owner_dsn: str) -> list[str]:
    """Apply what is missing as the owner and return the names; a second run returns [].

    Raises MigrationChanged or MigrationUnknown, naming the file, before anything is changed. Several processes may call
    it at once: they queue on an advisory lock.
    """
    with psycopg.connect(owner_dsn, autocommit=True, connect_timeout=PATIENT_CONNECT_SECONDS) as connection:
        connection.execute(SQL.lock)
        connection.execute(SQL.create_schema_migrations)
        return [_apply(connection, migration) for migration in _list_pending(connection, list_migrations())]


def list_pending(dsn: str) -> list[str]:
    """The names that `migrate` would apply; changes nothing, and any role may ask."""
    with psycopg.connect(dsn, autocommit=True, connect_timeout=PATIENT_CONNECT_SECONDS) as connection:
        exists = connection.execute(SQL.has_schema_migrations).fetchone()
        known = list_migrations()
        pending = _list_pending(connection, known) if exists and exists[0] else known
        return [migration.name for migration in pending]


def _list_pending(connection: Connection[TupleRow], known: list[Migration]) -> list[Migration]:
    applied: dict[str, bytes] = dict(connection.execute(SQL.list_applied).fetchall())
    _refuse_differences(applied, {migration.name: migration.digest for migration in known})
    return [migration for migration in known if migration.name not in applied]


def _refuse_differences(applied: dict[str, bytes], known: dict[str, bytes]) -> None:
    for name, digest in applied.items():
        if name not in known:
            raise MigrationUnknown(file=name)
        if known[name] != digest:
            raise MigrationChanged(file=name)


def _apply(connection: Connection[TupleRow], migration: Migration) -> str:
    with connection.transaction():
        # The lock queue of a waiting ALTER TABLE would stop every command behind it; better to fail and be run again.
        connection.execute(SQL.limit_lock_waits)
        connection.execute(migration.script)
        connection.execute(SQL.record, (migration.name, migration.digest))
    return migration.name
