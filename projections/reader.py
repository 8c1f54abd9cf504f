"""Reading the log inside the transaction that writes the rows."""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import cast
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from database.queries import load
from eventstore.log import MissingPosition, RecordedEvent
from eventstore.transcoder import list_event_classes

SQL = load("projections", "reader.sql")
LOG = load("eventstore", "log.sql")


class UnknownTopic(LookupError):
    """An event of a kind that this program does not know: nobody can say which projections it concerns."""


def get_head(connection: Connection[TupleRow]) -> int:
    """Return the position of the newest event, 0 for an empty log."""
    row = connection.execute(LOG.get_head).fetchone()
    return cast("int", row[0]) if row else 0


def require_dense(connection: Connection[TupleRow], after: int, until: int) -> None:
    """Raise `MissingPosition` when an event of this range is gone: what is folded from the others would be wrong."""
    row = connection.execute(SQL.count_range, {"after": after, "until": until}).fetchone()
    if row != (until - after,):
        raise MissingPosition(after=after, until=until)


def read_range(
    connection: Connection[TupleRow], after: int, until: int, topics: Collection[str]
) -> list[RecordedEvent]:
    """Return the events of these topics with after < position <= until, and every event of an unknown topic."""
    parameters = {"after": after, "until": until, "topics": sorted(topics), "known": sorted(known_topics())}
    with connection.cursor(binary=True) as cursor:
        return _events(cursor.execute(SQL.read_range, parameters).fetchall())


def read_streams(connection: Connection[TupleRow], stream_ids: Sequence[UUID], until: int) -> list[RecordedEvent]:
    """Return the events of these streams up to a position, each stream from its first event on."""
    with connection.cursor(binary=True) as cursor:
        parameters = {"stream_ids": list(stream_ids), "until": until}
        return _events(cursor.execute(SQL.read_streams, parameters).fetchall())


@cache
def known_topics() -> frozenset[str]:
    """Return every kind of event that this program knows."""
    return frozenset(list_event_classes())


def topics_of(*prefixes: str) -> frozenset[str]:
    """Return the known topics of some kinds of stream, such as `transaction`."""
    return frozenset(topic for topic in known_topics() if topic.partition(".")[0] in prefixes)


def _events(rows: Iterable[TupleRow]) -> list[RecordedEvent]:
    return [RecordedEvent(*row) for row in rows]
