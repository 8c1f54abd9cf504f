"""The record of runs: kept beside what it is about, and not in the log that it may have found damaged."""

from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import LiteralString, NamedTuple, cast

from psycopg import Connection, Error, OperationalError
from psycopg.rows import TupleRow

from database.queries import load
from replay.shadow import connect_owner

SQL = load("replay", "runs.sql")
RUNS = "replay_runs"
NOT_KEPT = "the row was not kept"


class RunKind(StrEnum):
    """What was done."""

    VERIFY = "verify"
    DIFF = "diff"
    REBUILD = "rebuild"
    REPAIR = "repair"
    AS_OF = "as_of"


class Outcome(StrEnum):
    """How it ended; `RUNNING` for ever when the program was killed."""

    RUNNING = "running"
    CLEAN = "clean"
    DIFFERS = "differs"
    DONE = "done"
    FAILED = "failed"


class RunRecord(NamedTuple):
    """The newest run of a kind; times are UTC."""

    kind: str
    actor: str
    started_at: datetime
    finished_at: datetime | None
    position: int | None
    findings: int | None
    outcome: str


class Run:
    """A context manager that records a run; without `succeed` it ends as failed.

    What is damaged must not keep anybody from mending the rest: where the record cannot be written the run goes on, and
    `complaint` says why.
    """

    def __init__(self, dsn: str, kind: RunKind, actor: str, detail: str | None = None) -> None:
        """`dsn` is the owner's; `actor` names who asked, as he will stand in the record."""
        self._dsn = dsn
        self._facts: dict[str, object] = {"kind": kind.value, "actor": actor, "detail": detail}
        self._result: dict[str, object] = {"position": None, "findings": None, "outcome": Outcome.FAILED.value}
        self._id = 0
        self.complaint: str | None = None
        self.started_at: datetime
        self.finished_at: datetime

    def __enter__(self) -> "Run":
        """Write down that it begins."""
        begun = self._write(SQL.begin, self._facts) or (0, datetime.now(UTC))
        self._id, self.started_at = cast("tuple[int, datetime]", begun)
        return self

    def succeed(self, outcome: Outcome, position: int, findings: int) -> None:
        """It came to an end of its own."""
        self._result = {"position": position, "findings": findings, "outcome": outcome.value}
        finished = self._write(SQL.finish, self._result | {"id": self._id}) or (datetime.now(UTC),)
        (self.finished_at,) = cast("tuple[datetime]", finished)

    def __exit__(self, *exception: object) -> None:
        """Write down that it failed. Where the database is gone the row says `running`, and what went wrong is told."""
        if self._result["outcome"] == Outcome.FAILED.value:
            with suppress(OperationalError):
                self._write(SQL.finish, self._result | {"id": self._id})

    def _write(self, query: LiteralString, facts: dict[str, object]) -> TupleRow | None:
        """None where there is no record to write to, which only the first complaint tells of."""
        if self.complaint is not None:
            return None
        with connect_owner(self._dsn) as connection:
            try:
                row = connection.execute(query, facts).fetchone()
            except Error as error:
                if connection.broken:
                    raise
                row, self.complaint = None, str(error).strip()
        if row is None:
            self.complaint = self.complaint or NOT_KEPT
        return row


def list_last_runs(connection: Connection[TupleRow]) -> list[RunRecord]:
    """The newest run of each kind; any role may ask."""
    return [RunRecord(*row) for row in connection.execute(SQL.list_last).fetchall()]
