"""The working set of a fold: rows that were there before, rows that it put, and the aggregates it has built."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from eventstore.converter import JSON
from projections.streams import Streams

Row = dict[str, JSON]
Key = tuple[JSON, ...]

KEPT_ROWS = 8_000


class MissingRow(LookupError):
    """An event changes a row that no event has made: the log contradicts itself, or a row was deleted by hand."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a projection: its columns, and those that are its key.

    With `is_append_only` rows are added once and never read or changed by the fold.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    is_append_only: bool = False


@dataclass(slots=True)
class _Kept:
    """The rows of one table: those known, those of them that have to be written, and those only to be added."""

    table: Table
    is_complete: bool
    known: OrderedDict[Key, Row | None] = field(default_factory=OrderedDict[Key, "Row | None"])
    changed: dict[Key, Row] = field(default_factory=dict[Key, Row])
    added: list[Row] = field(default_factory=list[Row])


class Rows:
    """What a fold reads and writes. Values are as in an event's JSON: texts, whole numbers, truth values, None."""

    def __init__(self, tables: Iterable[Table], streams: Streams, *, from_empty: bool = False) -> None:
        """`streams` gives the aggregates to folds that derive rows from them; `from_empty`: the tables are empty."""
        self.streams = streams
        self._kept = {table.name: _Kept(table, from_empty) for table in tables}

    def get(self, table: str, *key: JSON) -> Row:
        """Return a copy of the row; raise `MissingRow`."""
        row = self.find(table, *key)
        if row is None:
            raise MissingRow(f"{table} has no row {key}")
        return row

    def find(self, table: str, *key: JSON) -> Row | None:
        """Return a copy of the row, None when there is none; KeyError for a key that the projection did not declare."""
        kept = self._kept[table]
        row = kept.known.get(key) if kept.is_complete else kept.known[key]
        return None if row is None else dict(row)

    def put(self, table: str, row: Row) -> None:
        """Insert the row or replace the one with its key; it has every column of the table."""
        kept = self._kept[table]
        key = tuple([row[name] for name in kept.table.key])
        kept.known[key] = row
        kept.changed[key] = row

    def change(self, table: str, *key: JSON, **columns: JSON) -> None:
        """Replace some columns of an existing row; raise `MissingRow`."""
        self.put(table, {**self.get(table, *key), **columns})

    def add(self, table: str, row: Row) -> None:
        """Add a row to a table that is only added to."""
        self._kept[table].added.append(row)

    @property
    def is_complete(self) -> bool:
        """True as long as every row of every table is known, and none has to be looked up."""
        return all(kept.is_complete for kept in self._kept.values())

    def list_unknown(self, keys: Iterable[tuple[str, Key]]) -> dict[str, list[Key]]:
        """Return, per table, the keys that have to be looked up in the database, each once and in order."""
        unknown: dict[str, dict[Key, None]] = {}
        for table, key in keys:
            kept = self._kept[table]
            if key not in kept.known and not kept.is_complete:
                unknown.setdefault(table, {})[key] = None
        return {table: list(missing) for table, missing in unknown.items()}

    def learn(self, table: str, keys: Iterable[Key], found: Iterable[Row]) -> None:
        """Remember what the database has under these keys."""
        kept = self._kept[table]
        rows = {tuple(row[name] for name in kept.table.key): row for row in found}
        for key in keys:
            kept.known[key] = rows.get(key)

    def take_changes(self) -> list[tuple[Table, list[Row]]]:
        """Return what has to be written, and count it as written; the rows stay known, the oldest are forgotten."""
        changes = [(kept.table, kept.added or list(kept.changed.values())) for kept in self._kept.values()]
        for kept in self._kept.values():
            kept.added, kept.changed = [], {}
            while len(kept.known) > KEPT_ROWS:
                kept.is_complete = False
                _ = kept.known.popitem(last=False)
        return [(table, rows) for table, rows in changes if rows]
