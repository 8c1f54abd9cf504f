"""Does appending slow down as the log grows? The same batches at 10,000 events and at a million."""

from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from time import perf_counter
from uuid import uuid4

import psycopg

from bench.cluster import Cluster, Database
from bench.measurement import Measurement, limit
from bench.million import told
from bench.size import Size
from database.queries import load
from eventstore.arrays import register_arrays
from eventstore.batch import parameters_of
from eventstore.proposal import NewEvent, Proposal

SQL = load("eventstore", "log.sql")
BATCH = 32
STATE = b'{"padding":"' + b"x" * 500 + b'"}'


def measure(cluster: Cluster, size: Size) -> list[Measurement]:
    """The append function alone, in batches of 32 commands, on both logs in turn."""
    short, long = told(cluster, size.short), told(cluster, size.long)
    cluster.settle()
    at_short, at_long = append_in_turn([short, long], size.batches)
    conditions = f"{cluster.conditions}; {BATCH} commands of one event per batch, one connection, both logs in turn"
    name = f"append at {long.events:,} events / at {short.events:,}"
    ours, yardstick = median(at_long) * 1000, median(at_short) * 1000
    return [limit(name, ours, yardstick, reach=1.3, unit="ms/batch", conditions=conditions)]


def append_in_turn(databases: Sequence[Database], batches: int) -> list[list[float]]:
    """Seconds of each batch, per database."""
    seconds: list[list[float]] = [[] for _ in databases]
    with ExitStack() as stack:
        connections = [stack.enter_context(open_appending(database)) for database in databases]
        for _ in range(batches):
            for place, connection in enumerate(connections):
                seconds[place].append(append(connection))
    return seconds


def open_appending(database: Database) -> psycopg.Connection:
    """As the writer has it."""
    connection = psycopg.connect(database.app_dsn, autocommit=True)
    connection.prepare_threshold = 0
    register_arrays(connection)
    return connection


def append(connection: psycopg.Connection) -> float:
    """Append a batch of new streams; return how long it took."""
    parameters = parameters_of([propose() for _ in range(BATCH)])
    began = perf_counter()
    with connection.cursor(binary=True) as cursor:
        outcomes = cursor.execute(SQL.append_events, parameters).fetchall()
    assert all(row[1] == "stored" for row in outcomes)
    return perf_counter() - began


def propose() -> Proposal:
    """One event on a stream of its own."""
    stream = uuid4()
    digest = stream.bytes * 2
    return Proposal(digest, digest, [NewEvent(stream, 1, "bench.appended.v1", STATE)], stream, 1)
