"""A server of one's own: provisioned once, its roles never taken from a running program, no password shown."""

from pathlib import Path

import psycopg
import pytest

from database.connect import resolve_dsn
from database.describe import describe
from database.errors import DatabaseUnavailable, NotProvisioned, RolesInUse
from database.facts import DATABASE_ROLES, Facts, read_facts, write_facts
from database.migrate import list_migrations, migrate
from database.postgres import EmbeddedServer
from database.settings import Settings
from tests.conftest import Database


@pytest.fixture
def bare_server(own_server: EmbeddedServer) -> EmbeddedServer:
    """Without our roles, with a database `ledger`: as a customer hands it over."""
    with psycopg.connect(own_server.superuser_dsn(), autocommit=True) as connection:
        connection.execute("DROP DATABASE escrow")
        for role in DATABASE_ROLES:
            connection.execute(f"DROP ROLE escrow_{role}")
        connection.execute("CREATE DATABASE ledger")
    return own_server


def settings_for(url: str, home: Path) -> Settings:
    return Settings(database_url=url, escrow_home=home)


def test_a_bare_server_is_provisioned_and_migrated(bare_server: EmbeddedServer, tmp_path: Path) -> None:
    settings = settings_for(bare_server.superuser_dsn("ledger"), tmp_path)
    assert migrate(resolve_dsn(settings, "owner")) == [migration.name for migration in list_migrations()]
    for role in DATABASE_ROLES:
        assert (
            ask(resolve_dsn(settings, role), "SELECT current_user || '@' || current_database()")
            == f"escrow_{role}@ledger"
        )
    assert (tmp_path / "postgres.json").stat().st_mode & 0o777 == 0o600


def test_provisioning_again_keeps_the_passwords(bare_server: EmbeddedServer, tmp_path: Path) -> None:
    settings = settings_for(bare_server.superuser_dsn("ledger"), tmp_path)
    assert resolve_dsn(settings, "app") == resolve_dsn(settings, "app")


def test_the_passwords_are_written_down_before_another_process_may_provision(
    bare_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, free = bare_server.superuser_dsn("ledger"), []

    def write(home: Path, facts: Facts) -> None:
        free.append(ask(url, "SELECT pg_try_advisory_lock(hashtextextended('escrow provisioning', 0))"))
        write_facts(home, facts)

    monkeypatch.setattr("database.external.write_facts", write)
    assert ask(resolve_dsn(settings_for(url, tmp_path), "app"), "SELECT current_user") == "escrow_app"
    assert free == [False]


def test_an_administrator_without_superuser_rights_suffices(bare_server: EmbeddedServer, tmp_path: Path) -> None:
    with psycopg.connect(bare_server.superuser_dsn(), autocommit=True) as connection:
        connection.execute("CREATE ROLE admin LOGIN CREATEROLE CREATEDB PASSWORD 'p'")
        connection.execute("ALTER DATABASE ledger OWNER TO admin")
    settings = settings_for(as_user(bare_server, "admin", "p"), tmp_path)
    assert migrate(resolve_dsn(settings, "owner")) != []


def test_a_user_without_rights_is_told_what_is_missing(bare_server: EmbeddedServer, tmp_path: Path) -> None:
    with psycopg.connect(bare_server.superuser_dsn(), autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN PASSWORD 'canary'")
    with pytest.raises(NotProvisioned, match="CREATEROLE") as caught:
        resolve_dsn(settings_for(as_user(bare_server, "plain", "canary"), tmp_path), "app")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("rights", "owner", "missing"),
    [
        ("CREATEROLE", "janitor", "CREATEDB"),
        ("CREATEDB", "janitor", "CREATEROLE"),
        ("CREATEROLE CREATEDB", "postgres", "ownership of the database"),
        ("LOGIN", "postgres", "CREATEROLE and CREATEDB and ownership of the database"),
    ],
)
def test_exactly_the_missing_rights_are_named(
    bare_server: EmbeddedServer, tmp_path: Path, rights: str, owner: str, missing: str
) -> None:
    with psycopg.connect(bare_server.superuser_dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE janitor LOGIN {rights.replace('LOGIN', '')} PASSWORD 'p'")
        connection.execute(f"ALTER DATABASE ledger OWNER TO {owner}")
    with pytest.raises(NotProvisioned) as caught:
        resolve_dsn(settings_for(as_user(bare_server, "janitor", "p"), tmp_path), "app")
    assert caught.value.facts["missing"] == missing
    assert f"missing: {missing}" in str(caught.value)


def test_roles_which_another_home_uses_are_not_taken(own_server: EmbeddedServer, tmp_path: Path) -> None:
    settings = settings_for(own_server.superuser_dsn("escrow"), tmp_path)
    with psycopg.connect(own_server.dsn("app")), pytest.raises(RolesInUse, match=r"postgres\.json"):
        resolve_dsn(settings, "app")
    assert read_facts(tmp_path).external is None


def test_roles_which_nobody_uses_get_new_passwords(own_server: EmbeddedServer, tmp_path: Path) -> None:
    dsn = resolve_dsn(settings_for(own_server.superuser_dsn("escrow"), tmp_path), "app")
    assert ask(dsn, "SELECT current_user") == "escrow_app"


def test_a_url_that_names_the_role_is_taken_as_it_is(database: Database, tmp_path: Path) -> None:
    assert resolve_dsn(settings_for(database.app_dsn, tmp_path), "app") == database.app_dsn


def test_an_absent_server_is_unavailable_and_the_password_is_not_shown(tmp_path: Path) -> None:
    url = f"postgresql://u:canary@/d?host={tmp_path}"
    with pytest.raises(DatabaseUnavailable) as caught:
        resolve_dsn(settings_for(url, tmp_path), "app")
    assert "canary" not in str(caught.value)
    facts = describe(settings_for(url, tmp_path))
    assert (facts["kind"], facts["running"]) == ("external", False)
    assert "canary" not in str(facts)


def test_the_embedded_server_is_described_running_and_stopped(own_server: EmbeddedServer, home: Path) -> None:
    settings = Settings(database_url=None, escrow_home=home)
    running = describe(settings)
    assert (running["kind"], running["running"]) == ("embedded", True)
    assert running["why"].startswith("programs from ")
    own_server.stop()
    stopped = describe(settings)
    assert (stopped["running"], stopped["data_dir"]) == (False, running["data_dir"])


def as_user(server: EmbeddedServer, user: str, password: str) -> str:
    return f"postgresql://{user}:{password}@/ledger?host={read_facts(server.home).embedded.socket_dir}"


def ask(dsn: str, statement: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(statement).fetchone()
        return row[0] if row else None
