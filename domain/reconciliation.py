"""Reconciliation: what came of holding the books against the payment processor's, one stream per run."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.actor import Actor
from domain.aggregate import Aggregate
from domain.command import CreationCommand
from domain.event import Context, CreatedEvent

MOST_DIFFERENCES = 500
"""How many differences one event holds; the counts are always complete."""


class DifferenceKind(StrEnum):
    """How the processor's books and ours disagree; the last three are about a whole account."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT = "amount"
    CURRENCY = "currency"
    STATUS = "status"
    DUPLICATE = "duplicate"
    FEE = "fee"
    REVERSED = "reversed"
    BALANCE = "balance"
    UNCLEARED = "uncleared"
    BANK = "bank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One disagreement, in a sentence, with the command that settles it.

    `subject` is charge, transfer, refund, dispute, settlement, balance entry or account; `reference` is ours,
    `processor_id` Paystack's. Amounts are in minor units of `currency`, None where one side has nothing.
    """

    kind: DifferenceKind
    subject: str
    reference: str
    processor_id: str | None
    transaction_id: UUID | None
    currency: str
    ledger_minor: int | None
    processor_minor: int | None
    sentence: str
    command: str


class AccountFigure(NamedTuple):
    """An account at the cut, here and there: `pending_minor` and `listed_minor` explain the distance between them."""

    account: str
    currency: str
    ledger_minor: int
    processor_minor: int
    pending_minor: int
    listed_minor: int

    @property
    def unexplained_minor(self) -> int:
        """What the processor has beyond the books after all that is pending or listed."""
        return self.processor_minor - self.ledger_minor - self.pending_minor - self.listed_minor


class KindCount(NamedTuple):
    """How many differences of a kind there were."""

    kind: DifferenceKind
    number: int


class ReconciliationCompleted(CreatedEvent):
    """The books were held against the processor's, from `since` to `until`, as they stood at `position`."""

    TOPIC = "reconciliation.completed.v1"
    since: datetime
    until: datetime
    position: int
    matched: int
    pending: int
    counts: tuple[KindCount, ...]
    figures: tuple[AccountFigure, ...]
    differences: tuple[Difference, ...]


class Reconciliation(Aggregate):
    """One run; it never changes."""

    TOPIC = "reconciliation"

    def __init__(
        self,
        since: datetime,
        until: datetime,
        position: int,
        matched: int,
        pending: int,
        counts: tuple[KindCount, ...],
        figures: tuple[AccountFigure, ...],
        differences: tuple[Difference, ...],
    ) -> None:
        self.since = since
        self.until = until
        self.position = position
        self.matched = matched
        self.pending = pending
        self.counts = counts
        self.figures = figures
        self.differences = differences

    @property
    def state(self) -> str:
        """Whether the books agree."""
        return "different" if self.counts else "equal"

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        """Nothing: a difference is settled where it is, and the next run shows that it is gone."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReconciliation(CreationCommand[Reconciliation]):
    """A run is complete; `differences` beyond the most that an event holds are only counted."""

    aggregate_type = Reconciliation
    since: datetime
    until: datetime
    position: int
    matched: int
    pending: int
    figures: tuple[AccountFigure, ...]
    differences: tuple[Difference, ...]

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> Reconciliation:
        """Return the new stream."""
        return Reconciliation.start(
            ReconciliationCompleted,
            stream_id,
            context,
            since=self.since,
            until=self.until,
            position=self.position,
            matched=self.matched,
            pending=self.pending,
            counts=count_kinds(self.differences),
            figures=self.figures,
            differences=self.differences[:MOST_DIFFERENCES],
        )


def count_kinds(differences: tuple[Difference, ...]) -> tuple[KindCount, ...]:
    """Return how many there are of each kind that occurs, in the order of the kinds."""
    counts = (KindCount(kind, sum(each.kind is kind for each in differences)) for kind in DifferenceKind)
    return tuple(count for count in counts if count.number)
