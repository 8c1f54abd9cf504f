"""Where everything stands: the head of the log, each read model, the last runs."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple, cast

import psycopg

from database.damage import UNREADABLE
from database.queries import load
from projections.reader import get_head
from projections.registry import PROJECTIONS
from replay.damage import TableUnreadable
from replay.finding import LOG_TABLE
from replay.rebuilding import REBUILD, read_shadow
from replay.runs import RunRecord, list_last_runs
from replay.shadow import APPLICATION, CHECKPOINTS

SQL = load("replay", "status.sql")


class ProjectionStatus(NamedTuple):
    """One read model. `version` is that of the live tables (None: not installed), `program_version` what it should be.

    `lag` is in events; `error` says why it stopped, at `error_position`; `rebuilding_at` is how far a rebuild is.
    """

    name: str
    program_version: int | None
    version: int | None
    position: int | None
    lag: int | None
    updated_at: datetime | None
    error: str | None
    error_position: int | None
    rebuilding_at: int | None


class Status(NamedTuple):
    """The head of the log, the read models in the order in which they are folded, and the last run of each kind."""

    head: int
    projections: tuple[ProjectionStatus, ...]
    runs: tuple[RunRecord, ...]

    def as_json(self) -> dict[str, object]:
        """Stable names; times are ISO 8601 in UTC."""
        return {
            "head": self.head,
            "projections": [_texts(status._asdict()) for status in self.projections],
            "runs": [_texts(run._asdict()) for run in self.runs],
        }


def status(dsn: str) -> Status:
    """Where everything stands; any role may ask. Raises `TableUnreadable`."""
    with psycopg.connect(dsn, autocommit=True, application_name=APPLICATION) as connection:
        with _reading(LOG_TABLE):
            head = get_head(connection)
        with _reading(CHECKPOINTS):
            rows = cast("list[Installed]", connection.execute(SQL.list_installed).fetchall())
        with _reading(f"{REBUILD}.{CHECKPOINTS}"):
            shadow = read_shadow(connection) if connection.execute(SQL.may_see_rebuild).fetchone() == (True,) else {}
        with _reading("replay_runs"):
            runs = tuple(list_last_runs(connection))
    installed = {row[0]: row for row in rows}
    names = [projection.name for projection in PROJECTIONS]
    names += [name for name in installed if name not in names]
    return Status(head, tuple(_status(name, installed.get(name), head, shadow) for name in names), runs)


@contextmanager
def _reading(table: str) -> Generator[None]:
    """PostgreSQL complains of a file; say whose it is."""
    try:
        yield
    except UNREADABLE as error:
        raise TableUnreadable(table=table, reason=str(error).strip()) from error


Installed = tuple[str, int, int, datetime | None, str | None, int | None]


def _status(name: str, row: Installed | None, head: int, shadow: Mapping[str, int]) -> ProjectionStatus:
    expected = {projection.name: projection.version for projection in PROJECTIONS}.get(name)
    if row is None:
        return ProjectionStatus(name, expected, None, None, None, None, None, None, shadow.get(name))
    _, version, position, updated_at, error, error_position = row
    lag = head - position
    return ProjectionStatus(name, expected, version, position, lag, updated_at, error, error_position, shadow.get(name))


def _texts(facts: dict[str, object]) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in facts.items()}
