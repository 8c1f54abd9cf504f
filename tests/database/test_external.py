"""A server of one's own: provisioned once, its roles never taken from a running program, no password shown."""

from collections.abc import Generator
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from database.connect import resolve_dsn
from database.describe import describe
from database.errors import DatabaseUnavailable, NotProvisioned, RolesInUse
from database.facts import DATABASE_ROLES, Facts, read_facts, write_facts
from database.migrate import list_migrations, migrate
from database.postgres import EmbeddedServer
from database.settings import Settings
from tests.conftest import Database, embedded
from tests.database.fake_binaries import make_fake
from tests.home import own_home

DATABASES = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'"
ROLES = "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'"


@pytest.fixture(scope="module")
def lent_server() -> Generator[EmbeddedServer]:
    """One for all tests of this file that leave its settings alone."""
    with own_home("escrow-lent-") as home, embedded(home) as server:
        yield server


@pytest.fixture
def bare_server(lent_server: EmbeddedServer) -> EmbeddedServer:
    """Without our roles, or anybody's, and with a database `ledger`: as a customer hands it over."""
    with psycopg.connect(lent_server.superuser_dsn(), autocommit=True) as connection:
        for (name,) in connection.execute(DATABASES).fetchall():
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
        roles = [Identifier(name) for (name,) in connection.execute(ROLES).fetchall()]
        for role in roles:
            connection.execute(SQL("DROP OWNED BY {}").format(role))
        if roles:
            connection.execute(SQL("DROP ROLE {}").format(SQL(", ").join(roles)))
        connection.execute("CREATE DATABASE ledger")
    return lent_server


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


def test_a_home_that_knows_the_passwords_may_use_another_database_while_it_runs(
    bare_server: EmbeddedServer, tmp_path: Path
) -> None:
    first = resolve_dsn(settings_for(bare_server.superuser_dsn("ledger"), tmp_path), "app")
    with psycopg.connect(bare_server.superuser_dsn(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE books")
    with psycopg.connect(first):
        second = resolve_dsn(settings_for(bare_server.superuser_dsn("books"), tmp_path), "app")
    assert ask(second, "SELECT current_database()") == "books"


def test_a_server_without_a_free_connection_is_not_taken_for_another_homes(
    bare_server: EmbeddedServer, tmp_path: Path
) -> None:
    settings = settings_for(bare_server.superuser_dsn("ledger"), tmp_path)
    app = resolve_dsn(settings, "app")
    before = read_facts(tmp_path).external
    with psycopg.connect(bare_server.superuser_dsn(), autocommit=True) as connection:
        connection.execute("ALTER DATABASE ledger CONNECTION LIMIT 1")
    with psycopg.connect(app), pytest.raises(DatabaseUnavailable, match="no connection is free"):
        resolve_dsn(settings, "app")
    assert read_facts(tmp_path).external == before


def test_a_server_whose_slots_are_all_taken_is_not_taken_for_another_homes(
    bare_server: EmbeddedServer, tmp_path: Path
) -> None:
    settings = settings_for(bare_server.superuser_dsn("ledger"), tmp_path)
    app = resolve_dsn(settings, "app")
    with ExitStack() as sessions:
        with suppress(psycopg.OperationalError):
            while True:
                sessions.enter_context(psycopg.connect(app))
        with pytest.raises(DatabaseUnavailable, match="no connection is free"):
            resolve_dsn(settings, "app")


@pytest.mark.parametrize("user", ["admin:p@", ""])
def test_a_url_without_a_database_means_one_database_wherever_it_is_read(
    bare_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    """libpq's rule: PGDATABASE, else the name of the user, who may come from PGUSER or be that of the system."""
    with psycopg.connect(bare_server.superuser_dsn(), autocommit=True) as connection:
        connection.execute("CREATE ROLE admin LOGIN SUPERUSER PASSWORD 'p'")
        connection.execute("CREATE DATABASE admin")
    socket_dir = read_facts(bare_server.home).embedded.socket_dir
    for name, value in {"PGUSER": "admin", "PGPASSWORD": "p"}.items():
        monkeypatch.setenv(name, value)
    settings = settings_for(f"postgresql://{user}/?host={socket_dir}", tmp_path)
    for role in ("owner", "app"):
        assert ask(resolve_dsn(settings, role), "SELECT current_database()") == "admin"
    monkeypatch.setenv("PGDATABASE", "ledger")
    for role in ("owner", "app"):
        assert ask(resolve_dsn(settings, role), "SELECT current_database()") == "ledger"
    assert describe(settings)["server"]["dbname"] == "ledger"


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


def test_the_running_programs_are_described_and_those_of_a_restart_beside_them(
    own_server: EmbeddedServer, home: Path, tmp_path: Path
) -> None:
    settings = Settings(database_url=None, escrow_home=home)
    running = describe(settings)
    assert "after_restart" not in running
    (tmp_path / "same").symlink_to(running["bin_dir"])
    other = describe(settings.model_copy(update={"escrow_pg_bin": tmp_path / "same"}))
    assert (other["bin_dir"], other["why"]) == (running["bin_dir"], running["why"])
    assert other["after_restart"] == f"{running['version']} from ESCROW_PG_BIN, {tmp_path / 'same'}"
    assert "problem" not in other


@pytest.mark.parametrize(("version", "said"), [("17.1", "made this data"), ("14.9", "15 or newer")])
def test_a_restart_that_would_fail_is_a_problem_although_the_server_runs(
    own_server: EmbeddedServer, home: Path, tmp_path: Path, version: str, said: str
) -> None:
    make_fake(tmp_path, version)
    found = describe(Settings(database_url=None, escrow_home=home, escrow_pg_bin=tmp_path))
    assert found["running"]
    assert found["bin_dir"] != str(tmp_path)
    assert said in found["problem"]


def as_user(server: EmbeddedServer, user: str, password: str) -> str:
    return f"postgresql://{user}:{password}@/ledger?host={read_facts(server.home).embedded.socket_dir}"


def ask(dsn: str, statement: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(statement).fetchone()
        return row[0] if row else None
