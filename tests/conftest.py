"""One PostgreSQL for the whole run, one database per test.

The process that the developer started owns the server, also when pytest-xdist spreads the tests over workers: a worker
asks for it by creating a file. So a run that needs no database starts none, and a killed run leaves none behind.
"""

import fcntl
import functools
import os
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx
import psycopg
import pytest
from httpx._transports import default as transports
from psycopg.sql import SQL, Identifier
from xdist.remote import Producer

from database.binaries import find_server
from database.facts import DatabaseRole, EmbeddedFacts, read_facts
from database.migrate import migrate
from database.postgres import EmbeddedServer, make_dsn
from database.roles import name_of, open_database
from database.settings import Settings
from projections.install import install
from tests.home import make_home, remove_home
from tests.running_demo import Demo, run_demo
from tests.spreading import ByFile, begin_with_demo
from tests.waiting import wait_until

HOME_VARIABLE = "ESCROW_TEST_HOME"
WANTED = "wanted"
TEMPLATE = "escrow_template"
START_SECONDS = 120.0
NUMBERS = count(1)

# Reading the certificate authorities takes a client of HTTP longer than most requests, and no test asks one by HTTPS.
transports.create_ssl_context = functools.cache(httpx.create_ssl_context)


@dataclass(frozen=True)
class Server:
    """The run's server as a test process sees it."""

    facts: EmbeddedFacts

    def dsn(self, role: DatabaseRole, dbname: str) -> str:
        """The URL of `dbname` for a role of the product."""
        return make_dsn(self.facts, name_of(role), self.facts.passwords.of(role), dbname)

    def superuser_dsn(self, dbname: str = "postgres") -> str:
        """For what no role of the product may do."""
        return make_dsn(self.facts, "postgres", self.facts.superuser_password, dbname)


@dataclass(frozen=True)
class Database:
    """A fresh, migrated database that goes away with its test."""

    name: str
    owner_dsn: str
    app_dsn: str
    auditor_dsn: str
    superuser_dsn: str


def pytest_configure(config: pytest.Config) -> None:
    """In the controlling process: a home for the server, and somebody who starts it when it is wanted."""
    if hasattr(config, "workerinput"):
        return
    home = make_home("escrow-test-")
    forget_settings(home)
    os.environ[HOME_VARIABLE] = str(home)
    starter = Starter(home)
    config.add_cleanup(starter.stop)
    starter.thread.start()


def forget_settings(home: Path) -> None:
    """Leave no setting of the developer's own installation to any test or process, but which PostgreSQL to run."""
    for name in [name for name in os.environ if name.lower() in Settings.model_fields]:
        if name != "ESCROW_PG_BIN":
            del os.environ[name]
    os.environ.pop("COLUMNS", None)
    os.environ["ESCROW_HOME"] = str(home / "nobody")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Whatever way of spreading was asked for."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In every worker alike."""
    begin_with_demo(items)


def embedded(home: Path) -> EmbeddedServer:
    """A server of this home, of the PostgreSQL that the environment selects."""
    return EmbeddedServer(home, find_server(Settings()))


class Starter:
    """Waits for the first test that wants a database."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.server = embedded(home)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self.over.wait(0.02):
            if (self.home / WANTED).exists():
                self._start()
                return

    def _start(self) -> None:
        try:
            self.server.start()
            with psycopg.connect(self.server.superuser_dsn(), autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET max_wal_size = '256MB'")
                # All tests that run at once share them.
                connection.execute("ALTER SYSTEM SET max_connections = 300")
            self.server.stop()
            self.server.start()
            (self.home / "started").touch()
        except Exception as error:
            (self.home / "failed").write_text(str(error))
            raise

    def stop(self) -> None:
        """Stop the server and remove what it kept, also where it had to keep it elsewhere."""
        self.over.set()
        self.thread.join()
        self.server.stop()
        remove_home(self.home)


@pytest.fixture(scope="session")
def server() -> Server:
    """The run's server with its migrated template, started by the first test that asks."""
    home = Path(os.environ[HOME_VARIABLE])
    (home / WANTED).touch()
    failed = home / "failed"
    wait_until(lambda: (home / "started").exists() or failed.exists(), seconds=START_SECONDS)
    assert not failed.exists(), failed.read_text()
    facts = read_facts(home).embedded
    assert facts is not None
    running = Server(facts)
    with _alone(home / "template.lock"):
        make_template(running)
    return running


@pytest.fixture
def database(server: Server) -> Generator[Database]:
    """A clone of the migrated template, dropped afterwards even when connections were left open."""
    with cloned(server) as database:
        yield database


@contextmanager
def cloned(server: Server, template: str = TEMPLATE) -> Generator[Database]:
    """A clone of a database to which nobody is connected."""
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    with psycopg.connect(server.superuser_dsn(), autocommit=True) as connection:
        clone(connection, name, template)
    yield describe(server, name)
    drop(server, name)


@pytest.fixture(scope="session")
def demo() -> Generator[Demo]:
    """A running demo, one for all tests of a process; whoever changes something in it leaves it sound."""
    with run_demo() as running:
        yield running


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def bare_database(server: Server) -> Generator[Database]:
    """An empty database, not migrated."""
    name = f"bare_{os.getpid()}_{next(NUMBERS)}"
    with psycopg.connect(server.superuser_dsn(), autocommit=True) as connection:
        _create_empty(connection, name)
    yield describe(server, name)
    drop(server, name)


def describe(server: Server, name: str) -> Database:
    return Database(
        name=name,
        owner_dsn=server.dsn("owner", name),
        app_dsn=server.dsn("app", name),
        auditor_dsn=server.dsn("auditor", name),
        superuser_dsn=server.superuser_dsn(name),
    )


def drop(server: Server, name: str) -> None:
    """Also when connections to it were left open."""
    with psycopg.connect(server.superuser_dsn(), autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_template(server: Server) -> None:
    """Once per run, whichever worker comes first; built under another name so that a failed attempt is not cloned."""
    with psycopg.connect(server.superuser_dsn(), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone():
            return
        connection.execute("DROP DATABASE IF EXISTS template_attempt WITH (FORCE)")
        _create_empty(connection, "template_attempt")
        _install(server.dsn("owner", "template_attempt"))
        connection.execute(SQL("ALTER DATABASE template_attempt RENAME TO {}").format(Identifier(TEMPLATE)))


def _create_empty(connection: psycopg.Connection, name: str) -> None:
    connection.execute(SQL("CREATE DATABASE {} OWNER escrow_owner").format(Identifier(name)))
    open_database(connection, name)


def _install(owner_dsn: str) -> None:
    """Everything a new database gets: the migrations and the tables of the read models."""
    migrate(owner_dsn)
    install(owner_dsn)


def clone(connection: psycopg.Connection, name: str, template: str = TEMPLATE) -> None:
    statement = SQL("CREATE DATABASE {} OWNER escrow_owner TEMPLATE {} STRATEGY wal_log")
    connection.execute(statement.format(Identifier(name), Identifier(template)))
    open_database(connection, name)
