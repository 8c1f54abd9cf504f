"""The read models as they were: whole tables as of a position or a time, in a schema of their own."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast

from psycopg import Connection
from psycopg.rows import TupleRow

from database.queries import load
from domain.errors import Invalid, NotFound, Refused
from projections.install import build_indexes, install_tables
from projections.projection import Projection
from projections.reader import get_head
from replay.damage import told_apart
from replay.fold import fold_shadow
from replay.progress import Progress, ignore
from replay.rebuilding import raise_stopped
from replay.runs import Outcome, Run, RunKind
from replay.shadow import connect_owner, create_schema, drop_schema, open_schema, read_comment
from replay.verify import choose

LOG = load("eventstore", "log.sql")
MARK = "escrow as of position "
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
RESERVED = re.compile(r"pg_.*|public|information_schema|replay_.*")
READERS = ("escrow_auditor", "escrow_app")


class SchemaNameUnfit(Invalid):
    """A name for the schema begins with a letter, has lower-case letters, digits and "_", and is nobody else's."""

    code = "schema_name_unfit"


class SchemaExists(Refused):
    """There is a schema of this name; choose another, or drop it first."""

    code = "schema_exists"


class SchemaUnknown(NotFound):
    """There is no schema of this name that `as-of` has made."""

    code = "schema_unknown"


class PositionUnknown(NotFound):
    """The log does not reach that far."""

    code = "position_unknown"


@dataclass(frozen=True, kw_only=True)
class AsOf:
    """Where the tables are, and of which position. `unrecorded` says why there is no record of the run."""

    schema: str
    position: int
    projections: tuple[str, ...]
    unrecorded: str | None = None

    def as_json(self) -> dict[str, object]:
        """Stable names; lists instead of tuples."""
        facts: dict[str, object] = asdict(self)
        facts["projections"] = list(self.projections)
        return facts


def as_of(
    dsn: str,
    schema: str,
    point: int | datetime,
    *,
    actor: str,
    projections: Sequence[str] | None = None,
    processes: int | None = None,
    progress: Progress = ignore,
) -> AsOf:
    """Fold the log up to a position, or to what was recorded by a time, into a new schema, and leave it there.

    The auditor may read it. Raises `SchemaNameUnfit`, `SchemaExists`, `PositionUnknown`, `UnknownProjection`,
    `RebuildStopped`, `LogDamaged`, `TableUnreadable`; then nothing is left.
    """
    chosen = choose(projections)
    _require_fit(schema)
    with connect_owner(dsn) as connection, Run(dsn, RunKind.AS_OF, actor, schema) as run:
        if read_comment(connection, schema)[0]:
            raise SchemaExists
        with told_apart(dsn):
            position = _find_position(connection, point)
            _make(dsn, connection, schema, chosen, position, processes, progress)
        run.succeed(Outcome.DONE, position, 0)
    names = tuple(projection.name for projection in chosen)
    return AsOf(schema=schema, position=position, projections=names, unrecorded=run.complaint)


def drop_as_of(dsn: str, schema: str) -> None:
    """Drop a schema that `as_of` has made, and no other; raise `SchemaUnknown`."""
    with connect_owner(dsn) as connection:
        _, comment = read_comment(connection, schema)
        if comment is None or not comment.startswith(MARK):
            raise SchemaUnknown
        drop_schema(connection, schema)


def _require_fit(schema: str) -> None:
    if NAME.fullmatch(schema) is None or RESERVED.fullmatch(schema) is not None:
        raise SchemaNameUnfit


def _find_position(connection: Connection[TupleRow], point: int | datetime) -> int:
    if isinstance(point, datetime):
        return cast("tuple[int]", connection.execute(LOG.get_position_at, {"at": point}).fetchone())[0]
    head = get_head(connection)
    if not 0 <= point <= head:
        raise PositionUnknown(head=head)
    return point


def _make(
    dsn: str,
    connection: Connection[TupleRow],
    schema: str,
    chosen: Sequence[Projection],
    position: int,
    processes: int | None,
    progress: Progress,
) -> None:
    """The schema, filled and open to its readers, or none."""
    create_schema(connection, schema, f"{MARK}{position}")
    try:
        install_tables(connection, chosen, schema=schema, with_indexes=False)
        raise_stopped(fold_shadow(dsn, schema, chosen, position, processes=processes, progress=progress))
        build_indexes(connection, chosen, schema=schema)
        for role in READERS:
            open_schema(connection, schema, role)
    except BaseException:
        drop_schema(connection, schema)
        raise
