"""Rebuild read models from the log: into a shadow while the old tables serve, then swapped in one transaction."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.rows import TupleRow

from domain.errors import Refused
from projections.projection import Projection
from projections.reader import get_head
from replay.damage import TableUnreadable, refuse, told_apart
from replay.finding import Findings
from replay.fold import fold_shadow
from replay.log import LogSummary, verify_log
from replay.places import list_lost, refuse_part
from replay.progress import Progress, ignore
from replay.rebuilding import REBUILD, check_books, finish_tables, prepare, raise_stopped, read_shadow, swap
from replay.runs import Outcome, Run, RunKind
from replay.shadow import SHORT_TAIL, connect_owner, drop_schema
from replay.shadow import SQL as SHADOW
from replay.verify import choose

ROUNDS = 8
PATIENCE_SECONDS = 10


class RebuildRunning(Refused):
    """Another rebuild is at work; wait for it, then see whether there is anything left to do."""

    code = "rebuild_running"


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """What a rebuild did, or with `dry_run` would do. `resumed_from` is where an interrupted one had got to.

    `held_seconds` is how long the runner had to wait for the swap; `events` were folded in `seconds`. `unrecorded` says
    why there is no record of the run, where that could not be written.
    """

    dry_run: bool
    projections: tuple[str, ...]
    position: int
    events: int
    resumed_from: int
    seconds: float
    held_seconds: float
    log_verified: bool
    unrecorded: str | None = None

    def as_json(self) -> dict[str, object]:
        """Stable names; lists instead of tuples."""
        facts: dict[str, object] = asdict(self)
        facts["projections"] = list(self.projections)
        return facts


def rebuild(
    dsn: str,
    *,
    actor: str,
    projections: Sequence[str] | None = None,
    dry_run: bool = False,
    check_log: bool = True,
    processes: int | None = None,
    progress: Progress = ignore,
) -> Rebuilt:
    """Rebuild these read models (None: all) and let them serve; the others are not touched. `dsn` is the owner's.

    Killed at any moment, it leaves the old tables or the new ones, and is resumed by calling it again. Raises
    `UnknownProjection`, `RebuildRunning` when another does not end within `PATIENCE_SECONDS`, `LogDamaged`,
    `TailLost`, `RebuildStopped`, `RebuildUnproven`, `TableUnreadable`, `PlacesLost`, `SwapBlocked`,
    `TableDependedOn`.
    """
    chosen = choose(projections)
    if dry_run:
        with connect_owner(dsn) as connection:
            refuse_part(list_lost(connection), chosen)
            return _plan(connection, chosen, check_log=check_log)
    with _alone(dsn) as keeper, Run(dsn, RunKind.REBUILD, actor, _names(chosen)) as run:
        refuse_part(list_lost(keeper), chosen)
        summary = _require_sound_log(dsn, processes, progress) if check_log else None
        began = time.monotonic()
        with _worth_resuming(dsn, keeper):
            start = _fill(dsn, keeper, chosen, summary, processes, progress)
            finish_tables(keeper, dsn, chosen)
            position, held = swap(dsn, chosen)
        drop_schema(keeper, REBUILD)
        run.succeed(Outcome.DONE, position, 0)
        return Rebuilt(
            dry_run=False,
            projections=tuple(projection.name for projection in chosen),
            position=position,
            events=position - start,
            resumed_from=start,
            seconds=time.monotonic() - began,
            held_seconds=held,
            log_verified=summary is not None,
            unrecorded=run.complaint,
        )


@contextmanager
def _worth_resuming(dsn: str, keeper: Connection[TupleRow]) -> Generator[None]:
    """Where something else than the log cannot be read, the next rebuild begins anew."""
    try:
        with told_apart(dsn):
            yield
    except TableUnreadable:
        drop_schema(keeper, REBUILD)
        raise


def _require_sound_log(dsn: str, processes: int | None, progress: Progress) -> LogSummary:
    """Verify the log, and refuse a damaged one. The table of commands is no source of the others."""
    findings = Findings()
    summary = verify_log(dsn, findings, look_up_commands=False, processes=processes, progress=progress)
    refuse(findings.kept)
    return summary


def _plan(connection: Connection[TupleRow], chosen: Sequence[Projection], *, check_log: bool) -> Rebuilt:
    head = get_head(connection)
    shadow = read_shadow(connection)
    start = min(shadow.get(projection.name, 0) for projection in chosen)
    return Rebuilt(
        dry_run=True,
        projections=tuple(projection.name for projection in chosen),
        position=head,
        events=head - start,
        resumed_from=start,
        seconds=0.0,
        held_seconds=0.0,
        log_verified=check_log,
    )


@contextmanager
def _alone(dsn: str) -> Generator[Connection[TupleRow]]:
    """A connection that holds the one lock of all rebuilds; a killed one loses it with its connection."""
    with connect_owner(dsn) as keeper:
        keeper.execute(SHADOW.wait_for_locks, (f"{PATIENCE_SECONDS}s",))
        try:
            keeper.execute(SHADOW.lock, (REBUILD,))
        except LockNotAvailable as error:
            raise RebuildRunning(retry_after_seconds=PATIENCE_SECONDS) from error
        keeper.execute(SHADOW.wait_for_locks, ("0",))
        yield keeper


def _fill(
    dsn: str,
    keeper: Connection[TupleRow],
    chosen: Sequence[Projection],
    summary: LogSummary | None,
    processes: int | None,
    progress: Progress,
) -> int:
    """Fold up to what was verified, check the books there, then follow until only a short tail is left."""
    head = get_head(keeper) if summary is None else summary.head
    start = prepare(keeper, chosen, head)
    for _ in range(ROUNDS):
        raise_stopped(fold_shadow(dsn, REBUILD, chosen, head, processes=processes, progress=progress))
        if summary is not None and head == summary.head and any(p.name == "ledger" for p in chosen):
            check_books(keeper, summary)
        reached, head = head, get_head(keeper)
        if head - reached < SHORT_TAIL:
            break
    return start


def _names(chosen: Sequence[Projection]) -> str:
    return ", ".join(projection.name for projection in chosen)
