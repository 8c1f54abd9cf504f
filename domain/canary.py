"""The canary of the vault: a deposit of nobody's that the program opens every minute, and whether it still can."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.actor import Actor, Role
from domain.aggregate import Aggregate
from domain.command import Command, CreationCommand
from domain.errors import Forbidden
from domain.event import Context, CreatedEvent, Event

CANARY_ID = UUID("5c6b3f0a-2d1e-5b74-9a80-3f6f1f6a0ca1")


class CanaryStarted(CreatedEvent):
    """The vault is watched from now on."""

    TOPIC = "canary.started.v1"


class CanaryFailed(Event):
    """The canary does not open: neither would anybody's credentials."""

    TOPIC = "canary.failed.v1"
    reason: str

    def apply(self, aggregate: "Canary") -> None:
        """It stays so until it opens again."""
        aggregate.is_failing = True


class CanaryRecovered(Event):
    """The canary opens again."""

    TOPIC = "canary.recovered.v1"

    def apply(self, aggregate: "Canary") -> None:
        """All is well."""
        aggregate.is_failing = False


class Canary(Aggregate):
    """Whether the vault opens; only a change is an event."""

    TOPIC = "canary"

    def __init__(self) -> None:
        self.is_failing = False

    @property
    def state(self) -> str:
        """One word."""
        return "failing" if self.is_failing else "well"

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        """Nothing: the program watches."""
        return ()

    def observe(self, failure: str | None) -> None:
        """Record that it does not open, and why, or that it does; nothing when that is known."""
        if self.actor.role is not Role.SYSTEM:
            raise Forbidden
        if failure is not None and not self.is_failing:
            self.record(CanaryFailed, reason=failure)
        if failure is None and self.is_failing:
            self.record(CanaryRecovered)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCanary(CreationCommand[Canary]):
    """Begin to watch."""

    aggregate_type = Canary

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> Canary:
        """Return the new stream."""
        return Canary.start(CanaryStarted, stream_id, context)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveCanary(Command[Canary]):
    """What was seen; `failure` is the code of the error, None when it opened."""

    aggregate_type = Canary
    failure: str | None

    def decide(self, aggregate: Canary, *related: Aggregate) -> None:
        """Call `Canary.observe`."""
        aggregate.observe(self.failure)
