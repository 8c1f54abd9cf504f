"""Force: what a super_admin may do when money is stuck, and the guards that keep it from being a short cut."""

from domain.actor import Role
from domain.errors import Invalid, Refused
from domain.policy import STUCK_AFTER
from domain.transaction.chargeback import ChargebackTrack
from domain.transaction.dispute import ProcessorDecides
from domain.transaction.payout import NothingPayable
from domain.transaction.phase import TERMINAL, Phase, failed_purposes
from domain.transaction.records import (
    Basis,
    DisputeSource,
    PayoutPurpose,
    PayoutStatus,
    SettlementStatus,
)
from domain.transaction.settlement import RefundTooLarge
from domain.transaction.state import NothingHeld


class NotStuck(Refused):
    """Force needs a state that has lasted more than 7 days, a dispute, or a failed payout or refund."""

    code = "not_stuck"


class RevealFirst(Refused):
    """Before the reveal, releasing needs a decided dispute or the buyer's recorded statement."""

    code = "reveal_first"


class DisputeFirst(Refused):
    """After the release, a refund needs a decided dispute."""

    code = "dispute_first"


class RecipientMissing(Invalid):
    """There is no recipient to pay to; give one."""

    code = "recipient_missing"


class PurposeMissing(Invalid):
    """Say with `purpose` whose payout you mean: a recipient is one payee's, and more than one thing may be due."""

    code = "purpose_missing"


class MayBePaid(Refused):
    """The processor has paid this already, or may yet: by a transfer or refund that had failed. Nothing was ordered."""

    code = "may_be_paid"


class ForceTrack(ChargebackTrack):
    """Releasing and refunding by force.

    A release says what it pays when it is asked for: a payout that is due, by its purpose, or without one what is held.
    """

    def check_force_release(self) -> None:
        """Raise unless a super_admin can release, or pay out again, now; `NotStuck` says when it becomes possible."""
        self._require_force()
        if self.purposes_to_pay():
            return
        if not self.is_held:
            raise NothingHeld
        if self.revealed_at is None and not self._has_word_for_release():
            raise RevealFirst

    def check_force_refund(self) -> None:
        """Raise unless a super_admin can refund now; `NotStuck` says when it becomes possible."""
        self._require_force()
        if self.refundable_of_price_minor <= 0:
            raise RefundTooLarge(refundable_minor=0)
        is_released = self.settlement in {SettlementStatus.RELEASED, SettlementStatus.SPLIT}
        if is_released and not any(dispute.is_decided_by_staff for dispute in self.disputes.values()):
            raise DisputeFirst

    def release_by_force(self, reason: str) -> None:
        """Close the disputes that people opened and release what is held."""
        self._close_disputes(reason)
        self.order_release(Basis.FORCED, reason)

    def pay_by_force(self, purpose: PayoutPurpose, recipient: str, reason: str) -> None:
        """Close the disputes that people opened and pay out again, or for the first time, what is due."""
        if self._close_disputes(reason):
            self.resume_clocks()
        self.request_payout(purpose, recipient, forced=True)

    def purpose_of_release(self, purpose: PayoutPurpose | None, recipient: str | None) -> PayoutPurpose | None:
        """Return whose payout is meant, None for what is held; raise `PurposeMissing`, or `NothingPayable` if not due.

        Without a purpose it is the only thing that is due: what somebody meant must not depend on what else happened.
        """
        due = self.purposes_to_pay()
        if purpose is not None:
            if purpose not in due:
                raise NothingPayable
            return purpose
        if recipient is not None or len(due) + self.is_held > 1:
            raise PurposeMissing(due=[each.value for each in due], held_minor=self.held_minor)
        return due[0] if due else None

    def payee_of_release(self, purpose: PayoutPurpose | None, recipient: str | None) -> str | None:
        """Return to whom a payout goes, None for what is held; raise `RecipientMissing` where nobody said."""
        if purpose is None:
            return None
        payee = recipient or self._last_recipient(purpose)
        if payee is None:
            raise RecipientMissing
        return payee

    def amount_of_release(self, purpose: PayoutPurpose | None) -> int:
        """Return how much a release moves now, in minor units."""
        return self.held_minor if purpose is None else self.payable_minor(purpose)

    def refund_by_force(self, amount_minor: int, reason: str) -> None:
        """Close the disputes that people opened and order the refund."""
        had_dispute = self._close_disputes(reason)
        self.order_refund(amount_minor, Basis.FORCED, reason)
        if had_dispute:
            self.resume_clocks()

    def _close_disputes(self, reason: str) -> bool:
        open_disputes = self.open_disputes
        for dispute in open_disputes:
            self.record_forced_resolution(dispute.dispute_id, reason)
        return bool(open_disputes)

    def _require_force(self) -> None:
        self.require_staff(Role.SUPER_ADMIN)
        if any(dispute.source is DisputeSource.PROCESSOR for dispute in self.open_disputes):
            raise ProcessorDecides
        disputed = any(dispute.is_open or dispute.is_decided for dispute in self.disputes.values())
        possible_at = self.phase_since + STUCK_AFTER
        is_old = self.now > possible_at and (self.phase not in TERMINAL or self.phase is Phase.CHARGED_BACK)
        if not (is_old or disputed or self.purposes_to_pay()):
            if self.phase in TERMINAL:
                raise NotStuck
            raise NotStuck(possible_at=possible_at.isoformat())

    def _has_word_for_release(self) -> bool:
        return self.buyer_statement_at is not None or any(d.is_decided_by_staff for d in self.disputes.values())

    def _last_recipient(self, purpose: PayoutPurpose) -> str | None:
        """Where the last attempt went; who names an account in doubt has to say which it is."""
        if purpose in self.unproven_purposes():
            return None
        last = self.last_payout(purpose)
        return None if last is None else last.recipient

    def purposes_to_pay(self) -> tuple[PayoutPurpose, ...]:
        """Return what waits for a person: payouts that failed, or to an account in doubt, or a refund without one."""
        due = failed_purposes(self) | frozenset(self.unproven_purposes())
        return tuple(p for p in PayoutPurpose if p in due or (p is PayoutPurpose.REFUND and self._has_refund_to_pay()))

    def _has_refund_to_pay(self) -> bool:
        """While something is held, releasing it comes first; a transfer on its way, or to be repeated, is awaited."""
        is_due = any(refund.will_not_be_sent for refund in self.refunds.values())
        if not is_due or self.held_minor > 0 or self.payable_minor(PayoutPurpose.REFUND) == 0:
            return False
        last = self.last_payout(PayoutPurpose.REFUND)
        return last is None or last.status is PayoutStatus.SUCCEEDED
