"""The state that a transaction's tracks share, and the guards they all use."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import UUID

from domain.actor import PARTIES, STAFF, Actor, Role
from domain.aggregate import Aggregate
from domain.errors import Forbidden, NotFound, Refused
from domain.journal import PER_TRANSACTION, Account, Postings
from domain.money import Money
from domain.policy import Silence, Terms
from domain.restore import Hold
from domain.transaction.phase import FAILED, SOURCES, TERMINAL, Phase
from domain.transaction.records import (
    AccountWait,
    Approval,
    ApprovalAction,
    ContractStatus,
    Dispute,
    DisputeSource,
    PaymentStatus,
    Payout,
    PayoutPurpose,
    PayoutStatus,
    Receipt,
    Refund,
    SettlementStatus,
    UnprovenAccount,
    VaultStatus,
)


class NothingHeld(Refused):
    """Escrow holds no money for this transaction, or a chargeback has taken some of it back."""

    code = "nothing_held"


class DisputeOpen(Refused):
    """A dispute is open: this waits until it is decided."""

    code = "dispute_open"


DEADLINES = ("signing_due_at", "reveal_due_at", "redeposit_due_at", "inspection_ends_at", "reserve_due_at")


class TransactionState(Aggregate):
    """Tracks folded from events. The phase, balances and permitted actions are derived from them, never assigned."""

    def __init__(
        self,
        listing_id: UUID,
        vault_id: UUID,
        buyer_id: UUID,
        seller_id: UUID,
        price: Money,
        amount_usd_cents: int,
        terms: Terms,
        payment_due_at: datetime,
    ) -> None:
        self.listing_id = listing_id
        self.vault_id = vault_id
        self.buyer_id = buyer_id
        self.seller_id = seller_id
        self.buyer_text, self.seller_text = str(buyer_id), str(seller_id)  # guards compare actors by the dozen
        self.price = price
        self.amount_usd_cents = amount_usd_cents
        self.terms = terms
        self.payment_due_at = payment_due_at
        self.ended_as: str | None = None
        self.phase = Phase.PENDING
        self.phase_since = self.created_on
        self.changed_at_version = self.version
        self.voided_at_version = self.version  # what was asked for before waits for nobody any more

        self._start_payment()
        self._start_contract()
        self._start_vault()
        self._start_settlement()

    def _start_payment(self) -> None:
        self.payment = PaymentStatus.NONE
        self.payment_reference: str | None = None
        self.payment_attempts = 0
        self.payment_link_issued = False
        self.processor_charge_id: str | None = None
        self.received_minor = 0
        self.charge_fee_minor: int | None = None
        self.stray_fees: set[str] = set()
        self.seen_charges: set[str] = set()
        self.suspense: dict[str, Receipt] = {}
        self.funds_held_at: datetime | None = None

    def _start_contract(self) -> None:
        self.contract = ContractStatus.NONE
        self.contract_id: UUID | None = None
        self.contract_sha256: str | None = None
        self.contract_template: str | None = None
        self.buyer_key_fingerprint: str | None = None
        self.seller_key_fingerprint: str | None = None
        self.buyer_signed_at: datetime | None = None
        self.seller_signed_at: datetime | None = None
        self.signing_due_at: datetime | None = None
        self.cancel_requested_by: Role | None = None

    def _start_vault(self) -> None:
        self.vault = VaultStatus.SEALED
        self.reveal_due_at: datetime | None = None
        self.revealed_at: datetime | None = None  # the first time; `shown_at` is the last
        self.shown_at: datetime | None = None
        self.shown_vault_id: UUID | None = None
        self.missed_at: datetime | None = None
        self.superseded_vaults: tuple[UUID, ...] = ()
        self.acknowledged_at: datetime | None = None
        self.lost_at: datetime | None = None
        self.redeposit_due_at: datetime | None = None
        self.inspection_ends_at: datetime | None = None
        self.inspection_lapsed = False
        self.access_confirmed_at: datetime | None = None
        self.buyer_statement_at: datetime | None = None

    def _start_settlement(self) -> None:
        self.settlement = SettlementStatus.NONE
        self.settled_at: datetime | None = None
        self.completed_at: datetime | None = None
        self.refunded_at: datetime | None = None
        self.returned_at: datetime | None = None  # refunded or split, the first time: stray money changes no ending
        self.reserve_due_at: datetime | None = None
        self.payouts: dict[str, Payout] = {}
        self.stray_in_payouts: dict[str, int] = {}  # how much of each is for the return of stray money, in minor units
        self.paid_twice_minor: Counter[PayoutPurpose] = Counter()  # what the buyer has twice, at our loss
        self.account_waits: dict[PayoutPurpose, AccountWait] = {}
        self.unproven_accounts: dict[PayoutPurpose, UnprovenAccount] = {}
        self.refunds: dict[str, Refund] = {}
        self.disputes: dict[UUID, Dispute] = {}
        self.disputed_since: datetime | None = None
        self.pause_counted_at: datetime | None = None
        self.paused_seconds = self.release_paused_seconds = 0  # not given back yet
        self.approvals: dict[UUID, Approval] = {}
        self.charged_back_minor = 0
        self.charged_back_refunds_minor = 0
        self.contested_from: Counter[Account] = Counter()  # by chargebacks beside refunds of the price
        self.sent_twice_minor = 0  # beside a chargeback, by refunds that it had cancelled or that had failed
        self.uncovered_chargeback_minor = 0
        self.uncovered_stray_minor: Counter[str] = Counter()  # by the id of a charge that nobody has heard of yet
        self.foreign_chargebacks: dict[str, bool] = {}  # whether each is open, by the processor's id
        self.foreign_charges: dict[str, str] = {}  # of what charge each of them is
        self.held_back_by: dict[UUID, Hold] = {}  # what has no place in a restored log, by external payment
        self.refused_questions: dict[str, str] = {}  # what the processor says instead of an answer, by reference
        self.recovered_in_cash_minor = 0
        self.recovered_elsewhere_minor = 0  # what he owed here and his other sales have paid
        self.withheld_minor = 0  # what he was owed here and his debts on other sales have taken
        self.written_off_minor = 0
        self.owing_since: datetime | None = None
        self.compensation_minor = 0
        self.forced_usd_cents = 0
        self.last_decision: ApprovalAction | None = None
        self.balances: Counter[Account] = Counter()

    @property
    def state(self) -> str:
        """The phase in lower case, as the `state` column has it."""
        return self.phase.value

    def post(self, postings: Postings) -> None:
        """Fold the lines of a journal into the balances of this transaction; called by money events only."""
        for account, _, amount_minor in postings:
            self.balances[account] += amount_minor

    def owed(self, account: Account) -> int:
        """Return what a liability account of this transaction holds, in minor units, as a positive number."""
        return -self.balances[account]

    @property
    def was_paid(self) -> bool:
        """True once the price came, also when the processor took it back since, or before we heard of the charge."""
        return self.funds_held_at is not None or self.charged_back_minor > 0

    @property
    def held_minor(self) -> int:
        """What escrow still holds of the price, in minor units."""
        return self.owed(Account.HELD)

    @property
    def is_held(self) -> bool:
        """True while escrow holds money that nobody has decided about."""
        return self.settlement is SettlementStatus.HELD and self.held_minor > 0

    @property
    def is_live(self) -> bool:
        """True while the sale can go on: the money is held, and no chargeback has taken any of it back."""
        return self.is_held and not self.charged_back_minor

    def last_payout(self, purpose: PayoutPurpose) -> Payout | None:
        """Return the last attempt to pay for a purpose."""
        return self.last_payouts().get(purpose)

    def last_payouts(self) -> dict[PayoutPurpose, Payout]:
        """Return the last attempt for each purpose: an earlier one says nothing about what is waited for now.

        Nor does one that failed to pay what is not owed any more: it is left out.
        """
        last = {payout.purpose: payout for payout in self.payouts.values()}
        return {purpose: payout for purpose, payout in last.items() if not payout.settled}

    def next_attempt(self, purpose: PayoutPurpose) -> int:
        """Return the number of the attempt to pay for a purpose that has not been made yet."""
        return 1 + sum(payout.purpose is purpose for payout in self.payouts.values())

    def attempts_since_paid(self, purpose: PayoutPurpose) -> int:
        """Return how often it was tried to pay for a purpose since that succeeded last, or nothing was owed."""
        latest_first = (payout for payout in reversed(self.payouts.values()) if payout.purpose is purpose)
        is_counted = (payout.status is not PayoutStatus.SUCCEEDED and not payout.settled for payout in latest_first)
        return sum(takewhile(bool, is_counted))

    def payable_minor(self, purpose: PayoutPurpose) -> int:
        """Return what can be transferred for a purpose now, in minor units; refunds under way are not payable."""
        owed = self.owed(SOURCES[purpose])
        if purpose is PayoutPurpose.REFUND:
            own = (refund for refund in self.refunds.values() if refund.currency is self.price.currency)
            owed -= sum(refund.amount_minor for refund in own if refund.status.is_open)
        return max(0, owed)

    @property
    def is_flat(self) -> bool:
        """True when no account of this transaction holds anything any more."""
        return not any(amount_minor and account in PER_TRANSACTION for account, amount_minor in self.balances.items())

    @property
    def paid_or_in_flight_minor(self) -> int:
        """What transfers have paid to the seller, or still may, in minor units."""
        return sum(
            payout.amount_minor
            for payout in self.payouts.values()
            if payout.purpose is PayoutPurpose.SELLER
            and (payout.status.is_open or payout.status is PayoutStatus.SUCCEEDED)
        )

    @property
    def open_disputes(self) -> tuple[Dispute, ...]:
        """The disputes that nobody has decided yet, oldest first."""
        return tuple(dispute for dispute in self.disputes.values() if dispute.is_open)

    @property
    def has_open_dispute(self) -> bool:
        """True while any dispute is undecided: nothing is released or paid out, and only a refund lapses."""
        return bool(self.disputes) and any(dispute.is_open for dispute in self.disputes.values())

    @property
    def has_dispute_against_refund(self) -> bool:
        """True while a dispute is undecided that is not the seller's: his never blocks a refund."""
        return any(dispute.source is not DisputeSource.SELLER for dispute in self.open_disputes)

    @property
    def is_over(self) -> bool:
        """True when nothing is owed, on its way or in suspense, and the phase has no step after it."""
        return self.phase in TERMINAL and self.is_flat and not self.suspense

    def update_payout(self, reference: str, **changes: object) -> None:
        """Fold what a fact changes of a payout."""
        self.payouts[reference] = replace(self.payouts[reference], **changes)

    def settle_failures(self) -> None:
        """Fold that nothing is owed any more of what a transfer failed to pay: a debt took it, or another paid it."""
        for payout in self.last_payouts().values():
            if payout.status in FAILED and self.payable_minor(payout.purpose) == 0:
                self.update_payout(payout.reference, settled=True)

    def update_refund(self, reference: str, **changes: object) -> None:
        """Fold what a fact changes of a refund."""
        self.refunds[reference] = replace(self.refunds[reference], **changes)

    def shrink_receipt(self, processor_id: str, by_minor: int) -> None:
        """Fold that a part of what waits in suspense, or all of it, is not there any more."""
        receipt = self.suspense.pop(processor_id)
        if receipt.amount_minor > by_minor:
            self.suspense[processor_id] = replace(receipt, amount_minor=receipt.amount_minor - by_minor)

    def pay_refunds_by(self, payout: Payout) -> None:
        """Fold that a transfer pays what refunds of its currency left that will never be sent."""
        stray_minor = 0
        for refund in tuple(self.refunds.values()):
            is_own = payout.purpose is PayoutPurpose.REFUND and refund.currency is self.price.currency
            if is_own and refund.is_owed:
                self.update_refund(refund.reference, paid_by=payout.reference)
                stray_minor += 0 if refund.is_of_price else refund.amount_minor - refund.taken_minor
        self.stray_in_payouts.setdefault(payout.reference, stray_minor)  # what its amount was made of stays so

    def owe_again(self, payout: Payout, postings: Postings) -> None:
        """Fold that a transfer came to nothing: what it was to pay is owed again, but for what the payee has twice."""
        covered = -sum(line.amount_minor for line in postings if line.account is Account.LOSSES)
        self.paid_twice_minor[payout.purpose] -= covered
        for refund in tuple(self.refunds.values()):
            if not covered and refund.paid_by == payout.reference:
                self.update_refund(refund.reference, paid_by=None)

    def update_dispute(self, dispute_id: UUID, **changes: object) -> None:
        """Fold what a fact changes of a dispute."""
        self.disputes[dispute_id] = replace(self.disputes[dispute_id], **changes)

    def update_approval(self, approval_id: UUID, **changes: object) -> None:
        """Fold what a fact changes of a request for a second pair of eyes."""
        self.approvals[approval_id] = replace(self.approvals[approval_id], **changes)

    @property
    def outcome_of_silence(self) -> Silence:
        """What the end of the inspection would bring now; a reveal that nobody acknowledged is escalated."""
        return self.terms.silence if self.vault is VaultStatus.ACKNOWLEDGED else Silence.ESCALATE

    @property
    def silence_refunds(self) -> bool:
        """True when the end of the inspection gives the money back."""
        return self.outcome_of_silence is Silence.REFUND

    def shift_deadlines(self, by: timedelta) -> None:
        """Fold an outage: every deadline of the sale that is set is later by this much."""
        self.payment_due_at += by
        self._shift(DEADLINES, by)

    def shift_release_deadlines(self, by: timedelta) -> None:
        """Fold that what gives the seller his money is later by this much, and what gives it back is not."""
        self._shift(("reserve_due_at",) if self.silence_refunds else ("inspection_ends_at", "reserve_due_at"), by)

    def _shift(self, names: tuple[str, ...], by: timedelta) -> None:
        for name in names:
            due_at: datetime | None = getattr(self, name)
            if due_at is not None:
                setattr(self, name, due_at + by)

    def actor_on_record(self) -> Actor:
        """Return the actor in the role he has in this transaction: one person may sell here and buy elsewhere."""
        if self.actor.id == self.buyer_text:
            return Actor(self.actor.id, Role.BUYER)
        if self.actor.id == self.seller_text:
            return Actor(self.actor.id, Role.SELLER)
        return self.actor

    def require_buyer(self) -> None:
        """Raise `NotFound` for strangers and `Forbidden` for the seller and staff."""
        self._require(self.buyer_text)

    def require_seller(self) -> None:
        """Raise `NotFound` for strangers and `Forbidden` for the buyer and staff."""
        self._require(self.seller_text)

    def require_party(self) -> None:
        """Raise `NotFound` for strangers, and `Forbidden` for staff, who are not a party."""
        if self.actor.id not in (self.buyer_text, self.seller_text):
            self._refuse_actor()

    def require_system(self) -> None:
        """Raise `Forbidden` unless a reaction of the program acts."""
        if self.actor.role is not Role.SYSTEM:
            self._refuse_actor()

    def require_staff(self, *roles: Role) -> None:
        """Raise unless the actor has one of the staff roles given, or any when none is."""
        if self.actor.role not in (roles or STAFF) or self.is_party(self.actor):
            self._refuse_actor()

    def require_live(self) -> None:
        """Raise `NothingHeld` unless the sale can go on."""
        if not self.is_live:
            raise NothingHeld

    def require_no_dispute(self) -> None:
        """Raise `DisputeOpen` while any dispute is undecided."""
        if self.has_open_dispute:
            raise DisputeOpen

    def require_no_dispute_against_refund(self) -> None:
        """Raise `DisputeOpen` while a dispute is undecided that is not the seller's."""
        if self.has_dispute_against_refund:
            raise DisputeOpen

    def is_party(self, actor: Actor) -> bool:
        """True for the buyer and the seller, whatever roles they have elsewhere: nobody decides his own case."""
        return actor.id in (self.buyer_text, self.seller_text)

    def may_see(self, actor: Actor) -> bool:
        """True for the parties, staff, auditors and the program itself."""
        return actor.role not in PARTIES or self.is_party(actor)

    def _require(self, user_id: str) -> None:
        if self.actor.id != user_id:
            self._refuse_actor()

    def _refuse_actor(self) -> None:
        raise Forbidden if self.may_see(self.actor) else NotFound
