"""The one mechanism that folds the log into tables: the live runner, rebuild, verify and as-of all use it.

One batch is one transaction: the events are read, folded and written, and the checkpoint moves with the rows. So a
crash at any point leaves rows and checkpoint of the same position, and nothing is applied twice or lost.
"""

import gc
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from database.damage import DAMAGED
from domain.errors import DetailedError
from eventstore.log import END, MissingPosition, RecordedEvent
from projections.checkpoint import (
    LIVE,
    Checkpoint,
    advance_checkpoints,
    enter_schema,
    lock_checkpoints,
    require_fences,
    resolve_errors,
)
from projections.projection import Projection
from projections.reader import UnknownTopic, get_head, known_topics, read_range, read_streams, require_dense
from projections.rows import Rows
from projections.streams import Streams
from projections.writer import preload, write

BATCH_SIZE = 12_000
REASON_LENGTH = 500

Progress = Callable[[int, int], None]


class ProjectionStopped(DetailedError):
    """A projection met an event that it cannot fold. It stays where it is: nothing is ever skipped."""

    code = "projection_stopped"
    status = 500

    def __init__(self, projection: str, position: int, error: Exception) -> None:
        """`position` is that of the event; the reason names it and what is wrong with it."""
        self.projection = projection
        self.position = position
        self.reason = f"{type(error).__name__}: {error}"[:REASON_LENGTH]
        super().__init__(projection=projection, position=position, reason=self.reason)


class FoldFailed(Exception):
    """Something in this batch cannot be folded by this projection; the batch was rolled back."""

    def __init__(self, projection: str, error: Exception) -> None:
        """Keep what failed and why."""
        super().__init__(projection)
        self.projection = projection
        self.error = error


def catch_up_together(
    connection: Connection[TupleRow],
    projections: Sequence[Projection],
    *,
    upto: int | None = None,
    schema: str = LIVE,
    batch_size: int = BATCH_SIZE,
    progress: Progress | None = None,
) -> int:
    """Fold the log from the checkpoints in `schema` up to position `upto`, by default the present end; return it.

    Several projections share one reading of the log. The connection must be outside a transaction: each batch is one
    of its own, and what is committed when this is interrupted is where the next call goes on. `progress` is told the
    position reached and the last one. Raises `ProjectionStopped`, `NotInstalled`, psycopg.OperationalError.
    """
    folding = Folding(connection, projections, schema=schema)
    last = min(folding.get_head(), END if upto is None else upto)
    with uncollected():
        return _advance(folding, last, batch_size, progress)


@contextmanager
def uncollected() -> Generator[None]:
    """Folding makes no reference cycles, and looking for some among a million dicts costs a quarter of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _advance(folding: "Folding", last: int, batch_size: int, progress: Progress | None) -> int:
    position, limit = -1, batch_size
    while position < last:
        try:
            position = folding.step(last, limit)
        except FoldFailed as failure:
            limit = narrow(failure, limit, folding.position)
        else:
            limit = min(limit * 2, batch_size)
            if progress is not None:
                progress(position, last)
    return position


def narrow(failure: FoldFailed, limit: int, position: int) -> int:
    """Return a smaller batch that comes closer to the event at fault; raise `ProjectionStopped` once it is found."""
    if limit == 1:
        raise ProjectionStopped(failure.projection, position + 1, failure.error) from failure.error
    return limit // 2


class Folding:
    """Projections in one schema that advance together, one batch and one transaction at a time.

    `fences` are those that this runner holds; without them nobody else may know the schema.
    """

    def __init__(
        self,
        connection: Connection[TupleRow],
        projections: Sequence[Projection],
        *,
        schema: str = LIVE,
        fences: Mapping[str, int] | None = None,
    ) -> None:
        """Nothing is read yet."""
        self._connection = connection
        self._projections = projections
        self._schema = schema
        self._fences = fences
        self._versions = {projection.name: projection.version for projection in projections}
        self._topics = frozenset[str]().union(*(projection.topics for projection in projections))
        self._positions: dict[str, int] = {}
        self._rows: dict[str, Rows] = {}

    @property
    def position(self) -> int:
        """The position from which the last step started or, when it was committed, that it reached."""
        return min(self._positions.values(), default=0)

    def get_head(self) -> int:
        """Return the position of the newest event."""
        self._require_idle()
        with self._connection.transaction():
            return get_head(self._connection)

    def step(self, until: int, limit: int) -> int:
        """Fold up to `limit` positions, none after `until`, and commit; return the position reached.

        Raises `FoldFailed`, `Fenced`, `NotInstalled` or psycopg.OperationalError; nothing is written then.
        """
        self._require_idle()
        try:
            with self._connection.transaction():
                reached = self._step(until, limit)
        except BaseException:
            self._rows.clear()
            raise
        self._positions = {name: max(position, reached) for name, position in self._positions.items()}
        return reached

    def _require_idle(self) -> None:
        if self._connection.info.transaction_status is not TransactionStatus.IDLE:
            raise ValueError("rows and checkpoint commit in a transaction of their own")

    def _step(self, until: int, limit: int) -> int:
        enter_schema(self._connection, self._schema)
        self._read_positions()
        after = self.position
        target = min(after + limit, until, get_head(self._connection))
        if target <= after:
            return after
        batch = self._read(after, target)
        shares = self._share(batch)
        for projection in self._projections:
            self._fold(projection, shares[projection.name])
        advance_checkpoints(self._connection, list(self._positions), target)
        if self._schema == LIVE:
            resolve_errors(self._connection, list(self._positions))
        return target

    def _read(self, after: int, target: int) -> list[RecordedEvent]:
        """A hole, or a value that no event has, concerns everybody, and stops everybody before it."""
        try:
            require_dense(self._connection, after, target)
            return read_range(self._connection, after, target, self._topics)
        except (MissingPosition, psycopg.DataError) as error:
            slowest = min(self._positions, key=lambda name: self._positions[name])
            raise FoldFailed(slowest, error) from error

    def _read_positions(self) -> None:
        checkpoints = lock_checkpoints(self._connection, self._versions)
        if self._fences is not None:
            require_fences(checkpoints.values(), self._fences)
        for name, checkpoint in checkpoints.items():
            if name not in self._rows or self._positions.get(name) != checkpoint.position:
                self._rows[name] = self._start_rows(checkpoint)
        self._positions = {name: checkpoint.position for name, checkpoint in checkpoints.items()}

    def _start_rows(self, checkpoint: Checkpoint) -> Rows:
        """What was known before somebody else moved the checkpoint is worth nothing."""
        projection = next(p for p in self._projections if p.name == checkpoint.name)
        streams = Streams(
            lambda stream_ids: read_streams(self._connection, stream_ids, self._positions[checkpoint.name])
        )
        return Rows(projection.tables, streams, from_empty=checkpoint.position == 0)

    def _share(self, batch: Sequence[RecordedEvent]) -> dict[str, list[RecordedEvent]]:
        """Give each projection the events that are new to it and concern it."""
        shares: dict[str, list[RecordedEvent]] = {projection.name: [] for projection in self._projections}
        readers = {
            topic: [
                (shares[projection.name].append, self._positions[projection.name])
                for projection in self._projections
                if topic in projection.topics or topic not in known_topics()
            ]
            for topic in {event.topic for event in batch}
        }
        for event in batch:
            for take, after in readers[event.topic]:
                if event.position > after:
                    take(event)
        return shares

    def _fold(self, projection: Projection, events: Sequence[RecordedEvent]) -> None:
        """Only what may heal by itself, such as a lost connection, goes through as it is; no lost file does."""
        if not events:
            return
        rows = self._rows[projection.name]
        try:
            _require_known(events)
            if not rows.is_complete:
                preload(self._connection, projection.tables, rows, rows.list_unknown(projection.keys(events)))
            projection.fold(events, rows)
            write(self._connection, rows.take_changes())
        except DAMAGED as error:
            raise FoldFailed(projection.name, error) from error
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except Exception as error:
            raise FoldFailed(projection.name, error) from error


def _require_known(events: Sequence[RecordedEvent]) -> None:
    """An event of an unknown topic concerns everybody: it stops all, until a program comes that knows it."""
    for topic in dict.fromkeys(event.topic for event in events):
        if topic not in known_topics():
            raise UnknownTopic(topic)
