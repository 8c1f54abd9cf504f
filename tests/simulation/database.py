"""One database for many seeds: emptied before each, so that a seed finds the same log whichever ran before it."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg

from database.connect import open_pool
from database.facts import read_facts
from identity.user import NewUser, User, create_user
from tests.conftest import Database, Server, clone, describe, embedded, make_template
from tests.home import own_home
from tests.registrar import open_locksmith

BORN = datetime(2026, 1, 1, tzinfo=UTC)
BUYERS, SELLERS = 3, 2
KEPT = (
    "users",
    "user_roles",
    "user_passwords",
    "user_keys",
    "pepper_versions",
    "projection_checkpoints",
    "schema_migrations",
)
TABLES = """
SELECT string_agg(format('%%I', c.relname), ', ')
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relname = ANY(%s)
"""


@contextmanager
def own_databases(count: int) -> Iterator[Sequence[Database]]:
    """A server for this run alone, with so many databases in it."""
    with own_home("escrow-simulation-") as home, embedded(home):
        facts = read_facts(home).embedded
        assert facts is not None
        server = Server(facts)
        make_template(server)
        names = [f"simulation_{number}" for number in range(count)]
        with psycopg.connect(server.superuser_dsn(), autocommit=True) as connection:
            for name in names:
                clone(connection, name)
        yield [describe(server, name) for name in names]


class Eraser:
    """Empties everything but the people, in one statement, past the triggers that protect the log."""

    def __init__(self, superuser_dsn: str) -> None:
        self._connection = psycopg.connect(superuser_dsn, autocommit=True)
        row = self._connection.execute(TABLES, (list(KEPT),)).fetchone()
        assert row is not None
        self._statement = f"TRUNCATE {row[0]} RESTART IDENTITY CASCADE"

    def erase(self) -> None:
        with self._connection.transaction():
            self._connection.execute("SET LOCAL session_replication_role = replica")
            self._connection.execute(self._statement)
            self._connection.execute("UPDATE projection_checkpoints SET position = 0, error = NULL")

    def close(self) -> None:
        self._connection.close()


async def create_people(dsn: str) -> tuple[list[User], list[User]]:
    """Buyers and sellers with key pairs; their ids are the same in every run."""
    die = random.Random("people")
    locksmith = open_locksmith(die.randbytes)
    async with open_pool(dsn, max_size=2, autocommit=True) as pool:
        people = []
        for name in [*(f"buyer{n}" for n in range(BUYERS)), *(f"seller{n}" for n in range(SELLERS))]:
            new = NewUser(email=f"{name}@example.com", display_name=name, legal_name=name)
            made = await create_user(pool, locksmith, new, "correct horse", at=BORN, random_bytes=die.randbytes)
            people.append(made)
    return people[:BUYERS], people[BUYERS:]
