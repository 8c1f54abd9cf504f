"""The base of every event, and the context a command is decided in."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from eventsourcing.domain import AggregateCreated, AggregateEvent
from eventsourcing.utils import register_topic

from domain.actor import Actor, Role
from domain.journal import Postings
from domain.money import Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a command is decided in: the injected time, who acts, and the request that is to be answered once.

    `command_id` is the SHA-256, in hexadecimal, of actor and idempotency key; `request_digest` that of the request
    without its secret fields.
    """

    at: datetime
    actor: Actor
    command_id: str
    request_digest: str
    request_id: str


class Event(AggregateEvent):
    """A fact. `TOPIC` is its stable name in the log: import paths are never stored, fields are never renamed.

    `timestamp` is the injected time of the decision in UTC. `apply` only assigns: it runs on every replay for ever, so
    it never raises and never reads a clock, a random source or a setting.
    """

    TOPIC: ClassVar[str]

    actor_id: str
    actor_role: Role
    command_id: str
    request_digest: str
    request_id: str

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Register the stable name of the event."""
        super().__init_subclass__(**kwargs)
        if "TOPIC" in cls.__dict__:
            register_topic(cls.TOPIC, cls)


class CreatedEvent(Event, AggregateCreated):
    """The first event of a stream; the arguments of the aggregate's `__init__` are among its fields."""


class MoneyEvent(Event):
    """An event that moves money; `postings` balance, all in `currency`."""

    currency: Currency
    postings: Postings
