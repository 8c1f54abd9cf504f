"""What the tests of the log share: an escrow on a database, requests, proposals, calls of the SQL function."""

import asyncio
import functools
import hashlib
import itertools
import os
import uuid
from collections.abc import Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from database.connect import Pool, open_pool
from database.migrate import migrate
from database.queries import load
from domain.actor import Actor, Role
from domain.ids import uuid7
from eventstore.appender import Appender
from eventstore.arrays import register_arrays
from eventstore.batch import outcomes_of, parameters_of
from eventstore.escrow import Escrow, Request
from eventstore.proposal import NewEvent, Outcome, Proposal
from tests.eventstore.toys import OpenPurse, PutIn

SQL = load("eventstore", "log.sql")
BUYER = Actor("01890000-0000-7000-8000-000000000001", Role.BUYER)
NUMBERS = itertools.count(1)


def digest(text: object) -> bytes:
    return hashlib.sha256(str(text).encode()).digest()


def clock() -> datetime:
    return datetime.now(UTC)


def new_id() -> uuid.UUID:
    return uuid7(clock(), os.urandom)


def request(key: object = None, body: object = "body", actor: Actor = BUYER) -> Request:
    """A request with a key of its own, unless one is given."""
    key = f"key {next(NUMBERS)} of {os.getpid()}" if key is None else key
    return Request(actor=actor, command_id=digest(key), digest=digest(body), request_id=f"r-{key}")


def proposal(
    stream=None, version=1, count=1, key=None, body="body", state=b"{}", topic="toy.any.v1", reads=()
) -> Proposal:
    """One command with `count` events on one stream."""
    stream = stream or uuid.uuid4()
    events = [NewEvent(stream, version + n, topic, state) for n in range(count)]
    command = digest(uuid.uuid4() if key is None else key)
    return Proposal(command, digest(body), events, stream, version + count - 1, tuple(reads))


def append(connection, *batch: Proposal) -> list[Outcome]:
    """Call the SQL function directly."""
    with connection.cursor(binary=True) as cursor:
        register_arrays(cursor)
        return outcomes_of(cursor.execute(SQL.append_events, parameters_of(batch)).fetchall(), resent=False)


def verdicts(outcomes) -> list[str]:
    return [str(outcome.verdict) for outcome in outcomes]


@contextmanager
def impatient(appender: Appender, seconds: float = 1.0) -> Generator[None]:
    """For a while it waits no longer than this; the connections that it needs it has made in peace before."""
    before, appender._patience_seconds = appender._patience_seconds, seconds
    try:
        yield
    finally:
        appender._patience_seconds = before


def connect(dsn: str) -> psycopg.Connection:
    return psycopg.connect(dsn, autocommit=True)


@dataclass
class Running:
    escrow: Escrow
    pool: Pool
    appender: Appender


@asynccontextmanager
async def running(dsn: str, **settings):
    """An escrow as the application runs it."""
    async with open_pool(dsn, max_size=4) as pool, Appender(dsn, **settings) as appender:
        yield Running(Escrow(pool, appender, clock, new_id), pool, appender)


def in_loop(test):
    """Let a test be a coroutine."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        return asyncio.run(test(*args, **kwargs))

    return run


def migrated(server) -> str:
    """The address of the application's database on a server of the test's own, with the log in it."""
    migrate(server.dsn("owner"))
    return server.dsn("app")


def facts(aggregate):
    """What an aggregate is, without the context of the command that is over."""
    return {name: value for name, value in vars(aggregate).items() if name != "_context"}


async def open_purse(escrow, amount_minor=0):
    stream = new_id()
    await escrow.execute(stream, OpenPurse(), request())
    if amount_minor:
        await escrow.execute(stream, PutIn(amount_minor=amount_minor), request())
    return stream
