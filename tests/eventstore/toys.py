"""Small aggregates of the tests' own: a purse that holds money and a shelf that it may stand on."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.actor import Actor
from domain.aggregate import Aggregate
from domain.command import Command, CreationCommand, Stream
from domain.errors import Refused
from domain.event import Context, CreatedEvent, Event, MoneyEvent
from domain.journal import Account, credit, debit, journal
from domain.money import Currency


class Empty(Refused):
    """There is not that much in the purse."""

    code = "empty"


class Full(Refused):
    """There is no room on the shelf."""

    code = "full"


class Opened(CreatedEvent):
    """A purse was opened."""

    TOPIC = "toy.opened.v1"
    name: str
    currency: Currency


class Put(MoneyEvent):
    """Money went in."""

    TOPIC = "toy.put.v1"
    amount_minor: int

    def apply(self, purse: "Purse") -> None:
        """Add it."""
        purse.held_minor += self.amount_minor
        purse.history.append(self.amount_minor)


class Taken(MoneyEvent):
    """Money went out."""

    TOPIC = "toy.taken.v1"
    amount_minor: int

    def apply(self, purse: "Purse") -> None:
        """Subtract it."""
        purse.held_minor -= self.amount_minor
        purse.history.append(-self.amount_minor)


class Purse(Aggregate):
    """Money and its history."""

    TOPIC = "toy"

    def __init__(self, name: str, currency: Currency) -> None:
        self.name = name
        self.currency = currency
        self.held_minor = 0
        self.history: list[int] = []

    @property
    def state(self) -> str:
        return "full" if self.held_minor else "empty"

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        return ("put", "take") if self.held_minor else ("put",)

    def put(self, amount_minor: int) -> None:
        lines = journal(debit(Account.BALANCE, amount_minor), credit(Account.HELD, amount_minor))
        self.record(Put, amount_minor=amount_minor, currency=self.currency, postings=lines)

    def take(self, amount_minor: int) -> None:
        if amount_minor > self.held_minor:
            raise Empty(held_minor=self.held_minor)
        lines = journal(debit(Account.HELD, amount_minor), credit(Account.BALANCE, amount_minor))
        self.record(Taken, amount_minor=amount_minor, currency=self.currency, postings=lines)


class ShelfBuilt(CreatedEvent):
    """There is a shelf."""

    TOPIC = "toy.shelf_built.v1"
    room: int


class Placed(Event):
    """A purse was put on the shelf."""

    TOPIC = "toy.placed.v1"
    purse_id: UUID

    def apply(self, shelf: "Shelf") -> None:
        """Take the place."""
        shelf.purses = (*shelf.purses, self.purse_id)


class Shelf(Aggregate):
    """Room for some purses."""

    TOPIC = "toy_shelf"

    def __init__(self, room: int) -> None:
        self.room = room
        self.purses: tuple[UUID, ...] = ()

    @property
    def state(self) -> str:
        return "full" if len(self.purses) >= self.room else "open"

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        return () if len(self.purses) >= self.room else ("place",)

    def place(self, purse_id: UUID) -> None:
        if len(self.purses) >= self.room:
            raise Full(room=self.room)
        self.record(Placed, purse_id=purse_id)


@dataclass(frozen=True, kw_only=True)
class OpenPurse(CreationCommand[Purse]):
    """Open a purse, on a shelf if one is named."""

    aggregate_type = Purse
    name: str = "purse"
    shelf_id: UUID | None = None

    def sources(self) -> tuple[Stream, ...]:
        return (Stream(Shelf, self.shelf_id),) if self.shelf_id else ()

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> Purse:
        for shelf in sources:
            assert isinstance(shelf, Shelf)
            shelf.place(stream_id)
        return Purse.start(Opened, stream_id, context, name=self.name, currency=Currency.NGN)


@dataclass(frozen=True, kw_only=True)
class BuildShelf(CreationCommand[Shelf]):
    """Build a shelf."""

    aggregate_type = Shelf
    room: int = 1

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> Shelf:
        return Shelf.start(ShelfBuilt, stream_id, context, room=self.room)


@dataclass(frozen=True, kw_only=True)
class PutIn(Command[Purse]):
    """Put money in; nothing happens for an amount of zero."""

    aggregate_type = Purse
    amount_minor: int

    def decide(self, aggregate: Purse, *related: Aggregate) -> None:
        if self.amount_minor:
            aggregate.put(self.amount_minor)


@dataclass(frozen=True, kw_only=True)
class TakeOut(Command[Purse]):
    """Take money out."""

    aggregate_type = Purse
    amount_minor: int

    def decide(self, aggregate: Purse, *related: Aggregate) -> None:
        aggregate.take(self.amount_minor)


@dataclass(frozen=True, kw_only=True)
class Move(Command[Purse]):
    """Take money out of one purse and put it into another."""

    aggregate_type = Purse
    into: UUID
    amount_minor: int

    def related(self, aggregate: Purse) -> tuple[Stream, ...]:
        return (Stream(Purse, self.into),)

    def decide(self, aggregate: Purse, *related: Aggregate) -> None:
        aggregate.take(self.amount_minor)
        for other in related:
            assert isinstance(other, Purse)
            other.put(self.amount_minor)


@dataclass(frozen=True, kw_only=True)
class TakeIfOtherIsFull(Command[Purse]):
    """Take money out while another purse, which is only read, is full."""

    aggregate_type = Purse
    other: UUID
    amount_minor: int

    def related(self, aggregate: Purse) -> tuple[Stream, ...]:
        return (Stream(Purse, self.other),)

    def decide(self, aggregate: Purse, *related: Aggregate) -> None:
        for other in related:
            if other.state != "full":
                raise Empty
        aggregate.take(self.amount_minor)
