"""Migrations: once each, in order, never edited, several runners at a time."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from database.errors import MigrationChanged, MigrationUnknown
from database.migrate import list_migrations, list_pending, migrate
from tests.conftest import Database

NAMES = [migration.name for migration in list_migrations()]


def test_a_second_run_applies_nothing(bare_database: Database) -> None:
    assert list_pending(bare_database.app_dsn) == NAMES
    assert migrate(bare_database.owner_dsn) == NAMES
    assert migrate(bare_database.owner_dsn) == []
    assert list_pending(bare_database.app_dsn) == []


def test_concurrent_runs_apply_each_file_once(bare_database: Database) -> None:
    with ThreadPoolExecutor(4) as threads:
        runs = list(threads.map(migrate, [bare_database.owner_dsn] * 4))
    assert sorted(name for run in runs for name in run) == NAMES


@pytest.mark.guarantee("G23", faults="a migration that was applied has been edited")
def test_an_edited_file_is_refused_by_name(database: Database) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("UPDATE schema_migrations SET sha256 = sha256('edited') WHERE name = %s", (NAMES[0],))
    with pytest.raises(MigrationChanged, match=NAMES[0]):
        migrate(database.owner_dsn)


def test_a_database_of_a_newer_program_is_refused_by_name(database: Database) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("INSERT INTO schema_migrations (name, sha256) VALUES ('9999_later.sql', sha256('x'))")
    with pytest.raises(MigrationUnknown, match=r"9999_later\.sql"):
        migrate(database.owner_dsn)


def test_only_the_owner_makes_objects(database: Database) -> None:
    for dsn in (database.app_dsn, database.auditor_dsn):
        with psycopg.connect(dsn) as connection, pytest.raises(psycopg.Error):
            connection.execute("CREATE TABLE smuggled (x int)")


def test_migrations_work_when_the_roles_exist_already(bare_database: Database) -> None:
    with psycopg.connect(bare_database.superuser_dsn) as connection:
        row = connection.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'escrow\\_%'").fetchone()
    assert row == (3,)
    assert migrate(bare_database.owner_dsn) == NAMES


@pytest.mark.parametrize("attempt", ["first", "second"])
def test_each_test_has_a_database_of_its_own(database: Database, attempt: str) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("CREATE TABLE mine (x text)")
        connection.execute("INSERT INTO mine (x) VALUES (%s)", (attempt,))
