"""Aggregates for folds that derive their rows from them: built from the log once, then advanced event by event."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from domain.aggregate import Aggregate
from eventstore.log import RecordedEvent

KEPT_STREAMS = 8_000

LoadStreams = Callable[[Sequence[UUID]], Iterable[RecordedEvent]]


class Streams:
    """The aggregates that were met last; `load` returns the events of streams, up to the checkpoint, in order."""

    def __init__(self, load: LoadStreams) -> None:
        """Nothing is built yet."""
        self._load = load
        self._built: OrderedDict[UUID, Aggregate] = OrderedDict()

    def advance(self, batch: Sequence[RecordedEvent]) -> dict[UUID, tuple[Aggregate, int]]:
        """Apply the batch; return the aggregates it touched with the position of the last event of each."""
        self._build_missing(batch)
        touched: dict[UUID, tuple[Aggregate, int]] = {}
        for event in batch:
            touched[event.stream_id] = (self._apply(event), event.position)
        self._forget_oldest(len(touched))
        return touched

    def _build_missing(self, batch: Sequence[RecordedEvent]) -> None:
        starting = {event.stream_id for event in batch if event.version == 1}
        missing = dict.fromkeys(
            event.stream_id for event in batch if event.stream_id not in self._built and event.stream_id not in starting
        )
        if missing:
            for event in self._load(list(missing)):
                _ = self._apply(event)

    def _apply(self, event: RecordedEvent) -> Aggregate:
        before = self._built.get(event.stream_id)
        after = event.event.mutate(before)
        assert isinstance(after, Aggregate)
        self._built[event.stream_id] = after
        self._built.move_to_end(event.stream_id)
        return after

    def _forget_oldest(self, touched: int) -> None:
        while len(self._built) > max(KEPT_STREAMS, touched):
            _ = self._built.popitem(last=False)
