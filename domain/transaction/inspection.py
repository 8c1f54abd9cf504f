"""The buyer's inspection: confirmed, extended, or lapsed in silence."""

import hashlib
from datetime import datetime, timedelta

from domain.actor import STAFF
from domain.errors import Forbidden, Invalid, Refused
from domain.policy import MAX_EXTENSION_SECONDS, Silence
from domain.reason import require_reason
from domain.transaction.event import TransactionEvent
from domain.transaction.records import Basis, SettlementStatus, VaultStatus
from domain.transaction.settlement import SettlementTrack
from domain.transaction.state import TransactionState
from domain.transaction.vault import NotRevealed


class AlreadySettled(Refused):
    """What happens with the money has been decided already."""

    code = "already_settled"


class ExtensionOutOfRange(Invalid):
    """An extension is from one second to 30 days."""

    code = "extension_out_of_range"


class AccessConfirmed(TransactionEvent):
    """The buyer accepts the account, in the exact words that he was shown."""

    TOPIC = "transaction.access_confirmed.v1"
    statements: tuple[str, ...]
    statements_sha256: str

    def change(self, transaction: TransactionState) -> None:
        """The seller is owed the price less the fee; the order to release follows in the same append."""
        transaction.access_confirmed_at = self.timestamp


class InspectionExtended(TransactionEvent):
    """The buyer has more time to look."""

    TOPIC = "transaction.inspection_extended.v1"
    VOIDS_REQUESTS = False
    ends_at: datetime
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """The clock starts anew."""
        transaction.inspection_ends_at = self.ends_at
        transaction.inspection_lapsed = False


class InspectionLapsed(TransactionEvent):
    """The inspection period ended without a word; `outcome` is what the terms say about silence."""

    TOPIC = "transaction.inspection_lapsed.v1"
    VOIDS_REQUESTS = False
    deadline: datetime
    outcome: Silence

    def change(self, transaction: TransactionState) -> None:
        """It lapses once."""
        transaction.inspection_lapsed = True


STOOD_STILL = "a dispute of the seller was open"


class InspectionTrack(SettlementTrack):
    """Confirming access, and what silence means."""

    def acknowledge_reveal(self) -> None:
        """The buyer has what he needs; where silence means a refund, it does so from now on.

        So the inspection runs on under a dispute of the seller, under which it has stood still until now.
        """
        stood_still = timedelta(seconds=self._seconds_stood_still())
        super().acknowledge_reveal()
        ends_at = self.inspection_ends_at
        runs = self.is_live and self.silence_refunds and not self.inspection_lapsed
        if runs and stood_still and ends_at is not None:
            self.record(InspectionExtended, ends_at=ends_at + stood_still, reason=STOOD_STILL)

    def _seconds_stood_still(self) -> int:
        """How long nothing but disputes of the seller have been open, with those that are open now."""
        runs_on = not self.has_open_dispute or self.has_dispute_against_refund
        since = self.now if runs_on else self.pause_counted_at or self.now
        return self.release_paused_seconds + int((self.now - since).total_seconds())

    def check_confirm_access(self) -> None:
        """Raise unless the buyer can accept the account now."""
        self.require_buyer()
        if self.settlement is not SettlementStatus.HELD:
            raise AlreadySettled
        self.require_live()
        self.require_no_dispute()
        if self.vault not in {VaultStatus.REVEALED, VaultStatus.ACKNOWLEDGED}:
            raise NotRevealed

    def confirm_access(self, statements: tuple[str, ...]) -> None:
        """The buyer accepts the account; the seller is owed the price less the fee."""
        self.check_confirm_access()
        digest = hashlib.sha256("\n".join(statements).encode()).hexdigest()
        self.record(AccessConfirmed, statements=statements, statements_sha256=digest)
        self.order_release(Basis.BUYER_CONFIRMED, None)

    def check_extend(self) -> None:
        """Raise unless the seller, who waits for his money, or staff can give the buyer more time.

        Where silence means a refund, more time would only put the refund off: that is for staff to decide. While a
        dispute is open the inspection stands still.
        """
        if self.actor.role not in STAFF or self.is_party(self.actor):
            self.require_seller()
            if self.terms.silence is Silence.REFUND:
                raise Forbidden
        self.require_live()
        self.require_no_dispute()
        if self.vault not in {VaultStatus.REVEALED, VaultStatus.ACKNOWLEDGED}:
            raise NotRevealed

    def extend_inspection(self, seconds: int, reason: str) -> None:
        """Give the buyer more time, counted from now or from the present end, whichever is later."""
        self.check_extend()
        require_reason(reason)
        if not 1 <= seconds <= MAX_EXTENSION_SECONDS:
            raise ExtensionOutOfRange
        base = max(self.now, self.inspection_ends_at or self.now)
        self.record(InspectionExtended, ends_at=base + timedelta(seconds=seconds), reason=reason)

    def lapse_inspection(self, deadline: datetime) -> None:
        """Apply what the terms say about silence; a reveal that nobody acknowledged is escalated, never released."""
        outcome = self.outcome_of_silence
        self.record(InspectionLapsed, deadline=deadline, outcome=outcome)
        if outcome is Silence.RELEASE:
            self.order_release(Basis.LAPSE, None)
        elif outcome is Silence.REFUND:
            self.order_refund(self.held_minor, Basis.LAPSE, "inspection_lapsed")
