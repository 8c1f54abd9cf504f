"""What a projection is: a name, a version, its tables, and a pure fold of a batch of events into rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from database.queries import Queries
from eventstore.converter import text_of
from eventstore.log import RecordedEvent
from projections.rows import Key, Rows, Table

Fold = Callable[[Sequence[RecordedEvent], Rows], None]
Needed = tuple[str, Key]
Needs = Callable[[Sequence[RecordedEvent]], Iterable[Needed]]


@dataclass(frozen=True, kw_only=True)
class Projection:
    """A read model.

    `fold` is pure: it reads the events of `topics` in the order of the log, and rows, and puts rows; no clock, no
    random source, no order of a set. `keys` names the existing rows (table and key) that the fold will ask for.
    `ddl` has the statements `tables`, `indexes` and `grants` with unqualified names. A new `version` means that the
    tables have to be folded anew.
    """

    name: str
    version: int
    tables: tuple[Table, ...]
    topics: frozenset[str]
    fold: Fold
    keys: Needs
    ddl: Queries


def no_keys(batch: Sequence[RecordedEvent]) -> Iterable[Needed]:
    """Say that a fold needs no existing rows."""
    return ()


class Change(NamedTuple):
    """What one kind of event does to the rows; `needs` names the rows that have to be there before."""

    apply: Callable[[RecordedEvent, Rows], None]
    needs: Callable[[RecordedEvent], Iterable[Needed]] | None = None


def at_field(table: Table, field: str) -> Callable[[RecordedEvent], Iterable[Needed]]:
    """Say that the row is needed whose key stands in this field of the event."""
    return lambda event: ((table.name, (event.data[field],)),)


def at_stream(table: Table) -> Callable[[RecordedEvent], Iterable[Needed]]:
    """Say that the row is needed whose key is the event's stream."""
    return lambda event: ((table.name, (text_of(event.stream_id),)),)


def project(
    name: str, version: int, tables: tuple[Table, ...], ddl: Queries, changes: Mapping[str, Change]
) -> Projection:
    """Return the projection that applies, event by event, the change for its topic."""
    return Projection(
        name=name,
        version=version,
        tables=tables,
        topics=frozenset(changes),
        fold=partial(_fold, changes),
        keys=partial(_keys, {topic: change.needs for topic, change in changes.items() if change.needs is not None}),
        ddl=ddl,
    )


def _fold(changes: Mapping[str, Change], batch: Sequence[RecordedEvent], rows: Rows) -> None:
    for event in batch:
        changes[event.topic].apply(event, rows)


def _keys(
    needs: Mapping[str, Callable[[RecordedEvent], Iterable[Needed]]], batch: Sequence[RecordedEvent]
) -> Iterable[Needed]:
    return (needed for event in batch if event.topic in needs for needed in needs[event.topic](event))
