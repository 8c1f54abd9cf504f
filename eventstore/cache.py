"""The newest aggregates, each at some version; what is in here is never changed, only replaced by a newer one."""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from domain.aggregate import Aggregate

CAPACITY = 20_000


class AggregateCache:
    """The least recently used one leaves first."""

    def __init__(self) -> None:
        """Nothing is here yet."""
        # By the number of the UUID: hashing a UUID itself is a call of Python, four times per command.
        self._aggregates: OrderedDict[int, Aggregate] = OrderedDict()

    def find(self, stream_id: UUID) -> Aggregate | None:
        """Return the aggregate at the version last seen by this process."""
        aggregate = self._aggregates.get(stream_id.int)
        if aggregate is not None:
            self._aggregates.move_to_end(stream_id.int)
        return aggregate

    def put(self, aggregate: Aggregate) -> None:
        """Keep it, unless a newer version is here."""
        number = aggregate.id.int
        known = self._aggregates.get(number)
        if known is not None and known.version > aggregate.version:
            return
        self._aggregates[number] = aggregate
        self._aggregates.move_to_end(number)
        if len(self._aggregates) > CAPACITY:
            _ = self._aggregates.popitem(last=False)

    def drop(self, stream_ids: Iterable[UUID]) -> None:
        """Forget what may be out of date."""
        for stream_id in stream_ids:
            _ = self._aggregates.pop(stream_id.int, None)
