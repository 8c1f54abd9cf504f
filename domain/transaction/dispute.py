"""Disputes: opened by a party, staff or the processor; withdrawn, escalated, or resolved by the decision matrix."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.actor import STAFF, Role
from domain.errors import Forbidden, Invalid, Refused
from domain.journal import Account
from domain.policy import DISPUTE_WINDOW
from domain.reason import require_reason
from domain.transaction.compensation import CompensationTrack
from domain.transaction.event import TransactionEvent
from domain.transaction.outage import ClocksResumed, count_pause
from domain.transaction.phase import TERMINAL
from domain.transaction.records import (
    ApprovalAction,
    Basis,
    Dispute,
    DisputeCategory,
    DisputeSource,
    Finding,
    SettlementStatus,
)
from domain.transaction.settlement import AwardInvalid
from domain.transaction.state import NothingHeld, TransactionState


class DisputeUnknown(Refused):
    """There is no open dispute with this id."""

    code = "dispute_unknown"


class DisputeExists(Refused):
    """You have an open dispute on this transaction already."""

    code = "dispute_exists"


class DisputeTooLate(Refused):
    """A dispute can be opened from the payment until 30 days after completion."""

    code = "dispute_too_late"


class ProcessorDecides(Refused):
    """The processor's dispute is decided by the processor; answer it there with the evidence pack."""

    code = "processor_decides"


class FindingInvalid(Invalid):
    """A person finds for the buyer, the seller or the platform at fault, or divides what is held when it is unclear."""

    code = "finding_invalid"


class DisputeOpened(TransactionEvent):
    """Somebody disagrees; until it is decided nothing is released or paid out, and only a refund lapses."""

    TOPIC = "transaction.dispute_opened.v1"
    VOIDS_REQUESTS = False
    dispute_id: UUID
    source: DisputeSource
    category: DisputeCategory
    statement_id: UUID | None
    statement_sha256: str | None
    processor_dispute_id: str | None
    amount_minor: int
    due_at: datetime | None

    def change(self, transaction: TransactionState) -> None:
        """It is open."""
        if not transaction.has_open_dispute:
            transaction.disputed_since = self.timestamp
        count_pause(transaction, self.timestamp)
        transaction.disputes[self.dispute_id] = Dispute(
            dispute_id=self.dispute_id,
            source=self.source,
            category=self.category,
            opened_at=self.timestamp,
            opened_by=self.actor_id,
            processor_dispute_id=self.processor_dispute_id,
            due_at=self.due_at,
        )


class DisputeWithdrawn(TransactionEvent):
    """Its opener took it back; deadlines that it stopped go on where they stopped.

    `paused_seconds` is 0 but in logs from before 2026-12: `ClocksResumed` says since then what is due later.
    """

    TOPIC = "transaction.dispute_withdrawn.v1"
    VOIDS_REQUESTS = False
    dispute_id: UUID
    paused_seconds: int

    def change(self, transaction: TransactionState) -> None:
        """It is closed without a finding."""
        count_pause(transaction, self.timestamp)
        transaction.update_dispute(self.dispute_id, finding=Finding.WITHDRAWN)
        transaction.shift_deadlines(timedelta(seconds=self.paused_seconds))


class DisputeEscalated(TransactionEvent):
    """It is a super_admin's to decide now."""

    TOPIC = "transaction.dispute_escalated.v1"
    dispute_id: UUID
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """An admin alone cannot decide it any more."""
        transaction.update_dispute(self.dispute_id, escalated=True)


class DisputeResolved(TransactionEvent):
    """It is decided; the money follows in the same append."""

    TOPIC = "transaction.dispute_resolved.v1"
    dispute_id: UUID
    finding: Finding
    to_buyer_minor: int
    to_seller_minor: int
    platform_fee_minor: int
    compensation_minor: int
    reason: str

    def change(self, transaction: TransactionState) -> None:
        """It is closed. Force closes what it meets, and judges nothing; a chargeback ends at the processor alone."""
        count_pause(transaction, self.timestamp)
        is_chargeback = transaction.disputes[self.dispute_id].source is DisputeSource.PROCESSOR
        is_forced = transaction.last_decision in {ApprovalAction.RELEASE, ApprovalAction.REFUND} and not is_chargeback
        transaction.update_dispute(self.dispute_id, finding=self.finding, closed_by_force=is_forced)


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """What a person decided. Amounts are only given when it is unclear who is at fault, and divide what is held."""

    finding: Finding
    reason: str
    to_buyer_minor: int | None = None
    to_seller_minor: int | None = None
    compensation_minor: int = 0


HUMAN_FINDINGS = frozenset({Finding.BUYER, Finding.SELLER, Finding.PLATFORM, Finding.UNCLEAR})


class DisputeTrack(CompensationTrack):
    """Opening, withdrawing, escalating and resolving."""

    def check_dispute(self) -> None:
        """Raise unless a party, or staff, can open a dispute now."""
        if self.actor.role not in STAFF or self.is_party(self.actor):
            self.require_party()
        if self.settlement is SettlementStatus.NONE:
            raise NothingHeld
        ended_at = self.completed_at or self.returned_at or (self.phase_since if self.phase in TERMINAL else self.now)
        if self.now > ended_at + DISPUTE_WINDOW:
            raise DisputeTooLate
        if any(dispute.opened_by == self.actor.id for dispute in self.open_disputes):
            raise DisputeExists

    def open_dispute(
        self, dispute_id: UUID, category: DisputeCategory, statement_id: UUID | None, statement_sha256: str | None
    ) -> None:
        """A party or staff open a dispute about the whole price; what they wrote stands in the erasable contents."""
        self.check_dispute()
        if dispute_id in self.disputes:
            raise DisputeExists
        role = self.actor_on_record().role
        source = DisputeSource.ADMIN if role in STAFF else DisputeSource(role.value)
        self.record(
            DisputeOpened,
            dispute_id=dispute_id,
            source=source,
            category=category,
            statement_id=statement_id,
            statement_sha256=statement_sha256,
            processor_dispute_id=None,
            amount_minor=self.price.amount_minor,
            due_at=None,
        )

    def check_withdraw(self) -> None:
        """Raise `DisputeUnknown` unless the actor has an open dispute to take back."""
        own = (dispute for dispute in self.open_disputes if dispute.opened_by == self.actor.id)
        if all(dispute.source is DisputeSource.PROCESSOR for dispute in own):
            raise DisputeUnknown

    def check_any_resolvable(self) -> None:
        """Raise unless staff could decide one of the open disputes."""
        self.require_staff()
        if not self.open_disputes:
            raise DisputeUnknown
        if any(dispute.source is DisputeSource.PROCESSOR for dispute in self.open_disputes):
            raise ProcessorDecides
        if self.actor.role is not Role.SUPER_ADMIN and all(dispute.escalated for dispute in self.open_disputes):
            raise Forbidden

    def check_escalate(self) -> None:
        """Raise unless staff or the clock could hand one of the open disputes to a super_admin."""
        if self.actor.role is not Role.SYSTEM:
            self.require_staff()
        if all(dispute.escalated for dispute in self.open_disputes):
            raise DisputeUnknown

    def withdraw_dispute(self, dispute_id: UUID) -> None:
        """Its opener takes a dispute back."""
        dispute = self._open_dispute(dispute_id)
        if dispute.source is DisputeSource.PROCESSOR:
            raise ProcessorDecides
        if dispute.opened_by != self.actor.id:
            self.require_party()
            raise Forbidden
        self.record(DisputeWithdrawn, dispute_id=dispute_id, paused_seconds=0)
        self.resume_clocks()

    def resume_clocks(self) -> None:
        """Give the parties the time back in which a clock stood still, once no dispute stops it any more."""
        seconds = 0 if self.has_dispute_against_refund else self.paused_seconds
        release_seconds = 0 if self.has_open_dispute else self.release_paused_seconds
        if self._has_clock_of_before() and seconds + release_seconds > 0:
            self.record(ClocksResumed, seconds=seconds, release_seconds=release_seconds)

    def _has_clock_of_before(self) -> bool:
        """True when a deadline that stood still goes on; one that starts with the decision itself does not."""
        if self.settlement is SettlementStatus.HELD:
            return True
        reserved = self.owed(Account.SELLER_RESERVE) > 0
        return reserved and (self.settled_at or self.now) <= (self.disputed_since or self.now)

    def escalate_dispute(self, dispute_id: UUID, reason: str) -> None:
        """Staff or the clock hand the decision to a super_admin; a second time changes nothing."""
        if self.actor.role is not Role.SYSTEM:
            self.require_staff()
            require_reason(reason)
        if not self._open_dispute(dispute_id).escalated:
            self.record(DisputeEscalated, dispute_id=dispute_id, reason=reason)

    def check_resolve(self, dispute_id: UUID, award: Award) -> None:
        """Raise unless this person may decide this dispute this way now."""
        self.require_staff()
        dispute = self._open_dispute(dispute_id)
        self._require_human_finding(award)
        needs_super = dispute.escalated or award.finding is Finding.UNCLEAR or award.compensation_minor
        if needs_super and self.actor.role is not Role.SUPER_ADMIN:
            raise Forbidden
        if award.finding is not Finding.PLATFORM and award.compensation_minor:
            raise AwardInvalid
        self.check_compensation(award.compensation_minor)
        require_reason(award.reason)

    def apply_award(self, dispute_id: UUID, award: Award) -> None:
        """Close every dispute that people opened, this one first, then move the money as the decision matrix says."""
        held = self.held_minor
        to_buyer, to_seller = self._shares(award, held)
        tax = self.terms.tax_minor(held) if award.finding is Finding.BUYER else 0
        for dispute in sorted(self.open_disputes, key=lambda dispute: dispute.dispute_id != dispute_id):
            is_decided = dispute.dispute_id == dispute_id
            self.record(
                DisputeResolved,
                dispute_id=dispute.dispute_id,
                finding=award.finding,
                to_buyer_minor=to_buyer if is_decided else 0,
                to_seller_minor=to_seller if is_decided else 0,
                platform_fee_minor=max(0, held - to_buyer - to_seller - tax) if is_decided else 0,
                compensation_minor=award.compensation_minor if is_decided else 0,
                reason=award.reason,
            )
        self._move_award(award, held, to_buyer, to_seller)
        self.resume_clocks()
        self.grant_compensation(award.compensation_minor, award.reason)

    def record_forced_resolution(self, dispute_id: UUID, reason: str) -> None:
        """A forced release or refund closes a dispute; the money moves by the force, not by an award."""
        self.record(
            DisputeResolved,
            dispute_id=dispute_id,
            finding=Finding.UNCLEAR,
            to_buyer_minor=0,
            to_seller_minor=0,
            platform_fee_minor=0,
            compensation_minor=0,
            reason=reason,
        )

    def award_amount_minor(self, award: Award) -> int:
        """Return how much money a decision moves, in minor units: what four eyes have to look at."""
        held = self.held_minor
        to_buyer, to_seller = self._shares(award, held)
        return max(held, to_buyer + to_seller) + award.compensation_minor

    def _shares(self, award: Award, held: int) -> tuple[int, int]:
        """Return what buyer and seller get; the platform's commission is part of what the seller's side gets."""
        refundable = self.refundable_of_price_minor
        match award.finding:
            case Finding.BUYER:
                return 0, held - self.terms.fee_minor(held) - self.terms.tax_minor(held)
            case Finding.UNCLEAR:
                return self._divided(award, held, refundable)
            case _:
                return refundable, 0

    def _divided(self, award: Award, held: int, refundable: int) -> tuple[int, int]:
        to_buyer, to_seller = award.to_buyer_minor or 0, award.to_seller_minor or 0
        limit = held or refundable
        if min(to_buyer, to_seller) < 0 or to_buyer + to_seller > limit or (not held and to_seller):
            raise AwardInvalid(held_minor=held, refundable_minor=refundable)
        return to_buyer, to_seller

    def _move_award(self, award: Award, held: int, to_buyer: int, to_seller: int) -> None:
        if award.finding is Finding.BUYER:
            if held:
                self.order_release(Basis.AWARD, award.reason)
        elif held and award.finding is Finding.UNCLEAR and to_buyer < held:
            self.order_split(to_buyer, to_seller, award.reason)
        elif to_buyer:
            self.order_refund(to_buyer, Basis.AWARD, award.reason)

    def _require_human_finding(self, award: Award) -> None:
        if any(other.source is DisputeSource.PROCESSOR for other in self.open_disputes):
            raise ProcessorDecides
        amounts_given = award.to_buyer_minor is not None or award.to_seller_minor is not None
        is_unclear = award.finding is Finding.UNCLEAR
        if award.finding not in HUMAN_FINDINGS or amounts_given != is_unclear:
            raise FindingInvalid

    def _open_dispute(self, dispute_id: UUID) -> Dispute:
        dispute = self.disputes.get(dispute_id)
        if not self.may_see(self.actor):
            self.require_party()
        if dispute is None or not dispute.is_open:
            raise DisputeUnknown
        return dispute
