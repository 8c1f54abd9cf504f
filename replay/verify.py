"""Verify the log and what was folded from it."""

from collections.abc import Sequence

from database.damage import UNREADABLE
from domain.errors import NotFound
from projections.projection import Projection
from projections.reader import get_head
from projections.registry import PROJECTIONS
from replay.damage import LogDamaged, TableUnreadable, told_apart
from replay.finding import LOG_TABLE, Finding, FindingKind, Findings
from replay.guards import list_unguarded
from replay.log import LogSummary, list_unchecked, verify_log
from replay.progress import Progress, ignore
from replay.projections import ProjectionSummary, verify_projections
from replay.report import Report
from replay.runs import RUNS, Outcome, Run, RunKind
from replay.shadow import connect_owner

BLOCK_UNREADABLE = FindingKind.BLOCK_UNREADABLE
NO_LOG = "the log itself: only the read models were held against it"
NO_TABLES = "the read models: what cannot be read keeps the log from being folded"


class UnknownProjection(NotFound):
    """There is no read model with this name."""

    code = "unknown_projection"


def verify(
    dsn: str,
    *,
    actor: str,
    projections: Sequence[str] | None = None,
    log: bool = True,
    expected_head: int | None = None,
    processes: int | None = None,
    progress: Progress = ignore,
) -> Report:
    """Verify the log, then these read models (None: all, empty: none) against it, while commands go on.

    `dsn` is the owner's; `actor` stands in the record of the run. Without `log` this is `diff`. Raises
    `UnknownProjection`.
    """
    chosen = choose(projections)
    findings = Findings()
    with Run(dsn, RunKind.VERIFY if log else RunKind.DIFF, actor) as run:
        summary = None
        if log:
            summary = verify_log(dsn, findings, expected_head=expected_head, processes=processes, progress=progress)
            findings.extend(_list_unguarded(dsn))
        # What cannot be read cannot be folded: the file system comes first.
        readable = not findings.counts[BLOCK_UNREADABLE]
        compared = _compare_tables(dsn, findings, chosen, processes, progress) if readable else ()
        outcome = Outcome.DIFFERS if findings.counts else Outcome.CLEAN
        head = _head(dsn) if summary is None else summary.head
        run.succeed(outcome, head, findings.counts.total())
    if run.complaint is not None:
        findings.add(Finding(FindingKind.TABLE_UNREADABLE, table=RUNS, found=run.complaint))
    unchecked = list_unchecked(expected_head) if log else (NO_LOG,)
    if chosen and not compared:
        unchecked = (*unchecked, NO_TABLES)
    return _report(run, head, findings, summary, compared, unchecked)


def choose(names: Sequence[str] | None) -> tuple[Projection, ...]:
    """The projections of these names, in the order in which they are folded; raise `UnknownProjection`."""
    if names is None:
        return PROJECTIONS
    unknown = sorted(set(names) - {projection.name for projection in PROJECTIONS})
    if unknown:
        raise UnknownProjection(projections=unknown)
    return tuple(projection for projection in PROJECTIONS if projection.name in names)


def _compare_tables(
    dsn: str, findings: Findings, chosen: Sequence[Projection], processes: int | None, progress: Progress
) -> tuple[ProjectionSummary, ...]:
    """Nothing that is found keeps back what was found before.

    Where the log was not verified first, that it cannot be read shows only when it is folded.
    """
    try:
        with told_apart(dsn):
            return verify_projections(dsn, findings, chosen, processes=processes, progress=progress)
    except LogDamaged as error:
        findings.add(Finding(BLOCK_UNREADABLE, table=LOG_TABLE, found=str(error.__cause__).strip()))
    except TableUnreadable as error:
        facts = error.facts
        findings.add(Finding(FindingKind.TABLE_UNREADABLE, table=str(facts["table"]), found=str(facts["reason"])))
    return ()


def _list_unguarded(dsn: str) -> list[Finding]:
    with connect_owner(dsn) as connection:
        return list_unguarded(connection)


def _head(dsn: str) -> int:
    """The newest position, 0 where the log cannot say it."""
    with connect_owner(dsn) as connection:
        try:
            return get_head(connection)
        except UNREADABLE:
            return 0


def _report(
    run: Run,
    head: int,
    findings: Findings,
    summary: LogSummary | None,
    compared: tuple[ProjectionSummary, ...],
    not_checked: tuple[str, ...],
) -> Report:
    return Report(
        started_at=run.started_at,
        finished_at=run.finished_at,
        head=head,
        log=summary,
        projections=compared,
        findings=tuple(findings.kept),
        counts={kind.value: count for kind, count in sorted(findings.counts.items())},
        not_checked=not_checked,
    )
