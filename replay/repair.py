"""Repair: verify, then fold anew only what differs, then verify that again."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.rows import TupleRow

from database.queries import load
from eventstore.idempotency import SQL as LOG
from eventstore.idempotency import rebuild_idempotency
from replay.damage import TableUnreadable, refuse, told_apart
from replay.finding import COMMANDS_TABLE, FindingKind
from replay.places import STOPS, list_lost, rebuild_indexes, remake_lost
from replay.progress import Progress, ignore
from replay.rebuild import Rebuilt, rebuild
from replay.rebuilding import SWAP_LOCK_WAIT, SwapBlocked
from replay.report import Report
from replay.runs import Outcome, Run, RunKind
from replay.shadow import SQL as SHADOW
from replay.shadow import connect_owner
from replay.verify import verify

SQL = load("replay", "repair.sql")


@dataclass(frozen=True, kw_only=True)
class Repaired:
    """`before` says what was wrong; `rebuilt` is None when no read model was; `after` is the second verification.

    `reindexed` names the tables beside the read models whose index was made anew.
    `stops` says whether the table of where read models stopped was made anew, empty: what still stops is written down
    again. `commands` is how many rows the table of commands has after it was folded anew, None when it was right;
    `forgotten` names the checkpoints that were removed because this program has no such projection.
    """

    before: Report
    reindexed: tuple[str, ...] = ()
    rebuilt: Rebuilt | None = None
    stops: bool = False
    commands: int | None = None
    forgotten: tuple[str, ...] = ()
    after: Report | None = None

    @property
    def ok(self) -> bool:
        """Whether everything is right now."""
        return (self.after or self.before).ok

    def as_json(self) -> dict[str, object]:
        """Stable names."""
        return {
            "ok": self.ok,
            "before": self.before.as_json(),
            "reindexed": list(self.reindexed),
            "rebuilt": None if self.rebuilt is None else self.rebuilt.as_json(),
            "stops": self.stops,
            "commands": self.commands,
            "forgotten": list(self.forgotten),
            "after": None if self.after is None else self.after.as_json(),
        }


def repair(
    dsn: str,
    *,
    actor: str,
    dry_run: bool = False,
    expected_head: int | None = None,
    processes: int | None = None,
    progress: Progress = ignore,
) -> Repaired:
    """Verify everything, and fold anew the read models that differ and the table of commands if it does.

    With `dry_run` only say which. Raises `LogDamaged` when the log itself has findings (nothing can be made from it),
    `TailLost` when only something else tells that it went further, and what `rebuild` raises. Where `expected_head`,
    which is known from another place, says that the log is whole, it is that something else which is wrong.
    """
    before = verify(dsn, actor=actor, expected_head=expected_head, processes=processes, progress=progress)
    _refuse_damage(before, is_head_known=expected_head is not None)
    reindexed = _rebuild_indexes(dsn, actor, before) if before.misindexed and not dry_run else ()
    rebuilt = _rebuild_differing(dsn, actor, before, dry_run, processes, progress) if before.differing else None
    if dry_run or before.ok:
        return Repaired(before=before, rebuilt=rebuilt)
    stops = before.stops_lost and _remake_stops(dsn, actor, before)
    commands = _rebuild_commands(dsn, actor, before) if before.commands_differ else None
    forgotten = _forget_checkpoints(dsn, actor, before) if before.unknown_checkpoints else ()
    # Only what was made anew is looked at again: these read models (perhaps none), the table of commands, which is
    # verified with the log, and the names of the checkpoints, which always are. The rest was right a moment ago.
    after = verify(
        dsn,
        actor=actor,
        projections=before.differing,
        log=before.commands_differ,
        expected_head=expected_head,
        processes=processes,
        progress=progress,
    )
    return Repaired(
        before=before,
        reindexed=reindexed,
        rebuilt=rebuilt,
        stops=stops,
        commands=commands,
        forgotten=forgotten,
        after=after,
    )


def _refuse_damage(before: Report, *, is_head_known: bool) -> None:
    """Without its tail a log is sound, but folded from it the tables would keep no trace of what was lost.

    A command of the tail that is sent again would be done a second time.
    """
    refuse(before.findings, frozenset() if is_head_known else frozenset({FindingKind.CHECKPOINT_AHEAD}))
    if not before.projections:
        raise TableUnreadable(findings=[finding.describe() for finding in before.findings])


def _rebuild_differing(
    dsn: str, actor: str, before: Report, dry_run: bool, processes: int | None, progress: Progress
) -> Rebuilt:
    return rebuild(
        dsn,
        actor=actor,
        projections=before.differing,
        dry_run=dry_run,
        check_log=False,  # it was verified a moment ago
        processes=processes,
        progress=progress,
    )


def _rebuild_indexes(dsn: str, actor: str, before: Report) -> tuple[str, ...]:
    """First of all: the swap of tables that were made anew goes by these indexes."""
    tables = before.misindexed
    with Run(dsn, RunKind.REPAIR, actor, ", ".join(tables)) as run, connect_owner(dsn) as connection:
        with _waiting_shortly(connection), connection.transaction():
            rebuild_indexes(connection, tables)
        run.succeed(Outcome.DONE, before.head, 0)
        return tables


def _remake_stops(dsn: str, actor: str, before: Report) -> bool:
    """Where a read model was made anew, its swap has done it."""
    with Run(dsn, RunKind.REPAIR, actor, STOPS) as run, connect_owner(dsn) as connection:
        with _waiting_shortly(connection), connection.transaction():
            remake_lost(connection, {t: lost for t, lost in list_lost(connection).items() if t == STOPS})
        run.succeed(Outcome.DONE, before.head, 0)
        return True


def _rebuild_commands(dsn: str, actor: str, before: Report) -> int:
    with Run(dsn, RunKind.REPAIR, actor, COMMANDS_TABLE) as run, connect_owner(dsn) as connection:
        with told_apart(dsn), connection.transaction():
            if before.commands_need_a_new_file:
                _empty_commands(connection)
            commands = rebuild_idempotency(connection)
        run.succeed(Outcome.DONE, before.head, 0)
        return commands


def _empty_commands(connection: Connection[TupleRow]) -> None:
    """In the transaction that fills it again: nobody ever sees it empty, or a command could be done twice."""
    with _waiting_shortly(connection):
        connection.execute(LOG.lock_appends)
        connection.execute(SQL.empty_commands)


@contextmanager
def _waiting_shortly(connection: Connection[TupleRow]) -> Generator[None]:
    """Whoever waits for the lock of a table keeps all others waiting behind himself."""
    connection.execute(SHADOW.wait_for_locks, (SWAP_LOCK_WAIT,))
    try:
        yield
    except LockNotAvailable as error:
        raise SwapBlocked(retry_after_seconds=1) from error


def _forget_checkpoints(dsn: str, actor: str, before: Report) -> tuple[str, ...]:
    """A later program that has such a projection folds it from the beginning; nothing of it stops until then."""
    names = list(before.unknown_checkpoints)
    with Run(dsn, RunKind.REPAIR, actor, "checkpoints") as run, connect_owner(dsn) as connection:
        with connection.transaction():
            rows = cast("list[tuple[str]]", connection.execute(SQL.forget_checkpoints, (names,)).fetchall())
            # Afterwards: a runner of another release that notes a stop right now holds the checkpoint.
            connection.execute(SQL.end_stops, (names,))
        run.succeed(Outcome.DONE, before.head, 0)
        return tuple(name for (name,) in rows)
