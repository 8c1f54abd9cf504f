"""Given, when, then: a listing and a transaction, driven by commands as in production, at a time that the test sets.

A command is decided on aggregates folded from the log; what it triggers is appended, or nothing is when it refuses.
Every append is read as raw JSON by the independent model of the money and by the law, which raise when it is wrong.
"""

import copy
import json
from contextlib import ExitStack
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.actor import Actor
from domain.aggregate import Aggregate
from domain.command import Command, CreationCommand, Stream
from domain.errors import EscrowError
from domain.event import Context, Event
from domain.journal import Account
from domain.listing import Listing
from domain.listing.commands import ApproveListing, DepositCredentials, DraftListing, SubmitListing
from domain.money import Currency, Money
from domain.policy import Terms
from domain.transaction import Transaction
from domain.transaction.commands import OpenTransaction
from domain.transaction.opening import UsdRate
from eventstore.fork import fork
from eventstore.transcoder import encode
from tests.domain.books import Books
from tests.domain.law import Law
from tests.domain.people import ADMIN, BUYER, SELLER, SELLER_ID, START, SYSTEM

LISTING_ID = UUID(int=0x11)
VAULT_ID = UUID(int=0x22)
TRANSACTION_ID = UUID(int=0x33)
RATE = UsdRate(currency=Currency.KES, units_per_usd="100", on="2026-01-05")

Recorded = tuple[UUID, str, dict[str, object]]


class Story:
    """A log of three streams, and the one transaction that the story is about."""

    def __init__(self, price_minor: int = 100_000, terms: Terms | None = None, *, checked: bool = True) -> None:
        self.now = START
        self.checked = checked
        self.terms = terms or Terms()
        self.price_minor = price_minor
        self.aggregates: dict[UUID, Aggregate] = {}
        self.events: list[Event] = []
        self.books = Books()
        self.law = Law()
        self._commands = 0
        self.listing_id, self.vault_id, self.transaction_id = LISTING_ID, VAULT_ID, TRANSACTION_ID

    def beside(self, number: int = 1, price_minor: int = 100_000, terms: Terms | None = None) -> "Story":
        """Another sale of the same seller in the same log, opened; `number` tells it from its neighbours."""
        other = copy.copy(self)
        other.terms, other.price_minor = terms or Terms(), price_minor
        other.listing_id, other.vault_id = UUID(int=LISTING_ID.int + number), UUID(int=VAULT_ID.int + number)
        other.transaction_id, other._commands = UUID(int=TRANSACTION_ID.int + number), 1_000 * number
        return other.offer().open()

    @property
    def transaction(self) -> Transaction:
        """The transaction as it stands."""
        return self._of(Transaction, self.transaction_id)

    @property
    def listing(self) -> Listing:
        """The listing as it stands."""
        return self._of(Listing, self.listing_id)

    @property
    def phase(self) -> str:
        """The derived phase."""
        return self.transaction.phase.value

    def _of(self, kind: type, stream_id: UUID):
        aggregate = self.aggregates[stream_id]
        assert isinstance(aggregate, kind)
        return aggregate

    # -- telling ------------------------------------------------------------------------------------------------------

    def offer(self) -> "Story":
        """A listing with a deposit, vetted and for sale."""
        self.draft()
        self.do(ApproveListing(), ADMIN, self.listing_id)
        return self

    def draft(self) -> "Story":
        """A listing with a deposit that waits to be vetted."""
        draft = DraftListing(
            seller_id=SELLER_ID,
            price=Money(self.price_minor, Currency.KES),
            content_id=UUID(int=0x44),
            content_sha256="c" * 64,
        )
        self.start(draft, SELLER, self.listing_id)
        deposit = DepositCredentials(
            listing_id=self.listing_id,
            ciphertext=b"sealed",
            commitment_sha256="d" * 64,
            suite="test",
            seller_key_fingerprint="seller-key",
        )
        self.start(deposit, SELLER, self.vault_id)
        self.do(SubmitListing(), SELLER, self.listing_id)
        return self

    def open(self) -> "Story":
        """The buyer opens a transaction on the listing."""
        command = OpenTransaction(listing_id=self.listing_id, rate=RATE, terms=self.terms)
        self.start(command, BUYER, self.transaction_id)
        return self

    def wait(self, **duration: float) -> "Story":
        """Let time pass."""
        self.now += timedelta(**duration)
        return self

    def wait_until(self, at: datetime) -> "Story":
        """Let time pass up to a moment."""
        self.now = at
        return self

    def do(self, command: Command, actor: Actor = SYSTEM, stream_id: UUID | None = None) -> list[str]:
        """Carry the command out and return the topics of what it recorded."""
        aggregate = self.aggregates[stream_id or self.transaction_id]
        related = [self._load(stream) for stream in command.related(aggregate)]
        forks = [fork(one) for one in (aggregate, *related)]
        with ExitStack() as stack:
            context = self._context(actor)
            for one in forks:
                stack.enter_context(one.acting(context))
            command.decide(*forks)
        return self._append(forks)

    def start(self, command: CreationCommand, actor: Actor, stream_id: UUID) -> list[str]:
        """Carry out a command that starts a stream."""
        forks = [fork(self._load(stream)) for stream in command.sources()]
        context = self._context(actor)
        with ExitStack() as stack:
            for one in forks:
                stack.enter_context(one.acting(context))
            created = command.create(stream_id, context, *forks)
        return self._append([*forks, created])

    def refuses(
        self, error: type[EscrowError], command: Command, actor: Actor = SYSTEM, stream_id: UUID | None = None
    ) -> EscrowError:
        """Expect exactly this error, and that nothing was recorded; return it."""
        before = len(self.events)
        with pytest.raises(error) as caught:
            self.do(command, actor, stream_id)
        assert type(caught.value) is error, type(caught.value)
        assert len(self.events) == before
        return caught.value

    def ignores(self, command: Command, actor: Actor = SYSTEM) -> None:
        """Expect that the command is accepted and records nothing."""
        assert self.do(command, actor) == []

    # -- asking -------------------------------------------------------------------------------------------------------

    def balance(self, account: Account) -> int:
        """What the independent model says an account holds: debit positive."""
        return self.books.totals["KES"][account.value]

    def balances(self) -> dict[Account, int]:
        """Every account that is not zero, as the independent model has it."""
        return {Account(name): amount for name, amount in self.books.totals["KES"].items() if amount}

    def actions(self, actor: Actor) -> tuple[str, ...]:
        """What the transaction lets `actor` do now."""
        return self.transaction.allowed_actions(actor, self.now)

    def topics(self) -> list[str]:
        """The topics of the transaction's events, shortened."""
        return [short(event.TOPIC) for event in self.events if event.originator_id == self.transaction_id]

    def last(self, topic: str) -> Event:
        """The last event with this short topic."""
        return next(event for event in reversed(self.events) if short(event.TOPIC) == topic)

    def payout(self) -> str:
        """The reference of the last payout."""
        return list(self.transaction.payouts)[-1]

    def refund(self) -> str:
        """The reference of the last refund."""
        return list(self.transaction.refunds)[-1]

    def dispute(self) -> UUID:
        """The id of the last dispute."""
        return list(self.transaction.disputes)[-1]

    def approval(self) -> UUID:
        """The id of the last request for approval."""
        return list(self.transaction.approvals)[-1]

    def fork(self) -> "Story":
        """The same story so far, to be told differently from here."""
        twin = copy.copy(self)
        twin.events, twin.aggregates = list(self.events), dict(self.aggregates)
        if self.checked:
            twin.books, twin.law = self.books.copy(), self.law.copy()
        return twin

    # -- the log ------------------------------------------------------------------------------------------------------

    def _context(self, actor: Actor) -> Context:
        self._commands += 1
        number = f"{self._commands:064x}"
        return Context(at=self.now, actor=actor, command_id=number, request_digest=number, request_id="story")

    def _load(self, stream: Stream) -> Aggregate:
        aggregate = self.aggregates[stream.id]
        assert isinstance(aggregate, stream.aggregate)
        return aggregate

    def _append(self, decided: list[Aggregate]) -> list[str]:
        new = [event for aggregate in decided for event in aggregate.collect_events()]
        self.aggregates |= {aggregate.id: aggregate for aggregate in decided}
        self.events += new
        if self.checked:
            self._check(new)
        return [short(event.TOPIC) for event in new if event.originator_id == self.transaction_id]

    def _check(self, new: list[Event]) -> None:
        for stream_id, topic, fields in map(raw, new):
            self.law.read(stream_id, topic, fields)
            self.books.read(str(stream_id), topic, fields)
        self.books.check_append()


def short(topic: str) -> str:
    """`funds_held` for `transaction.funds_held.v1`."""
    return topic.split(".")[1]


def raw(event: Event) -> Recorded:
    """The event as others read it: stream, topic and plain JSON."""
    return event.originator_id, type(event).TOPIC, json.loads(encode(event))


def fold(events: list[Event], stream_id: UUID) -> Aggregate:
    """The aggregate that the events of a stream fold to, as it is loaded from the log."""
    aggregate: Aggregate | None = None
    for event in events:
        if event.originator_id == stream_id:
            aggregate = event.mutate(aggregate)
    assert aggregate is not None
    return aggregate
