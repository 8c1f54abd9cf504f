"""Decisions of staff about money: forced release and refund, resolutions, and the second pair of eyes above a limit."""

from datetime import datetime
from uuid import UUID, uuid5

from domain.actor import Role
from domain.errors import Forbidden, Refused
from domain.money import AmountNotPositive
from domain.policy import APPROVAL_VALID
from domain.reason import require_reason
from domain.transaction.dispute import Award
from domain.transaction.event import TransactionEvent
from domain.transaction.force import ForceTrack
from domain.transaction.note import NoteAdded
from domain.transaction.records import (
    Approval,
    ApprovalAction,
    ApprovalStatus,
    Decision,
    Finding,
    Grounds,
    PayoutPurpose,
)
from domain.transaction.settlement import RefundTooLarge
from domain.transaction.state import TransactionState


class ApprovalPending(Refused):
    """Another decision about this transaction waits for a second super_admin; approve or reject that one first."""

    code = "approval_pending"


class ApprovalUnknown(Refused):
    """There is no pending approval with this id."""

    code = "approval_unknown"


class OwnApproval(Forbidden):
    """Nobody approves his own request; a second super_admin has to."""

    code = "own_approval"


class ApprovalVoid(Refused):
    """The transaction changed, or 24 hours passed, since the approval was asked for; ask again."""

    code = "approval_void"


class PlatformNotAtFault(Refused):
    """Compensation needs a dispute that found the platform at fault."""

    code = "platform_not_at_fault"


class ApprovalRequestedWithoutPurpose(TransactionEvent):
    """The same as `transaction.approval_requested.v2`, as it was before: it did not say whose payout a release is."""

    TOPIC = "transaction.approval_requested.v1"
    approval_id: UUID
    action: ApprovalAction
    amount_minor: int
    reason: str
    expires_at: datetime
    at_version: int
    recipient: str | None
    dispute_id: UUID | None
    finding: Finding | None
    to_buyer_minor: int | None
    to_seller_minor: int | None
    compensation_minor: int

    def change(self, transaction: TransactionState) -> None:
        """It waits."""
        transaction.approvals[self.approval_id] = Approval(
            approval_id=self.approval_id,
            action=self.action,
            requested_by=self.actor_id,
            requested_at=self.timestamp,
            at_version=self.at_version,
            amount_minor=self.amount_minor,
            reason=self.reason,
            expires_at=self.expires_at,
            status=ApprovalStatus.REQUESTED,
            recipient=self.recipient,
            dispute_id=self.dispute_id,
            finding=self.finding,
            to_buyer_minor=self.to_buyer_minor,
            to_seller_minor=self.to_seller_minor,
            compensation_minor=self.compensation_minor,
        )


class ApprovalRequested(ApprovalRequestedWithoutPurpose):
    """A decision above the limit waits for a second super_admin; a change of what it rests on voids it.

    With a `purpose` it is about that payout, to `recipient`; a release without one is about what is held.
    """

    TOPIC = "transaction.approval_requested.v2"
    purpose: PayoutPurpose | None

    def change(self, transaction: TransactionState) -> None:
        """It waits, and says what it rests on."""
        super().change(transaction)
        grounds = _grounds_of(transaction, self.purpose)
        transaction.update_approval(self.approval_id, purpose=self.purpose, grounds=grounds)


class ApprovalGranted(TransactionEvent):
    """A second super_admin agreed; the decision follows in the same append."""

    TOPIC = "transaction.approval_granted.v1"
    approval_id: UUID
    requested_by: str

    def change(self, transaction: TransactionState) -> None:
        """It is decided."""
        transaction.update_approval(self.approval_id, status=ApprovalStatus.GRANTED)


class ApprovalRejected(TransactionEvent):
    """A super_admin disagreed; nothing happens."""

    TOPIC = "transaction.approval_rejected.v1"
    approval_id: UUID
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """It is decided."""
        transaction.update_approval(self.approval_id, status=ApprovalStatus.REJECTED)


class ApprovalExpired(TransactionEvent):
    """Nobody answered within 24 hours, or the transaction changed meanwhile."""

    TOPIC = "transaction.approval_expired.v1"
    approval_id: UUID

    def change(self, transaction: TransactionState) -> None:
        """It is void."""
        transaction.update_approval(self.approval_id, status=ApprovalStatus.EXPIRED)


class DecisionTaken(TransactionEvent):
    """Staff decided about money; the admin action, an alert and the notices to both parties follow from it."""

    TOPIC = "transaction.decision_taken.v1"
    action: ApprovalAction
    amount_minor: int
    amount_usd_cents: int
    reason: str
    approval_id: UUID | None
    requested_by: str

    def change(self, transaction: TransactionState) -> None:
        """It counts towards the limit above which four eyes have to look."""
        transaction.forced_usd_cents += self.amount_usd_cents
        transaction.last_decision = self.action


class ApprovalTrack(ForceTrack):
    """Forcing, resolving, and approving.

    `limit_usd_cents` is what one super_admin may move alone on one transaction, all his colleagues' decisions
    included; None switches the second pair of eyes off for refunds (break-glass) and nothing else. Since a request
    nothing may have happened that moves money, and its grounds have to be what they were: so what is carried out is
    what was asked for.
    """

    def force_release(
        self, reason: str, purpose: PayoutPurpose | None, recipient: str | None, limit_usd_cents: int | None
    ) -> None:
        """Release what is held, or pay out again after a failure, to `recipient` if it has to be corrected."""
        self.check_force_release()
        require_reason(reason)
        meant = self.purpose_of_release(purpose, recipient)
        decision = Decision(
            action=ApprovalAction.RELEASE,
            amount_minor=self.amount_of_release(meant),
            reason=reason,
            purpose=meant,
            recipient=self.payee_of_release(meant, recipient),
        )
        self._decide(decision, limit_usd_cents)

    def force_refund(self, reason: str, amount_minor: int | None, limit_usd_cents: int | None) -> None:
        """Refund all that can be, or `amount_minor` of it."""
        self.check_force_refund()
        require_reason(reason)
        limit = self.refundable_of_price_minor
        amount = limit if amount_minor is None else amount_minor
        if not 1 <= amount <= limit:
            raise RefundTooLarge(refundable_minor=limit)
        self._decide(Decision(action=ApprovalAction.REFUND, amount_minor=amount, reason=reason), limit_usd_cents)

    def resolve_dispute(self, dispute_id: UUID, award: Award, limit_usd_cents: int | None) -> None:
        """Decide a dispute by the matrix."""
        self.check_resolve(dispute_id, award)
        decision = Decision(
            action=ApprovalAction.RESOLVE,
            amount_minor=self.award_amount_minor(award),
            reason=award.reason,
            dispute_id=dispute_id,
            finding=award.finding,
            to_buyer_minor=award.to_buyer_minor,
            to_seller_minor=award.to_seller_minor,
            compensation_minor=award.compensation_minor,
        )
        self._decide(decision, limit_usd_cents)

    def check_compensate(self) -> None:
        """Raise unless a super_admin could compensate the buyer for a fault of the platform."""
        self.require_staff(Role.SUPER_ADMIN)
        if not any(dispute.finding is Finding.PLATFORM for dispute in self.disputes.values()):
            raise PlatformNotAtFault
        self.check_compensation(1)

    def compensate(self, amount_minor: int, reason: str, limit_usd_cents: int | None) -> None:
        """Compensate the buyer after the finding, as far as the cap leaves room; above the limit it takes two."""
        self.check_compensate()
        require_reason(reason)
        if amount_minor <= 0:
            raise AmountNotPositive
        self.check_compensation(amount_minor)
        decision = Decision(action=ApprovalAction.COMPENSATE, amount_minor=amount_minor, reason=reason)
        self._decide(decision, limit_usd_cents)

    def check_any_approvable(self) -> None:
        """Raise unless this super_admin could approve a request of somebody else."""
        self.require_staff(Role.SUPER_ADMIN)
        foreign = (r for r in self.pending_approvals if r.requested_by != self.actor.id and self._is_valid(r))
        request = next(foreign, None)
        if request is None:
            raise ApprovalUnknown
        self._check_again(request)

    def check_any_rejectable(self) -> None:
        """Raise unless this super_admin could reject a request, or take his own back."""
        self.require_staff(Role.SUPER_ADMIN)
        if not self.pending_approvals:
            raise ApprovalUnknown

    def grant_approval(self, approval_id: UUID) -> None:
        """A second super_admin agrees; the guards are checked again and the decision is carried out."""
        request = self._pending(approval_id)
        if request.requested_by == self.actor.id:
            raise OwnApproval
        if not self._is_valid(request):
            raise ApprovalVoid
        self._check_again(request)
        self.record(ApprovalGranted, approval_id=approval_id, requested_by=request.requested_by)
        self._carry_out(request, requested_by=request.requested_by, approval_id=approval_id)

    def reject_approval(self, approval_id: UUID, reason: str) -> None:
        """A super_admin disagrees, or the asker takes his request back."""
        self._pending(approval_id)
        require_reason(reason)
        self.record(ApprovalRejected, approval_id=approval_id, reason=reason)

    def expire_approvals(self) -> None:
        """The clock voids requests that nobody answered in time."""
        self.require_system()
        for request in self.pending_approvals:
            if self.now >= request.expires_at:
                self.record(ApprovalExpired, approval_id=request.approval_id)

    @property
    def pending_approvals(self) -> tuple[Approval, ...]:
        """The requests that wait for a second super_admin."""
        return tuple(r for r in self.approvals.values() if r.status is ApprovalStatus.REQUESTED)

    def _decide(self, decision: Decision, limit_usd_cents: int | None) -> None:
        usd = self.forced_usd_cents + self._usd_cents(decision.amount_minor)
        breaks_glass = limit_usd_cents is None and decision.action is ApprovalAction.REFUND
        if breaks_glass or usd <= (limit_usd_cents or 0):
            self._carry_out(decision, requested_by=self.actor.id, approval_id=None)
        else:
            self._request(decision)

    def _request(self, decision: Decision) -> None:
        if any(self._is_valid(pending) for pending in self.pending_approvals):
            raise ApprovalPending
        approval_id = uuid5(self.id, f"approval:{self.version + 1}")
        self._expire_overtaken()
        self.record(
            ApprovalRequested,
            approval_id=approval_id,
            action=decision.action,
            amount_minor=decision.amount_minor,
            reason=decision.reason,
            expires_at=self.now + APPROVAL_VALID,
            at_version=self.version + 1,
            purpose=decision.purpose,
            recipient=decision.recipient,
            dispute_id=decision.dispute_id,
            finding=decision.finding,
            to_buyer_minor=decision.to_buyer_minor,
            to_seller_minor=decision.to_seller_minor,
            compensation_minor=decision.compensation_minor,
        )

    def _expire_overtaken(self) -> None:
        """None that waits is valid any more: void them all before a new one is made."""
        for pending in self.pending_approvals:
            self.record(ApprovalExpired, approval_id=pending.approval_id)

    def _carry_out(self, decision: Decision, *, requested_by: str, approval_id: UUID | None) -> None:
        self.record(
            DecisionTaken,
            action=decision.action,
            amount_minor=decision.amount_minor,
            amount_usd_cents=self._usd_cents(decision.amount_minor),
            reason=decision.reason,
            approval_id=approval_id,
            requested_by=requested_by,
        )
        self.record(NoteAdded, text=decision.reason)
        match decision.action:
            case ApprovalAction.RELEASE:
                self._carry_out_release(decision)
            case ApprovalAction.REFUND:
                self.refund_by_force(decision.amount_minor, decision.reason)
            case ApprovalAction.RESOLVE:
                assert decision.dispute_id is not None
                self.apply_award(decision.dispute_id, _award(decision))
            case ApprovalAction.COMPENSATE:
                self.grant_compensation(decision.amount_minor, decision.reason)

    def _carry_out_release(self, decision: Decision) -> None:
        if decision.purpose is None:
            self.release_by_force(decision.reason)
        else:
            assert decision.recipient is not None
            self.pay_by_force(decision.purpose, decision.recipient, decision.reason)

    def _check_again(self, decision: Decision) -> None:
        match decision.action:
            case ApprovalAction.RELEASE:
                self.check_force_release()
            case ApprovalAction.REFUND:
                self.check_force_refund()
            case ApprovalAction.RESOLVE:
                assert decision.dispute_id is not None
                self.check_resolve(decision.dispute_id, _award(decision))
            case ApprovalAction.COMPENSATE:
                self.check_compensation(decision.amount_minor)

    def _is_valid(self, request: Approval) -> bool:
        if self.now >= request.expires_at or self.voided_at_version > request.at_version or request.grounds is None:
            return False
        return request.grounds.cover(_grounds_of(self, request.purpose)) and self._still_pays(request)

    def _still_pays(self, request: Approval) -> bool:
        """Whether a release would pay the same; all other decisions say themselves what they move."""
        if request.action is not ApprovalAction.RELEASE:
            return True
        if request.purpose is not None and request.purpose not in self.purposes_to_pay():
            return False
        return self.amount_of_release(request.purpose) == request.amount_minor

    def _pending(self, approval_id: UUID) -> Approval:
        self.require_staff(Role.SUPER_ADMIN)
        request = self.approvals.get(approval_id)
        if request is None or request.status is not ApprovalStatus.REQUESTED:
            raise ApprovalUnknown
        return request

    def _usd_cents(self, amount_minor: int) -> int:
        """Rounded up: what is less than a cent each time must not add up to nothing under the limit."""
        return -(-self.amount_usd_cents * amount_minor // self.price.amount_minor)


def _grounds_of(transaction: TransactionState, purpose: PayoutPurpose | None) -> Grounds:
    return Grounds(
        doubt=None if purpose is None else transaction.unproven_accounts.get(purpose),
        disputed_by=frozenset(dispute.opened_by for dispute in transaction.open_disputes),
        is_stated=transaction.buyer_statement_at is not None,
    )


def _award(decision: Decision) -> Award:
    assert decision.finding is not None
    return Award(
        finding=decision.finding,
        reason=decision.reason,
        to_buyer_minor=decision.to_buyer_minor,
        to_seller_minor=decision.to_seller_minor,
        compensation_minor=decision.compensation_minor,
    )
