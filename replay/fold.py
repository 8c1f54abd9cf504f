"""Fold the log into a shadow schema: groups of projections side by side, each reading the log once."""

from collections.abc import Callable, Sequence
from functools import partial

from database.damage import UNREADABLE
from projections.catch_up import ProjectionStopped, catch_up_together
from projections.projection import Projection
from projections.registry import find_projection
from replay.finding import Finding, FindingKind
from replay.progress import Meter, Progress
from replay.shadow import connect_owner
from replay.workers import Tick, run_all

EVENTS_FOR_TWO = 20_000
HEAVY = frozenset({"transactions"})


def fold_shadow(
    dsn: str,
    schema: str,
    projections: Sequence[Projection],
    upto: int,
    *,
    processes: int | None = None,
    progress: Progress,
) -> list[Finding]:
    """Fold from the shadow's own checkpoints up to `upto`; return a finding for each projection that cannot go on."""
    groups = divide(projections) if upto >= EVENTS_FOR_TWO and processes != 1 else [list(projections)]
    tasks: list[Callable[[Tick], list[Finding]]] = [
        partial(fold_group, dsn, schema, [projection.name for projection in group], upto) for group in groups
    ]
    meter = Meter("fold", upto, progress)
    results = run_all(tasks, processes or len(groups), lambda done: meter.reach(done // len(groups)))
    return [finding for findings in results for finding in findings]


def divide(projections: Sequence[Projection]) -> list[list[Projection]]:
    """Two groups that take about as long: aggregates are as much work as all other folds together."""
    heavy = [projection for projection in projections if projection.name in HEAVY]
    light = [projection for projection in projections if projection.name not in HEAVY]
    return [group for group in (heavy, light) if group]


def fold_group(dsn: str, schema: str, names: Sequence[str], upto: int, tick: Tick) -> list[Finding]:
    """Fold these together; one that meets an event that it cannot fold stays there, and the others go on.

    What cannot be read is no matter of the event, and is raised as it is.
    """
    going = [find_projection(name) for name in names]
    stopped: list[Finding] = []
    told = 0

    def tell(position: int, last: int) -> None:
        nonlocal told
        tick(max(0, position - told))
        told = max(told, position)

    with connect_owner(dsn) as connection:
        while going:
            try:
                catch_up_together(connection, going, upto=upto, schema=schema, progress=tell)
                return stopped
            except ProjectionStopped as error:
                if isinstance(error.__cause__, UNREADABLE):
                    raise error.__cause__ from None
                stopped.append(_describe(error))
                going = [projection for projection in going if projection.name != error.projection]
    return stopped


def _describe(error: ProjectionStopped) -> Finding:
    return Finding(
        FindingKind.PROJECTION_FAILS,
        position=error.position,
        projection=error.projection,
        expected="an event that folds",
        found=error.reason,
    )
