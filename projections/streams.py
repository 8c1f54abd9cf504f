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
        self._built: OrderedDict[int, Aggregate] = OrderedDict()  # a whole number is hashed faster than a UUID

    def advance(self, batch: Sequence[RecordedEvent]) -> list[tuple[Aggregate, int]]:
        """Apply the batch; return the aggregates it touched with the position of the last event of each."""
        self._build_missing(batch)
        positions: dict[int, int] = {}
        for event in batch:
            self._apply(event)
            positions[event.stream_id.int] = event.position
        touched = [(self._keep(stream), position) for stream, position in positions.items()]
        self._forget_oldest(len(touched))
        return touched

    def _build_missing(self, batch: Sequence[RecordedEvent]) -> None:
        starting = {event.stream_id.int for event in batch if event.version == 1}
        missing = {
            stream.int: stream
            for stream in [event.stream_id for event in batch]
            if stream.int not in self._built and stream.int not in starting
        }
        if missing:
            for event in self._load(list(missing.values())):
                self._apply(event)

    def _apply(self, event: RecordedEvent) -> None:
        stream = event.stream_id.int
        before = self._built.get(stream)
        after = event.read().mutate(before)  # no longer needed then: what is kept would only fill the caches
        if after is not before:
            assert isinstance(after, Aggregate)
            self._built[stream] = after

    def _keep(self, stream: int) -> Aggregate:
        self._built.move_to_end(stream)
        return self._built[stream]

    def _forget_oldest(self, touched: int) -> None:
        while len(self._built) > max(KEPT_STREAMS, touched):
            _ = self._built.popitem(last=False)
