"""The base of every aggregate: events are triggered in the context of the command that is being decided."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import BaseAggregate
from eventsourcing.utils import register_topic

from domain.actor import Actor
from domain.event import Context, CreatedEvent, Event


class Aggregate(BaseAggregate[UUID]):
    """A stream of events and the state they fold to; its events stand as module-level classes beside their track.

    Subclasses carry a `TOPIC` without annotation: the library turns annotated aggregates into dataclasses.
    """

    def __init_subclass__(cls, **kwargs: str) -> None:
        """Register the stable name of the aggregate, which its first event stores."""
        super().__init_subclass__(**kwargs)
        if "TOPIC" in cls.__dict__:
            register_topic(cls.__dict__["TOPIC"], cls)

    def __base_init__(self, originator_id: UUID, originator_version: int, timestamp: datetime) -> None:
        """Start with no command under decision."""
        super().__base_init__(originator_id, originator_version, timestamp)
        self._context: Context | None = None

    @classmethod
    def start(cls, created: type[CreatedEvent], stream_id: UUID, context: Context, **facts: Any) -> Self:  # pyright: ignore[reportAny, reportExplicitAny] the library's own keyword style
        """Return a new aggregate whose first event is `created`."""
        aggregate = cls._create(created, id=stream_id, **metadata(context, context.actor), **facts)
        aggregate._context = context
        return aggregate

    @contextmanager
    def acting(self, context: Context) -> Generator[None]:
        """Decide in this context: `now`, `actor` and the fields common to all events come from it."""
        before, self._context = self._context, context
        try:
            yield
        finally:
            self._context = before

    @property
    def context(self) -> Context:
        """The context of the command under decision."""
        assert self._context is not None, "an aggregate decides only inside acting()"
        return self._context

    @property
    def now(self) -> datetime:
        """The injected time of the command under decision, in UTC."""
        return self.context.at

    @property
    def actor(self) -> Actor:
        """Who acts in the command under decision."""
        return self.context.actor

    @property
    def state(self) -> str:
        """A word for where this stands, stable and public; part of every problem report."""
        raise NotImplementedError

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        """Return the names of the commands that `actor` could issue at `at`."""
        raise NotImplementedError

    def record(self, event: type[Event], **facts: Any) -> None:  # pyright: ignore[reportAny, reportExplicitAny] the library's own keyword style
        """Trigger the event with the fields common to all."""
        self.trigger_event(event, **metadata(self.context, self.actor_on_record()), **facts)

    def actor_on_record(self) -> Actor:
        """Return the actor as events name him; a transaction knows its parties better than the caller does."""
        return self.actor


def metadata(context: Context, actor: Actor) -> dict[str, object]:
    """Return the fields common to all events."""
    return {
        "timestamp": context.at,
        "actor_id": actor.id,
        "actor_role": actor.role,
        "command_id": context.command_id,
        "request_digest": context.request_digest,
        "request_id": context.request_id,
    }
