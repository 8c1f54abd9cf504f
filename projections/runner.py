"""The live runner: follows the log, one runner at a time, for as long as its task lives.

It folds in a thread of its own, through the same code as a rebuild, so that the event loop stays free for others.
"""

import asyncio
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import LiteralString

import psycopg
import structlog
from psycopg import Connection
from psycopg.rows import TupleRow

from database.queries import load
from database.timeouts import CONNECT_SECONDS, SILENCE_MS
from projections import checkpoint
from projections.catch_up import ProjectionStopped
from projections.checkpoint import Fenced, NotInstalled, take_over
from projections.lane import Lanes
from projections.reader import LOG, get_head
from projections.registry import PROJECTIONS

SQL = load("projections", "runner.sql")

POLL_SECONDS = 0.5
PAUSE_SECONDS = 0.5
NAMES = [projection.name for projection in PROJECTIONS]

logger = structlog.get_logger("projections")


async def run_projections(dsn: str) -> None:
    """Keep the live tables up to date until cancelled; lost connections are made anew. `dsn` is the application's."""
    runner = Runner(dsn)
    running = asyncio.ensure_future(asyncio.to_thread(runner.run))
    try:
        await asyncio.shield(running)
    finally:
        runner.stop()
        await running


class Runner:
    """Follows the log in the thread that calls `run`.

    A lock on the connection lets one runner work while others stand by. Each take-over raises the fence of every
    projection, and each batch checks it: a runner that was thought dead cannot write when it comes back.
    """

    def __init__(self, dsn: str) -> None:
        """Nothing is connected before `run`."""
        self._dsn = dsn
        self._stopping = threading.Event()
        self._fences: dict[str, int] = {}

    def stop(self) -> None:
        """Let `run` return after the batch under way."""
        self._stopping.set()

    def run(self) -> None:
        """Follow the log until stopped; a page that cannot be read must not end the payouts beside it."""
        while not self._stopping.is_set():
            try:
                with self._connected() as connection:
                    self._lead(connection)
            except (psycopg.Error, Fenced, NotInstalled) as error:
                logger.warning("projections_paused", error=str(error))
                _ = self._stopping.wait(PAUSE_SECONDS)

    @contextmanager
    def _connected(self) -> Generator[Connection[TupleRow]]:
        with psycopg.connect(
            self._dsn,
            autocommit=True,
            application_name="escrow projections",
            connect_timeout=CONNECT_SECONDS,
            tcp_user_timeout=SILENCE_MS,
        ) as connection:
            _ = connection.execute(SQL.limit_session)
            yield connection

    def _lead(self, connection: Connection[TupleRow]) -> None:
        while not self._stopping.is_set():
            if _is_true(connection, SQL.try_lead):
                self._follow(connection)
            else:
                _ = self._stopping.wait(POLL_SECONDS)

    def _follow(self, connection: Connection[TupleRow]) -> None:
        self._fences = take_over(connection, NAMES)
        if len(self._fences) != len(NAMES):
            raise NotInstalled(projections=sorted(set(NAMES) - self._fences.keys()))
        _ = connection.execute(LOG.listen)
        lanes = Lanes(connection, PROJECTIONS, self._fences, partial(self._report, connection), time.monotonic)
        while not self._stopping.is_set():
            head = get_head(connection)
            if lanes.is_behind(head):
                lanes.advance(head)
            else:
                _wait(connection)

    def _report(self, connection: Connection[TupleRow], stopped: ProjectionStopped) -> None:
        """Raise the alert: a row in `projection_failures`, which the list of alerts shows, and in the checkpoint."""
        parameters = {
            "name": stopped.projection,
            "position": stopped.position,
            "error": stopped.reason,
            "fence": self._fences[stopped.projection],
        }
        _ = connection.execute(checkpoint.SQL.record_error, parameters)


def _is_true(connection: Connection[TupleRow], query: LiteralString) -> bool:
    row = connection.execute(query).fetchone()
    return row is not None and bool(row[0])


def _wait(connection: Connection[TupleRow]) -> None:
    for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
        pass
