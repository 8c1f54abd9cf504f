"""Verify the read models: fold each anew beside the live one, at exactly its checkpoint, and compare both ways."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, cast

from psycopg import Connection
from psycopg.rows import TupleRow

from database.damage import UNREADABLE
from database.queries import load
from projections.checkpoint import LIVE
from projections.install import install_tables
from projections.projection import Projection
from projections.reader import get_head
from projections.registry import PROJECTIONS
from replay.compare import Pair, compare_rows
from replay.finding import Finding, FindingKind, Findings
from replay.fold import fold_group, fold_shadow
from replay.log import connect_reading
from replay.places import Place, list_lost, list_misindexed, list_places, places_of
from replay.progress import Progress, ignore
from replay.shadow import CHECKPOINTS, SHORT_TAIL, connect_owner, spare_the_log, verification_schema
from replay.shape import Shape, compare_shapes, list_tables, read_pattern, read_shape

SQL = load("replay", "compare.sql")
LOG = load("replay", "log.sql")
ROUNDS = 5


class ProjectionSummary(NamedTuple):
    """One projection as it was compared; `position` is None when it could not be."""

    name: str
    version: int
    position: int | None
    findings: int


def verify_projections(
    dsn: str,
    findings: Findings,
    projections: Sequence[Projection] = PROJECTIONS,
    *,
    processes: int | None = None,
    progress: Progress = ignore,
) -> tuple[ProjectionSummary, ...]:
    """Compare every row of every table with what the log says, while commands go on; `dsn` is the owner's."""
    checks = {projection.name: Findings() for projection in projections}
    with connect_owner(dsn) as connection:
        lost = list_lost(connection)
        findings.extend(lost.values())
        findings.extend(list_misindexed(connection, lost))
        places = {} if CHECKPOINTS in lost else list_places(connection)
        head = get_head(connection)  # after the places, which a worker moves meanwhile
        findings.extend(_find_unknown(places))
        pattern = read_pattern(connection, projections)
        live = read_shape(connection, LIVE, list_tables(projections))
    for projection in projections:
        checks[projection.name].extend(_check_place(projection, places, head))
        checks[projection.name].extend(compare_shapes(pattern, live, projection))
    comparable = [projection for projection in projections if _is_comparable(projection, places)]
    try:
        positions = _compare_all(dsn, comparable, _pairs(comparable, pattern, live), checks, processes, progress)
    finally:
        for check in checks.values():
            findings.merge(check)
    return tuple(
        ProjectionSummary(
            projection.name, projection.version, positions.get(projection.name), checks[projection.name].counts.total()
        )
        for projection in projections
    )


def _find_unknown(places: Mapping[str, Place]) -> list[Finding]:
    known = {projection.name for projection in PROJECTIONS}
    kind = FindingKind.CHECKPOINT_UNKNOWN
    return [Finding(kind, place.position, table=CHECKPOINTS, key=n) for n, place in places.items() if n not in known]


def _check_place(projection: Projection, places: Mapping[str, Place], head: int) -> list[Finding]:
    name, table = projection.name, CHECKPOINTS
    place = places.get(name)
    if place is None:
        return [Finding(FindingKind.CHECKPOINT_MISSING, table=table, key=name, projection=name)]
    found: list[Finding] = []
    if place.version != projection.version:
        kind, expected = FindingKind.PROJECTION_VERSION_DIFFERS, str(projection.version)
        found.append(Finding(kind, None, None, table, name, "version", expected, str(place.version), name))
    if place.position > head:
        kind, expected = FindingKind.CHECKPOINT_AHEAD, f"at most {head}"
        found.append(Finding(kind, place.position, None, table, name, "position", expected, str(place.position), name))
    return found


def _is_comparable(projection: Projection, places: Mapping[str, Place]) -> bool:
    place = places.get(projection.name)
    return place is not None and place.version == projection.version


def _pairs(projections: Sequence[Projection], pattern: Shape, live: Shape) -> list[tuple[Projection, Pair]]:
    """The tables that are there, without the columns that are not the same kind."""
    return [
        (projection, Pair(projection.name, table, _shared(pattern, live, table.name)))
        for projection in projections
        for table in projection.tables
        if table.name in live.columns
    ]


def _shared(pattern: Shape, live: Shape, table: str) -> tuple[str, ...]:
    found = live.columns[table]
    return tuple(name for name, kind in pattern.columns[table].items() if _same_kind(found.get(name), kind))


def _same_kind(found: str | None, expected: str) -> bool:
    """A column that lost its NOT NULL can still be compared."""
    return found is not None and found.removesuffix(" not null") == expected.removesuffix(" not null")


def _compare_all(
    dsn: str,
    projections: Sequence[Projection],
    pairs: Sequence[tuple[Projection, Pair]],
    checks: Mapping[str, Findings],
    processes: int | None,
    progress: Progress,
) -> dict[str, int]:
    if not projections:
        return {}
    positions: dict[str, int] = {}
    with verification_schema(dsn) as schema:
        with connect_owner(dsn) as connection:
            install_tables(connection, projections, schema=schema, with_indexes=False)
            spare_the_log(connection, schema, list_tables(projections))
        for is_last in (False, True):
            left = [p for p in projections if p.name not in positions and _folds(checks[p.name])]
            if left:
                for finding in _approach(dsn, schema, left, processes, progress):
                    checks[str(finding.projection)].add(finding)
                positions |= _compare(dsn, schema, left, pairs, checks, is_last=is_last)
    return positions


def _compare(
    dsn: str,
    schema: str,
    projections: Sequence[Projection],
    pairs: Sequence[tuple[Projection, Pair]],
    checks: Mapping[str, Findings],
    *,
    is_last: bool,
) -> dict[str, int]:
    """Compare, and return the positions of those that were compared.

    The snapshot sees no row of tables that a rebuild has exchanged since; they are left for the next time, if any.
    """
    found = {projection.name: Findings() for projection in projections}
    with _same_position(dsn, schema, projections, checks) as (connection, positions, tables):
        for projection, pair in pairs:
            if projection.name in positions:
                found[projection.name].extend(_compare_if_readable(connection, pair, schema))
        # Who has read a table keeps it from being exchanged.
        after = _identify(connection, projections)
    compared = {name: at for name, at in positions.items() if is_last or after[name] == tables[name]}
    for name in compared:
        checks[name].merge(found[name])
    return compared


def _identify(connection: Connection[TupleRow], projections: Sequence[Projection]) -> dict[str, list[int | None]]:
    """Which tables go by the names of these now, whatever the snapshot of the transaction."""
    return {
        projection.name: [
            cast("tuple[int | None]", connection.execute(SQL.identify, (f"{LIVE}.{table}",)).fetchone())[0]
            for table in list_tables([projection])
        ]
        for projection in projections
    }


def _compare_if_readable(connection: Connection[TupleRow], pair: Pair, schema: str) -> Iterator[Finding]:
    """Every difference that can be read; in a savepoint, so that the next table is compared whatever is wrong here."""
    try:
        with connection.transaction():
            yield from compare_rows(connection, pair, schema)
    except UNREADABLE as error:
        kind, found = FindingKind.TABLE_UNREADABLE, str(error).strip()
        yield Finding(kind, table=pair.table.name, projection=pair.projection, found=found)


def _approach(
    dsn: str, schema: str, projections: Sequence[Projection], processes: int | None, progress: Progress
) -> list[Finding]:
    """Fold until the live tables are only a little ahead, so that they need not be held for long."""
    reached = 0
    for _ in range(ROUNDS):
        with connect_owner(dsn) as connection:
            head, places = get_head(connection), list_places(connection)
        target = min(head, *(places[projection.name].position for projection in projections))
        if target - reached < SHORT_TAIL and reached:
            break
        stopped = fold_shadow(dsn, schema, projections, target, processes=processes, progress=progress)
        if stopped:
            return stopped
        reached = max(target, 1)
    return []


@contextmanager
def _same_position(
    dsn: str, schema: str, projections: Sequence[Projection], checks: Mapping[str, Findings]
) -> Generator[tuple[Connection[TupleRow], dict[str, int], dict[str, list[int | None]]]]:
    """A snapshot in which shadow and live tables are of the same positions, and which live tables these are.

    The live checkpoints are held while the shadow takes the last steps, and let go as soon as the snapshot is taken.
    """
    names = [projection.name for projection in projections if _folds(checks[projection.name])]
    with connect_owner(dsn) as holder, connect_reading(dsn) as reader:
        with holder.transaction():
            holder.execute(LOG.read_table_only)
            places = places_of(holder.execute(SQL.hold_checkpoints, (names,)).fetchall())
            head = get_head(holder)
            positions = {name: min(place.position, head) for name, place in places.items()}
            for position in sorted(set(positions.values())):
                level = [name for name in positions if positions[name] == position]
                for finding in fold_group(dsn, schema, level, position, lambda count: None):
                    checks[str(finding.projection)].add(finding)
            reader.execute(SQL.take_snapshot)
            tables = _identify(holder, projections)
        yield reader, {name: position for name, position in positions.items() if _folds(checks[name])}, tables


def _folds(check: Findings) -> bool:
    return not check.counts[FindingKind.PROJECTION_FAILS]
