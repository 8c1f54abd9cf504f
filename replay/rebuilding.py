"""The shadow that a rebuild fills: begun, resumed after a crash, checked against the books, swapped in."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import cast

from psycopg import Connection, sql
from psycopg.errors import DeadlockDetected, DependentObjectsStillExist, LockNotAvailable, WrongObjectType
from psycopg.rows import TupleRow

from database.queries import load
from domain.errors import Refused
from projections.checkpoint import LIVE, resolve_errors
from projections.install import build_indexes, install_tables
from projections.projection import Projection
from projections.reader import get_head
from replay.compare import SQL as COMPARE
from replay.damage import RebuildStopped, RebuildUnproven
from replay.finding import Finding
from replay.fold import fold_group
from replay.log import LogSummary
from replay.places import list_lost, refuse_part, remake_lost
from replay.program import program_digest
from replay.shadow import CHECKPOINTS, connect_owner, create_schema, drop_schema, read_comment
from replay.shadow import SQL as SHADOW
from replay.shape import Shape, compare_shapes, list_tables, read_pattern, read_shape

SQL = load("replay", "swap.sql")
REBUILD = "replay_rebuild"
SWAP_ATTEMPTS = 20
SWAP_LOCK_WAIT = "1s"
PAUSE_SECONDS = 0.25
INDEX_BUILDERS = 2
LOOK_SECONDS = 0.2


class SwapBlocked(Refused):
    """Readers hold the old tables for too long; nothing was swapped. Run it again: it goes on where it was."""

    code = "swap_blocked"


class TableDependedOn(Refused):
    """What somebody made stands on a read model, or in its place, and a rebuild drops nothing but read models. Nothing
    was swapped: drop what `reason` names, run it again, which goes on where it was, and make that anew."""

    code = "table_depended_on"


def prepare(connection: Connection[TupleRow], projections: Sequence[Projection], head: int) -> int:
    """Make the shadow, or keep one that the same program left behind; return the position that it starts from."""
    mark = f"escrow rebuild by {program_digest()}"
    exists, comment = read_comment(connection, REBUILD)
    if exists and (comment != mark or _is_beyond(connection, head)):
        drop_schema(connection, REBUILD)
        exists = False
    if not exists:
        create_schema(connection, REBUILD, mark)
    install_tables(connection, projections, schema=REBUILD, with_indexes=False)
    positions = read_shadow(connection)
    return min(positions[projection.name] for projection in projections)


def read_shadow(connection: Connection[TupleRow]) -> dict[str, int]:
    """How far the shadow is, per projection; empty when there is none."""
    if CHECKPOINTS not in read_shape(connection, REBUILD, [CHECKPOINTS]).columns:
        return {}
    statement = sql.SQL(SQL.list_shadow).format(checkpoints=sql.Identifier(REBUILD, CHECKPOINTS))
    return dict(cast("list[tuple[str, int]]", connection.execute(statement).fetchall()))


def _is_beyond(connection: Connection[TupleRow], head: int) -> bool:
    """A log that was restored is shorter than it was."""
    return any(position > head for position in read_shadow(connection).values())


def finish_tables(connection: Connection[TupleRow], dsn: str, projections: Sequence[Projection]) -> None:
    """Build the indexes that are missing and let the planner know the tables; raise `RebuildUnproven`."""
    pattern = read_pattern(connection, projections)
    at_work: list[Connection[TupleRow]] = []
    with ThreadPoolExecutor(INDEX_BUILDERS) as builders:
        tasks = [builders.submit(_finish, dsn, pattern, projection, at_work) for projection in projections]
        try:
            for task in tasks:
                task.result()
        except BaseException:
            _break_off(tasks, at_work)
            raise
    shadow = read_shape(connection, REBUILD, list_tables(projections))
    findings = [finding for projection in projections for finding in compare_shapes(pattern, shadow, projection)]
    if findings:
        raise RebuildUnproven(findings=[finding.describe() for finding in findings])


def _break_off(tasks: Sequence[Future[None]], at_work: Sequence[Connection[TupleRow]]) -> None:
    """The server builds on for whoever is gone, and Python waits for its threads: neither may take minutes to end."""
    for task in tasks:
        task.cancel()
    while wait(tasks, LOOK_SECONDS).not_done:
        for connection in at_work:
            connection.cancel_safe()


def _finish(dsn: str, pattern: Shape, projection: Projection, at_work: list[Connection[TupleRow]]) -> None:
    """One projection's indexes and statistics: the server's work, side by side with that of another connection."""
    with connect_owner(dsn) as connection:
        at_work.append(connection)
        shadow = read_shape(connection, REBUILD, list_tables([projection]))
        if any(True for _ in compare_shapes(pattern, shadow, projection)):
            build_indexes(connection, [projection], schema=REBUILD)
        for table in projection.tables:
            connection.execute(sql.SQL(SQL.analyze).format(table=sql.Identifier(REBUILD, table.name)))


def check_books(connection: Connection[TupleRow], summary: LogSummary) -> None:
    """Hold the rebuilt ledger against the books that the verification of the log added up by itself."""
    statement = sql.SQL(SQL.read_balances).format(accounts=sql.Identifier(REBUILD, "ledger_accounts"))
    found: dict[str, dict[str, int]] = {}
    for currency, account, balance in cast("list[tuple[str, str, int]]", connection.execute(statement).fetchall()):
        found.setdefault(currency, {})[account] = balance
    expected = {currency: accounts for currency, accounts in summary.trial_balance.items() if accounts}
    if found != expected:
        raise RebuildUnproven(expected=str(expected), found=str(found))


def swap(dsn: str, projections: Sequence[Projection]) -> tuple[int, float]:
    """Let the shadow tables serve; return their position and for how many seconds the runner had to wait.

    One transaction: the live checkpoints are held, so that nobody moves them; the shadow takes the last steps to the
    head; tables and checkpoints change places. Raises `RebuildStopped`, `PlacesLost`, `SwapBlocked`, `TableDependedOn`.
    """
    with connect_owner(dsn) as connection:
        connection.execute(SHADOW.wait_for_locks, (SWAP_LOCK_WAIT,))
        for _ in range(SWAP_ATTEMPTS):
            try:
                return _swap(connection, dsn, projections)
            except (LockNotAvailable, DeadlockDetected):
                time.sleep(PAUSE_SECONDS)
    raise SwapBlocked(retry_after_seconds=1)


def _swap(connection: Connection[TupleRow], dsn: str, projections: Sequence[Projection]) -> tuple[int, float]:
    names = [projection.name for projection in projections]
    with connection.transaction():
        # In here, or whoever is killed before the swap leaves read models without a place, which the worker empties.
        lost = list_lost(connection)
        refuse_part(lost, projections)
        remake_lost(connection, lost)
        connection.execute(COMPARE.hold_checkpoints, (names,))
        began = time.monotonic()
        head = get_head(connection)
        raise_stopped(fold_group(dsn, REBUILD, names, head, lambda count: None))
        for table in list_tables(projections):
            _exchange(connection, table)
        _move_checkpoints(connection, names)
    return head, time.monotonic() - began


def _exchange(connection: Connection[TupleRow], table: str) -> None:
    try:
        connection.execute(sql.SQL(SQL.drop_live).format(table=sql.Identifier(LIVE, table)))
    except (DependentObjectsStillExist, WrongObjectType) as error:
        raise TableDependedOn(reason=error.diag.message_detail or error.diag.message_primary) from error
    shadow = sql.Identifier(REBUILD, table)
    connection.execute(sql.SQL(SQL.move).format(table=shadow, schema=sql.Identifier(LIVE)))


def _move_checkpoints(connection: Connection[TupleRow], names: list[str]) -> None:
    facts = {"checkpoints": sql.Identifier(REBUILD, CHECKPOINTS), "names": sql.Literal(names)}
    connection.execute(sql.SQL(SQL.move_checkpoints).format(**facts))
    connection.execute(sql.SQL(SQL.forget_checkpoints).format(**facts))
    resolve_errors(connection, names)


def raise_stopped(findings: Sequence[Finding]) -> None:
    """Raise `RebuildStopped` when there is a finding."""
    if findings:
        raise RebuildStopped(
            projections=[str(finding.projection) for finding in findings],
            position=findings[0].position,
            reason=findings[0].found,
        )
