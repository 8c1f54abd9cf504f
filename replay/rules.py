"""Whether an event could follow the state before it: the guards of the domain, as far as they can be told afterwards.

An event that folds is not yet one that the domain would have recorded. Each rule says what must hold of the aggregate
just before the event. A topic without a rule may come at any time.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from domain.aggregate import Aggregate
from domain.event import Event

A = TypeVar("A", bound=Aggregate)
E = TypeVar("E", bound=Event)


class Named(Protocol):
    """An event that names a payout or a refund by its reference."""

    @property
    def reference(self) -> str:
        """Our name for it, which the processor knows too."""
        ...


class Rule(NamedTuple):
    """`says` is what must hold, for people; `holds` tells of an aggregate and the event that follows."""

    says: str
    holds: Callable[[Aggregate, Event], bool]


def require(
    aggregate: type[A], event: type[E], says: str, holds: Callable[[A, E], bool] = lambda aggregate, event: True
) -> tuple[str, Rule]:
    """The rule of an event of this aggregate, by topic; an event on a stream of another kind breaks it."""

    def check(before: Aggregate, following: Event) -> bool:
        return isinstance(before, aggregate) and isinstance(following, event) and holds(before, following)

    return event.TOPIC, Rule(says, check)
