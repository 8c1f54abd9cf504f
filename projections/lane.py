"""Projections that advance in step, and what becomes of one that cannot: it leaves, and stops where it fails, alone."""

from collections.abc import Callable, Mapping, Sequence

import structlog
from psycopg import Connection
from psycopg.rows import TupleRow

from projections.catch_up import FoldFailed, Folding, ProjectionStopped, narrow
from projections.projection import Projection

BATCH_SIZE = 2_000
RETRY_SECONDS = 30.0

logger = structlog.get_logger("projections")


class Lane:
    """Projections that share a reading of the log; `limit` is the size of their next batch."""

    def __init__(
        self, connection: Connection[TupleRow], projections: Sequence[Projection], fences: Mapping[str, int]
    ) -> None:
        """`fences` are those that this runner holds."""
        self.projections = projections
        self.folding = Folding(connection, projections, fences=fences)
        self.limit = BATCH_SIZE
        self.resumes_at = 0.0
        self.reached = -1


class Lanes:
    """All projections of a runner: one lane while all is well, and a lane of its own for each that failed.

    `report` is told of a projection that stopped; it is tried again after a while, in case a program or the log was
    mended meanwhile. Nothing is ever skipped.
    """

    def __init__(
        self,
        connection: Connection[TupleRow],
        projections: Sequence[Projection],
        fences: Mapping[str, int],
        report: Callable[[ProjectionStopped], None],
        monotonic: Callable[[], float],
    ) -> None:
        """Everybody starts together."""
        self._connection = connection
        self._all = projections
        self._fences = fences
        self._report = report
        self._monotonic = monotonic
        self._lanes = [self._open(projections)]

    def advance(self, head: int) -> None:
        """Take one step in each lane that is behind `head`.

        Raises what `Folding.step` raises, but for `FoldFailed`: that lane takes a smaller step next time.
        """
        for lane in self._list_behind(head):
            self._step(lane, head)
        self._join()

    def is_behind(self, head: int) -> bool:
        """True while some lane has something to do now."""
        return bool(self._list_behind(head))

    def _list_behind(self, head: int) -> list[Lane]:
        return [lane for lane in self._lanes if lane.reached < head and lane.resumes_at <= self._monotonic()]

    def _step(self, lane: Lane, head: int) -> None:
        try:
            lane.reached = lane.folding.step(head, lane.limit)
        except FoldFailed as failure:
            self._narrow(lane, failure)
        else:
            lane.limit, lane.resumes_at = min(lane.limit * 2, BATCH_SIZE), 0.0

    def _narrow(self, lane: Lane, failure: FoldFailed) -> None:
        if len(lane.projections) > 1:
            self._leave(lane, failure.projection)
            return
        try:
            lane.limit = narrow(failure, lane.limit, lane.folding.position)
        except ProjectionStopped as stopped:
            logger.error(stopped.code, **stopped.facts)
            self._report(stopped)
            lane.resumes_at = self._monotonic() + RETRY_SECONDS

    def _leave(self, lane: Lane, name: str) -> None:
        others = [other for other in self._lanes if other is not lane]
        going_on = self._open([p for p in lane.projections if p.name != name])
        self._lanes = [going_on, *others, self._open([p for p in lane.projections if p.name == name])]

    def _join(self) -> None:
        """Whoever has caught up with the others goes with them again."""
        first, *others = self._lanes
        back = [lane for lane in others if lane.reached == first.reached >= 0 and not lane.resumes_at]
        if back:
            together = {p.name for lane in (first, *back) for p in lane.projections}
            joined = self._open([p for p in self._all if p.name in together])
            joined.reached = first.reached
            self._lanes = [joined, *(lane for lane in others if lane not in back)]

    def _open(self, projections: Sequence[Projection]) -> Lane:
        return Lane(self._connection, projections, self._fences)
