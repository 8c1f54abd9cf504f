"""Force: what a super_admin may do when money is stuck, and the guards that keep it from being a short cut."""

from domain.actor import Role
from domain.errors import Invalid, Refused
from domain.policy import STUCK_AFTER
from domain.transaction.chargeback import ChargebackTrack
from domain.transaction.dispute import ProcessorDecides
from domain.transaction.phase import TERMINAL, Phase, failed_purpose
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


class ForceTrack(ChargebackTrack):
    """Releasing and refunding by force."""

    def check_force_release(self) -> None:
        """Raise unless a super_admin can release, or pay out again, now; `NotStuck` says when it becomes possible."""
        self._require_force()
        if self.purpose_to_pay() is not None:
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

    def release_by_force(self, reason: str, recipient: str | None) -> None:
        """Release what is held, or pay out again, or for the first time, what failed; raise `RecipientMissing`."""
        due = self.payout_by_force(recipient)
        had_dispute = self._close_disputes(reason)
        if due is None:
            self.order_release(Basis.FORCED, reason)
            return
        if had_dispute:
            self.resume_clocks()
        purpose, payee = due
        self.request_payout(purpose, payee, forced=True)

    def payout_by_force(self, recipient: str | None) -> tuple[PayoutPurpose, str] | None:
        """Return what force pays and to whom, None where nothing is due; raise `RecipientMissing` if nobody said."""
        purpose = self.purpose_to_pay()
        if purpose is None:
            return None
        payee = recipient or self._last_recipient(purpose)
        if payee is None:
            raise RecipientMissing
        return purpose, payee

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
        if not (is_old or disputed or self.purpose_to_pay() is not None):
            if self.phase in TERMINAL:
                raise NotStuck
            raise NotStuck(possible_at=possible_at.isoformat())

    def _has_word_for_release(self) -> bool:
        return self.buyer_statement_at is not None or any(d.is_decided_by_staff for d in self.disputes.values())

    def _last_recipient(self, purpose: PayoutPurpose) -> str | None:
        """Where the last attempt went; who names an account in doubt has to say which it is."""
        if purpose is self.unproven_purpose():
            return None
        last = self.last_payout(purpose)
        return None if last is None else last.recipient

    def purpose_to_pay(self) -> PayoutPurpose | None:
        """Return what waits for a person: a payout that failed, or to an account in doubt, or a refund without one."""
        failed = failed_purpose(self) or self.unproven_purpose()
        return failed or (PayoutPurpose.REFUND if self._has_refund_to_pay() else None)

    def _has_refund_to_pay(self) -> bool:
        """While something is held, releasing it comes first; a transfer on its way, or to be repeated, is awaited."""
        is_due = any(refund.will_not_be_sent for refund in self.refunds.values())
        if not is_due or self.held_minor > 0 or self.payable_minor(PayoutPurpose.REFUND) == 0:
            return False
        last = self.last_payout(PayoutPurpose.REFUND)
        return last is None or last.status is PayoutStatus.SUCCEEDED

    def failed_payable_minor(self) -> int:
        """Return what a failed payout or refund left to pay, in minor units."""
        purpose = self.purpose_to_pay()
        return 0 if purpose is None else self.payable_minor(purpose)
