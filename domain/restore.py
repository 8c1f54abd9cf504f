"""After a restore the processor is ahead of the log: what it has that the log cannot take up, and that it was asked.

A log that was set back has forgotten orders that were carried out. What fits the state of its transaction is recorded
there as always. What does not fit is an external payment: until the log knows it, or a person lifts it, nothing more is
sent for that transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from domain.actor import IN_CHARGE, Actor
from domain.aggregate import Aggregate
from domain.command import Command, CreationCommand
from domain.errors import Forbidden
from domain.event import Context, CreatedEvent, Event
from domain.reason import require_reason

NAMESPACE = UUID("b1f6a0c8-50c7-5d0a-9d3e-6a2f47c1e0d5")


class PaymentKind(StrEnum):
    """What the processor calls it."""

    CHARGE = "charge"
    TRANSFER = "transfer"
    REFUND = "refund"
    CHARGEBACK = "chargeback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What an external payment that holds its transaction back is, and under which name the processor has it."""

    kind: PaymentKind
    reference: str


class RestoreCause(StrEnum):
    """How it was noticed.

    `BEHIND`: the log ends before a position that was acted upon; `FORKED`: another event stands there; `UNMARKED`: this
    log was acted upon, but not from this home; `ORDERED`: a person said so.
    """

    BEHIND = "behind"
    FORKED = "forked"
    UNMARKED = "unmarked"
    ORDERED = "ordered"


class ExternalPaymentDiscovered(CreatedEvent):
    """The processor has a payment under a reference of ours that its transaction has no place for in this log.

    Or it lists a payment, or a chargeback of one, and refuses to say more of it. `transaction_id` is None where the
    reference names no transaction; it may be one that the log has lost.
    """

    TOPIC = "external_payment.discovered.v1"
    kind: PaymentKind
    reference: str
    processor_id: str | None
    transaction_id: UUID | None
    currency: str
    amount_minor: int
    status: str


class ExternalPaymentSettled(Event):
    """The log knows the payment now, nobody was paid by it, or a person lifted it; `reason` says which and why."""

    TOPIC = "external_payment.settled.v1"
    reason: str

    def apply(self, aggregate: "ExternalPayment") -> None:
        """It holds nothing back any more."""
        aggregate.is_settled = True


class ExternalPayment(Aggregate):
    """A payment that the processor knows and the log did not."""

    TOPIC = "external_payment"

    def __init__(
        self,
        kind: PaymentKind,
        reference: str,
        processor_id: str | None,
        transaction_id: UUID | None,
        currency: str,
        amount_minor: int,
        status: str,
    ) -> None:
        self.kind = kind
        self.reference = reference
        self.processor_id = processor_id
        self.transaction_id = transaction_id
        self.currency = currency
        self.amount_minor = amount_minor
        self.status = status
        self.is_settled = False

    @property
    def state(self) -> str:
        """Whether it still holds its transaction back."""
        return "settled" if self.is_settled else "open"

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        """Super administrators and the reactions settle it."""
        may = actor.role in IN_CHARGE and not self.is_settled
        return ("settle",) if may else ()

    def settle(self, reason: str) -> None:
        """Let the transaction go on; a second time changes nothing."""
        if self.actor.role not in IN_CHARGE:
            raise Forbidden
        require_reason(reason)
        if not self.is_settled:
            self.record(ExternalPaymentSettled, reason=reason)


class RestoreReconciled(CreatedEvent):
    """The processor was asked what the restored log had forgotten; from here on money moves again.

    `marked_position` is the newest position that had been acted upon, None where that was not known, `found_position`
    the head of the log as it was found; `applied` payments were recorded, `discovered` ones had no place.
    """

    TOPIC = "restore.reconciled.v1"
    cause: RestoreCause
    marked_position: int | None
    found_position: int
    applied: int
    discovered: int
    reconciliation_id: UUID
    differences: int


class Restore(Aggregate):
    """One restore; it never changes."""

    TOPIC = "restore"

    def __init__(
        self,
        cause: RestoreCause,
        marked_position: int | None,
        found_position: int,
        applied: int,
        discovered: int,
        reconciliation_id: UUID,
        differences: int,
    ) -> None:
        self.cause = cause
        self.marked_position = marked_position
        self.found_position = found_position
        self.applied = applied
        self.discovered = discovered
        self.reconciliation_id = reconciliation_id
        self.differences = differences

    @property
    def state(self) -> str:
        """It is over."""
        return "reconciled"

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        """Nothing: what is left to do stands at the differences and the external payments."""
        return ()


def external_payment_id(kind: PaymentKind, processor_id: str) -> UUID:
    """Return the stream of a payment of the processor: found again it is the same one."""
    return uuid5(NAMESPACE, f"{kind}:{processor_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverExternalPayment(CreationCommand[ExternalPayment]):
    """The processor has a payment for which the log has no place."""

    aggregate_type = ExternalPayment
    kind: PaymentKind
    reference: str
    processor_id: str | None
    transaction_id: UUID | None
    currency: str
    amount_minor: int
    status: str

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> ExternalPayment:
        """Return the new stream."""
        return ExternalPayment.start(
            ExternalPaymentDiscovered,
            stream_id,
            context,
            kind=self.kind,
            reference=self.reference,
            processor_id=self.processor_id,
            transaction_id=self.transaction_id,
            currency=self.currency,
            amount_minor=self.amount_minor,
            status=self.status,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleExternalPayment(Command[ExternalPayment]):
    """The log knows it now, or a person lifts it."""

    aggregate_type = ExternalPayment
    reason: str

    def decide(self, aggregate: ExternalPayment, *related: Aggregate) -> None:
        """Call `ExternalPayment.settle`."""
        aggregate.settle(self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRestore(CreationCommand[Restore]):
    """The comparison after a restore is complete."""

    aggregate_type = Restore
    cause: RestoreCause
    marked_position: int | None
    found_position: int
    applied: int
    discovered: int
    reconciliation_id: UUID
    differences: int

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> Restore:
        """Return the new stream."""
        return Restore.start(
            RestoreReconciled,
            stream_id,
            context,
            cause=self.cause,
            marked_position=self.marked_position,
            found_position=self.found_position,
            applied=self.applied,
            discovered=self.discovered,
            reconciliation_id=self.reconciliation_id,
            differences=self.differences,
        )
