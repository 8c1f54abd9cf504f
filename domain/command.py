"""Commands: frozen intents that call one method of an aggregate; `Escrow.execute` carries them to the log."""

from typing import ClassVar, Generic, NamedTuple, TypeVar
from uuid import UUID

from domain.aggregate import Aggregate
from domain.event import Context

A = TypeVar("A", bound=Aggregate)


class Stream(NamedTuple):
    """A stream of the log by the type of its aggregate and its id."""

    aggregate: type[Aggregate]
    id: UUID


class Command(Generic[A]):
    """An intent that concerns one stream, and perhaps related ones, which commit together or not at all."""

    aggregate_type: ClassVar[type[Aggregate]]

    def related(self, aggregate: A) -> tuple[Stream, ...]:
        """Return the other streams this command changes, known once the first one is loaded."""
        return ()

    def decide(self, aggregate: A, *related: Aggregate) -> None:
        """Call the one method that checks the guards and triggers the events; raise a `Refused` or `Invalid`."""
        raise NotImplementedError


class CreationCommand(Command[A]):
    """An intent that starts a stream."""

    def sources(self) -> tuple[Stream, ...]:
        """Return the existing streams that the new one depends on; they may change in the same append."""
        return ()

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> A:
        """Return the new aggregate with its first events pending; raise a `Refused` or `Invalid`."""
        raise NotImplementedError
