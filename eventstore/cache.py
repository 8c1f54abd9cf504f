"""The newest aggregates, each at some version; what is in here is never changed, only replaced by a newer one."""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from domain.aggregate import Aggregate

CAPACITY = 20_000


class AggregateCache:
    """The least recently used one leaves first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """`capacity` is a number of aggregates."""
        self._capacity = capacity
        self._aggregates: OrderedDict[UUID, Aggregate] = OrderedDict()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._aggregates)

    def find(self, stream_id: UUID) -> Aggregate | None:
        """Return the aggregate at the version last seen by this process."""
        aggregate = self._aggregates.get(stream_id)
        if aggregate is not None:
            self._aggregates.move_to_end(stream_id)
        return aggregate

    def put(self, aggregate: Aggregate) -> None:
        """Keep it, unless a newer version is here."""
        known = self._aggregates.get(aggregate.id)
        if known is not None and known.version > aggregate.version:
            return
        self._aggregates[aggregate.id] = aggregate
        self._aggregates.move_to_end(aggregate.id)
        if len(self._aggregates) > self._capacity:
            _ = self._aggregates.popitem(last=False)

    def drop(self, stream_ids: Iterable[UUID]) -> None:
        """Forget what may be out of date."""
        for stream_id in stream_ids:
            _ = self._aggregates.pop(stream_id, None)
