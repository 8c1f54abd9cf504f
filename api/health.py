"""How this installation is: the database, the log, the read models."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from api.dependencies import Dependencies
from api.views.health import HealthView, ProjectionsView, ProjectionView
from database.errors import DatabaseUnavailable
from database.queries import load
from database.standstill import Standstill, find_standstill
from eventstore.log import get_head
from identity.notification import count_outcomes, count_waiting
from projections.page import fetch_all

SQL = load("api", "health.sql")


class Checkpoint(NamedTuple):
    """A row of `projection_checkpoints`."""

    name: str
    position: int
    updated_at: datetime | None
    error: str | None


async def get_projections(dependencies: Dependencies) -> ProjectionsView:
    """Return how far every read model is. Raises DatabaseUnavailable."""
    newest = await get_head(dependencies.pool)
    rows = await _checkpoints(dependencies)
    return ProjectionsView(head=newest, projections=[_view(row, newest) for row in rows])


async def get_health(dependencies: Dependencies) -> HealthView:
    """Return how everything is; never fails."""
    try:
        found = await get_projections(dependencies)
        waits = await find_standstill(dependencies.pool, "restore")
    except (DatabaseUnavailable, psycopg.Error):
        return HealthView(status="unavailable", database="unavailable", reactions="unknown", head=None, projections=[])
    stopped = waits is not None or any(one.error is not None for one in found.projections)
    return HealthView(
        status="degraded" if stopped else "ok",
        database="ok",
        reactions=_describe(waits),
        head=found.head,
        projections=found.projections,
    )


def _describe(waits: Standstill | None) -> str:
    if waits is None:
        return "ok"
    return f"no money moves, the log was restored ({waits.reason}): {waits.error or 'asking the processor'}"


async def update_gauges(dependencies: Dependencies) -> None:
    """Set the gauges that are asked of the database; they keep their values while it cannot be reached."""
    try:
        found = await get_projections(dependencies)
        outcomes = await count_outcomes(dependencies.pool)
        waiting = await count_waiting(dependencies.pool, dependencies.clock())
    except (DatabaseUnavailable, psycopg.Error):
        dependencies.metrics.database_errors.inc()
        return
    dependencies.metrics.log_head.set(found.head)
    for one in found.projections:
        dependencies.metrics.lag.labels(one.name).set(one.lag)
    for (channel, outcome), number in outcomes.items():
        dependencies.metrics.messages.notifications.labels(channel, outcome).set(number)
    dependencies.metrics.messages.waiting.set(waiting)


async def _checkpoints(dependencies: Dependencies) -> Sequence[Checkpoint]:
    return await fetch_all(dependencies.pool, Checkpoint, SQL.list_checkpoints, {})


def _view(row: Checkpoint, newest: int) -> ProjectionView:
    # Whoever asks is not known here, and what a database says of a row quotes it: the alert has the whole text.
    error = None if row.error is None else row.error.partition(":")[0]
    lag = max(0, newest - row.position)
    return ProjectionView(name=row.name, position=row.position, lag=lag, updated_at=row.updated_at, error=error)
