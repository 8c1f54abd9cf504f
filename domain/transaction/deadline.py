"""The clocks: which recorded deadline comes next, and what happens when it has passed."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from domain.journal import Account
from domain.policy import ESCALATE_BEFORE_DUE, ESCALATE_DISPUTE_AFTER
from domain.transaction.approval import ApprovalTrack
from domain.transaction.opening import NotDueYet
from domain.transaction.outage import DeadlinesExtended
from domain.transaction.records import (
    Basis,
    ContractStatus,
    Dispute,
    DisputeSource,
    SettlementStatus,
    VaultStatus,
)

UNDECIDED = f"undecided for {ESCALATE_DISPUTE_AFTER.days} days"


class DeadlineKind(StrEnum):
    """What a deadline is for."""

    PAYMENT = "payment"
    SIGNING = "signing"
    REVEAL = "reveal"
    REDEPOSIT = "redeposit"
    INSPECTION = "inspection"
    RESERVE = "reserve"
    DISPUTE = "dispute"
    APPROVAL = "approval"


class Deadline(NamedTuple):
    """A recorded time after which the clock acts."""

    kind: DeadlineKind
    at: datetime


class DeadlineTrack(ApprovalTrack):
    """Finding and enforcing the next deadline."""

    @property
    def next_deadline(self) -> Deadline | None:
        """The earliest deadline that runs now; None when only people or the processor can act."""
        running = (*self._approval_deadlines(), *self._track_deadlines())
        return min(running, key=lambda deadline: deadline.at, default=None)

    def enforce_deadline(self) -> None:
        """Do what the earliest passed deadline demands; `NotDueYet` when none has passed."""
        self.require_system()
        deadline = self.next_deadline
        if deadline is None or self.now < deadline.at:
            raise NotDueYet(possible_at=None if deadline is None else deadline.at.isoformat())
        match deadline.kind:
            case DeadlineKind.PAYMENT:
                self.expire()
            case DeadlineKind.INSPECTION:
                self.lapse_inspection(deadline.at)
            case DeadlineKind.RESERVE:
                self.release_reserve()
            case DeadlineKind.DISPUTE:
                self._escalate_overdue()
            case DeadlineKind.APPROVAL:
                self.expire_approvals()
            case DeadlineKind.SIGNING | DeadlineKind.REVEAL | DeadlineKind.REDEPOSIT:
                limit = self.refundable_of_price_minor
                self.order_refund(limit, Basis.LAPSE, f"{deadline.kind.value}_lapsed")

    def extend_deadlines(self, seconds: int, reason: str) -> None:
        """Lengthen every running deadline after an outage."""
        self.require_system()
        if seconds > 0 and not self.is_over:
            self.record(DeadlinesExtended, seconds=seconds, reason=reason)

    def _approval_deadlines(self) -> tuple[Deadline, ...]:
        return tuple(Deadline(DeadlineKind.APPROVAL, request.expires_at) for request in self.pending_approvals)

    def _track_deadlines(self) -> tuple[Deadline, ...]:
        if self.settlement is SettlementStatus.NONE:
            return (*self._dispute_deadlines(), *self._payment_deadlines())
        if self.has_dispute_against_refund:
            return self._dispute_deadlines()
        if self.has_open_dispute:
            return (*self._dispute_deadlines(), *self._refund_deadlines())
        if self.is_live:
            return self._held_deadlines()
        return _running(DeadlineKind.RESERVE, self.reserve_due_at) if self.owed(Account.SELLER_RESERVE) > 0 else ()

    def _payment_deadlines(self) -> tuple[Deadline, ...]:
        """It runs on under a chargeback: as far as the log knows, that is not about the price."""
        return () if self.ended_as or self.was_paid else (Deadline(DeadlineKind.PAYMENT, self.payment_due_at),)

    def _refund_deadlines(self) -> tuple[Deadline, ...]:
        """What runs on under a dispute of the seller: nothing but what gives the money back."""
        refunds = {DeadlineKind.SIGNING, DeadlineKind.REVEAL, DeadlineKind.REDEPOSIT}
        if self.silence_refunds:
            refunds.add(DeadlineKind.INSPECTION)
        held = self._held_deadlines() if self.is_live else ()
        return tuple(deadline for deadline in held if deadline.kind in refunds)

    def _dispute_deadlines(self) -> tuple[Deadline, ...]:
        limits = ((dispute, _escalation_at(dispute)) for dispute in self.open_disputes if not dispute.escalated)
        return tuple(Deadline(DeadlineKind.DISPUTE, at) for _, at in limits if at is not None)

    def _held_deadlines(self) -> tuple[Deadline, ...]:
        if self.vault is VaultStatus.LOST:
            return _running(DeadlineKind.REDEPOSIT, self.redeposit_due_at)
        if self.contract is not ContractStatus.SIGNED:
            return _running(DeadlineKind.SIGNING, self.signing_due_at)
        if self.vault in {VaultStatus.REVEALED, VaultStatus.ACKNOWLEDGED}:
            return () if self.inspection_lapsed else _running(DeadlineKind.INSPECTION, self.inspection_ends_at)
        return _running(DeadlineKind.REVEAL, self.reveal_due_at)

    def _escalate_overdue(self) -> None:
        for dispute in self.open_disputes:
            at = _escalation_at(dispute)
            if at is not None and self.now >= at:
                self.escalate_dispute(dispute.dispute_id, _reason_of_escalation(dispute))


def _escalation_at(dispute: Dispute) -> datetime | None:
    """A party's dispute waits for a decision; the processor's for an answer, which is then a person's to give."""
    if dispute.source is not DisputeSource.PROCESSOR:
        return dispute.opened_at + ESCALATE_DISPUTE_AFTER
    return None if dispute.due_at is None or dispute.is_answered else dispute.due_at - ESCALATE_BEFORE_DUE


def _reason_of_escalation(dispute: Dispute) -> str:
    if dispute.source is DisputeSource.PROCESSOR:
        return f"not answered, and due at {dispute.due_at:%Y-%m-%d %H:%M} UTC"
    return UNDECIDED


def _running(kind: DeadlineKind, at: datetime | None) -> tuple[Deadline, ...]:
    return () if at is None else (Deadline(kind, at),)
