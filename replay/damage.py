"""The errors that say: what is stored is not what was recorded. The command line ends with 3 for all of them."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import cast

from database.damage import UNREADABLE
from database.queries import load
from domain.errors import DetailedError
from replay.finding import LOG_TABLE, MENDABLE, Finding, FindingKind
from replay.shadow import connect_owner

SQL = load("replay", "damage.sql")
UNNAMED = "not named, or gone by now"
NAMED = 10
TAIL = frozenset({FindingKind.HEAD_DIFFERS, FindingKind.CHECKPOINT_AHEAD})


class Damage(DetailedError):
    """What is stored is not what was recorded."""

    code = "damaged"
    status = 500


class LogDamaged(Damage):
    """The log is damaged, and what is folded from it would be wrong; nothing was changed. See `replay verify`."""

    code = "log_damaged"


class TailLost(Damage):
    """A command or a read model goes further than the log: its newest events may be lost; nothing was changed. Restore
    it. If its newest position is known from another place, `repair --expected-head` takes the tables to be wrong."""

    code = "tail_lost"


class TableUnreadable(Damage):
    """A table cannot be read, or is gone. See `escrow replay verify`, which says what is damaged. If it is one that was
    made only to fold the log into, run this again, and replace the disk."""

    code = "table_unreadable"


class RebuildStopped(Damage):
    """A read model cannot be folded past an event; its old tables serve on. See the position, then verify the log."""

    code = "rebuild_stopped"


class RebuildUnproven(Damage):
    """What was rebuilt is not what the log adds up to; the old tables serve on."""

    code = "rebuild_unproven"


def refuse(findings: Sequence[Finding], also: frozenset[FindingKind] = frozenset()) -> None:
    """Raise `LogDamaged` or `TailLost` with the first findings that no fold mends, or that are of these kinds."""
    damage = [finding for finding in findings if finding.kind not in MENDABLE or finding.kind in also]
    if damage:
        kind = TailLost if TAIL.issuperset(finding.kind for finding in damage) else LogDamaged
        raise kind(findings=[finding.describe() for finding in damage[:NAMED]])


@contextmanager
def told_apart(dsn: str) -> Generator[None]:
    """Raise `LogDamaged` where it is the log that PostgreSQL cannot read, `TableUnreadable` for anything else."""
    try:
        yield
    except UNREADABLE as error:
        complaint = str(error).strip()
        table = _find_damaged(dsn, complaint)
        if table == LOG_TABLE:
            raise LogDamaged(findings=[complaint]) from error
        raise TableUnreadable(table=table, reason=complaint) from error


def _find_damaged(dsn: str, complaint: str) -> str:
    with connect_owner(dsn) as connection:
        row = connection.execute(SQL.find_damaged, {"complaint": complaint}).fetchone()
        return UNNAMED if row is None else cast("tuple[str]", row)[0]
