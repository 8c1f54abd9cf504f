"""G28: on an unsafe server the program names the reason and does not start."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from database.errors import UnsafeConfiguration
from database.facts import read_facts
from database.postgres import EmbeddedServer
from database.safety import DB_FUNCTIONS, check_safe, list_dangers
from tests.conftest import Database, embedded
from tests.database.postmaster import server_identity
from tests.waiting import wait_until

LOG = "CREATE TABLE escrow_events (notification_id bigint, state bytea)"


@pytest.mark.guarantee("G28", faults="none: the server that we start ourselves")
def test_the_embedded_server_is_safe(database: Database) -> None:
    with psycopg.connect(database.app_dsn) as connection:
        check_safe(connection, {})


def test_the_reason_is_in_the_error(database: Database) -> None:
    execute(database.superuser_dsn, f"ALTER DATABASE {database.name} SET synchronous_commit = off")
    with (
        psycopg.connect(database.app_dsn) as connection,
        pytest.raises(UnsafeConfiguration, match="synchronous_commit"),
    ):
        check_safe(connection, {})


@pytest.mark.guarantee("G28", planted="synchronous_commit is off, damage is read as nothing")
@pytest.mark.parametrize("setting", ["synchronous_commit", "zero_damaged_pages", "ignore_checksum_failure"])
def test_a_setting_of_the_database_or_role_counts(database: Database, setting: str) -> None:
    value = "off" if setting == "synchronous_commit" else "on"
    execute(database.superuser_dsn, f"ALTER DATABASE {database.name} SET {setting} = {value}")
    assert dangers_of(database.app_dsn) == {f"{setting}_{value}"}


def test_disabled_triggers_count(database: Database) -> None:
    execute(database.superuser_dsn, f"ALTER DATABASE {database.name} SET session_replication_role = replica")
    assert dangers_of(database.app_dsn) == {"triggers_disabled"}


@pytest.mark.guarantee("G28", planted="fsync or full_page_writes is off")
@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_setting_of_the_server_counts(own_server: EmbeddedServer, setting: str) -> None:
    execute(own_server.superuser_dsn(), f"ALTER SYSTEM SET {setting} = off")
    execute(own_server.superuser_dsn(), "SELECT pg_reload_conf()")
    wait_until(lambda: dangers_of(own_server.dsn("app")) == {f"{setting}_off"})


@pytest.mark.guarantee("G28", planted="the cluster has no checksums")
def test_missing_checksums_count(home: Path) -> None:
    with embedded(home):
        facts = read_facts(home).embedded
    program = [facts.bin_dir / "pg_checksums", "--disable", "-D", facts.root / "data"]
    subprocess.run(program, cwd="/", check=True, capture_output=True, **server_identity())
    with embedded(home) as server:
        assert dangers_of(server.dsn("app")) == {"data_checksums_off"}


@pytest.mark.guarantee("G28", planted="the application may write the log, or owns it")
@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("ALTER ROLE escrow_app SUPERUSER", "application_is_superuser"),
        ("GRANT escrow_owner TO escrow_app", "application_owns_log"),
        ("GRANT INSERT ON escrow_events TO escrow_app", "application_writes_log"),
        ("GRANT UPDATE (state) ON escrow_events TO escrow_app", "application_writes_log"),
        ("GRANT TRUNCATE ON escrow_events TO PUBLIC", "application_writes_log"),
    ],
)
def test_an_application_that_could_rewrite_the_log_counts(
    own_server: EmbeddedServer, statement: str, reason: str
) -> None:
    execute(own_server.dsn("owner"), LOG)
    assert dangers_of(own_server.dsn("app")) == set()
    execute(own_server.superuser_dsn("escrow"), statement)
    assert reason in dangers_of(own_server.dsn("app"))


@pytest.mark.guarantee("G28", planted="the event library's database functions are on")
@pytest.mark.parametrize(
    ("value", "dangerous"), [("y", True), ("1", True), ("maybe", True), ("no", False), ("", False)]
)
def test_the_event_librarys_database_functions_count(database: Database, value: str, dangerous: bool) -> None:
    with psycopg.connect(database.app_dsn) as connection:
        assert ("db_functions_enabled" in list_dangers(connection, {DB_FUNCTIONS: value})) is dangerous


def execute(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement)


def dangers_of(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as connection:
        return set(list_dangers(connection, {}))
