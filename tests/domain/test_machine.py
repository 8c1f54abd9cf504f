"""A state machine of Hypothesis: random people do random things with random amounts at random times.

After every step the law and the model of the money have read what was recorded, and folding the log from its beginning
gives the same state. At the end the position is brought to its end without any party, and everything is flat.
"""

from datetime import timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.actor import Actor
from domain.errors import EscrowError
from domain.journal import CLIENT_LIABILITIES, PER_TRANSACTION, Account
from domain.money import Currency
from domain.policy import Silence, Terms
from domain.transaction.chargeback_report import ChargebackOutcome, ChargebackReport
from domain.transaction.commands import (
    AcknowledgeReveal,
    ExtendInspection,
    MissReveal,
    OpenDispute,
    RecordStatement,
    ReplaceDeposit,
    RequestPayment,
    TransactionCommand,
    WithdrawDispute,
)
from domain.transaction.dispute import Award
from domain.transaction.payment import ConfirmedCharge
from domain.transaction.phase import TERMINAL, Phase
from domain.transaction.records import DisputeCategory, Finding, PayoutPurpose, Refund, RefundStatus
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.staff_commands import (
    AddNote,
    Compensate,
    EscalateDispute,
    GrantApproval,
    RecoverInCash,
    RejectApproval,
    ResolveDispute,
    WriteOff,
)
from domain.transaction.system_commands import (
    EnforceDeadline,
    ExtendDeadlines,
    LoseDeposit,
    RecordCharge,
    RecordChargeback,
    RecordNotice,
    RecordPaymentLink,
    RecordPaymentRefused,
    RecordRefund,
    RecordTransfer,
    ReturnReceipts,
)
from domain.transaction.transfer import TransferReport, TransferStatus
from tests.domain import paths
from tests.domain.paths import BUYER_KEY, REASON
from tests.domain.people import EVERYBODY, SYSTEM
from tests.domain.starts import position
from tests.domain.story import TRANSACTION_ID, Story, fold
from tests.domain.walk import NOBODY, resolve

PRICES = st.one_of(st.integers(1, 200), st.integers(1, 10**9))
TERMS = st.builds(
    Terms,
    fee_bps=st.integers(0, 5_000),
    tax_bps=st.sampled_from([0, 1_600]),
    reserve_bps=st.sampled_from([0, 900, 3_000]),
    warranty_seconds=st.sampled_from([0, 86_400 * 30]),
    silence=st.sampled_from(Silence),
)
ANYBODY = st.sampled_from(list(EVERYBODY.values()))
LIMITS = st.sampled_from([None, 0, 500, 10**12])
PICK = st.integers(0, 5)


def pick(items: list, number: int, default: object) -> object:
    """One of these, or the default where there is none."""
    return items[number % len(items)] if items else default


class Machine(RuleBasedStateMachine):
    """One transaction, and everybody who can do something to it."""

    @initialize(price=PRICES, terms=TERMS, head=st.sampled_from(["opened", *paths.PHASES]))
    def begin(self, price: int, terms: Terms, head: str) -> None:
        story = paths.pending(price, terms)
        try:
            self.story = paths.PHASES[head](story) if head != "opened" else story
        except (EscrowError, IndexError):
            self.story = paths.pending(price, terms)  # some heads need other terms, or a price that can be divided

    @property
    def t(self):
        return self.story.transaction

    def send(self, command: TransactionCommand, actor: Actor) -> None:
        """Whoever it is, whatever it is: it is carried out whole, or refused with an error of the tree."""
        before = len(self.story.events)
        try:
            self.story.do(command, actor)
        except EscrowError:
            assert len(self.story.events) == before

    def amount(self, part: int) -> int:
        return max(1, self.story.price_minor * part // 4)

    @rule(hours=st.sampled_from([1, 23, 24, 71, 72, 169, 24 * 31]))
    def time_passes(self, hours: int) -> None:
        self.story.wait(hours=hours)

    @rule()
    def the_deadline_comes(self) -> None:
        deadline = self.t.next_deadline
        if deadline is not None:
            self.story.now = max(self.story.now, deadline.at)
        self.send(EnforceDeadline(), SYSTEM)

    @rule(actor=ANYBODY, number=PICK)
    def somebody_does_something_plain(self, actor: Actor, number: int) -> None:
        commands = [
            RequestPayment(),
            AcknowledgeReveal(),
            paths.confirm(),
            paths.reveal(),
            paths.cancel(),
            AddNote(text="a note"),
            ReturnReceipts(),
            EnforceDeadline(),
            LoseDeposit(),
            paths.contract(),
            RecordStatement(content_id=TRANSACTION_ID, content_sha256="a" * 64),
            ReplaceDeposit(vault_id=uuid5(TRANSACTION_ID, f"v{self.t.version}"), addendum=paths.addendum(BUYER_KEY)),
            ExtendInspection(seconds=3_600, reason=REASON),
            ExtendDeadlines(seconds=3_600, reason="outage"),
            RecordNotice(template="t", channel="sms", user_ids=(), outcome="failed"),
            paths.sign(BUYER_KEY),
            MissReveal(),
            ReplaceDeposit(vault_id=uuid5(TRANSACTION_ID, f"a{self.t.version}"), addendum=paths.addendum()),
        ]
        for command in commands[number::6]:
            self.send(command, actor)

    @rule(actor=ANYBODY, right=st.booleans())
    def somebody_signs(self, actor: Actor, right: bool) -> None:
        self.send(paths.sign(BUYER_KEY if right else "another", sha256=paths.CONTRACT_SHA256), actor)

    @rule(right=st.booleans(), refused=st.booleans())
    def the_page_opens_or_not(self, right: bool, refused: bool) -> None:
        reference = self.t.payment_reference if right and self.t.payment_reference else NOBODY
        if refused:
            self.send(RecordPaymentRefused(reference=reference, reason="no"), SYSTEM)
        else:
            self.send(RecordPaymentLink(reference=reference, authorization_url_sha256="f" * 64), SYSTEM)

    @rule(
        number=PICK,
        part=st.sampled_from([1, 4, 4, 5]),
        surcharge=st.sampled_from([0, 0, 7]),
        currency=st.sampled_from([Currency.KES, Currency.KES, Currency.NGN]),
        fee=st.sampled_from([None, 0, 3]),
    )
    def a_charge_is_reported(self, number: int, part: int, surcharge: int, currency: Currency, fee: int | None) -> None:
        charge = ConfirmedCharge(
            reference=self.t.payment_reference or NOBODY,
            processor_id=f"charge-{number}-{currency.value}",
            amount_minor=self.amount(part) + surcharge,
            requested_minor=self.story.price_minor if surcharge and part == 4 else None,
            currency=currency,
            fee_minor=fee,
            channel="card",
            paid_at=self.story.now,
            verified_by="poll",
        )
        self.send(RecordCharge(charge=charge), SYSTEM)

    @rule(purpose=st.sampled_from(PayoutPurpose), actor=st.sampled_from([SYSTEM, SYSTEM, *EVERYBODY.values()]))
    def a_payout_is_asked_for(self, purpose: PayoutPurpose, actor: Actor) -> None:
        self.send(paths.pay_out(purpose), actor)

    @rule(number=PICK, status=st.sampled_from(TransferStatus), fee=st.sampled_from([None, 0, 11]))
    def a_transfer_is_reported(self, number: int, status: TransferStatus, fee: int | None) -> None:
        reference = pick(list(self.t.payouts), number, NOBODY)
        self.send(RecordTransfer(report=TransferReport(reference=reference, status=status, fee_minor=fee)), SYSTEM)

    @rule(
        number=PICK,
        status=st.sampled_from(ProcessorRefundStatus),
        source=st.sampled_from([Account.BALANCE, Account.UNCLEARED]),
    )
    def a_refund_is_reported(self, number: int, status: ProcessorRefundStatus, source: Account) -> None:
        reference = pick(list(self.t.refunds), number, NOBODY)
        self.send(RecordRefund(report=RefundReport(reference=reference, status=status, source=source)), SYSTEM)

    @rule(
        number=st.integers(0, 2),
        outcome=st.sampled_from(ChargebackOutcome),
        part=st.sampled_from([0, 1, 2, 4, 5]),
        source=st.sampled_from([Account.BALANCE, Account.UNCLEARED]),
        charge=st.sampled_from([None, *(f"charge-{n}-KES" for n in range(6))]),
    )
    def a_chargeback_is_reported(
        self, number: int, outcome: ChargebackOutcome, part: int, source: Account, charge: str | None
    ) -> None:
        report = ChargebackReport(
            processor_dispute_id=f"d-{number}",
            outcome=outcome,
            amount_minor=self.story.price_minor * part // 4,
            source=source,
            charge_id=charge,
            charge_reference=self.t.payment_reference if charge else None,
        )
        self.send(RecordChargeback(report=report), SYSTEM)

    @rule(actor=ANYBODY, category=st.sampled_from(DisputeCategory))
    def somebody_disputes(self, actor: Actor, category: DisputeCategory) -> None:
        self.send(OpenDispute(dispute_id=uuid5(TRANSACTION_ID, f"d{len(self.t.disputes)}"), category=category), actor)

    @rule(actor=ANYBODY, number=PICK, escalate=st.booleans())
    def somebody_withdraws_or_escalates(self, actor: Actor, number: int, escalate: bool) -> None:
        dispute_id = self.any_dispute(number)
        escalation = EscalateDispute(dispute_id=dispute_id, reason=REASON)
        self.send(escalation if escalate else WithdrawDispute(dispute_id=dispute_id), actor)

    def any_dispute(self, number: int) -> UUID:
        found = pick([dispute.dispute_id for dispute in self.t.open_disputes], number, TRANSACTION_ID)
        assert isinstance(found, UUID)
        return found

    @rule(
        actor=ANYBODY,
        number=PICK,
        finding=st.sampled_from(Finding),
        buyer=st.integers(0, 4),
        seller=st.integers(0, 4),
        compensation=st.sampled_from([0, 0, 1, 10]),
        limit=LIMITS,
    )
    def somebody_resolves(
        self, actor: Actor, number: int, finding: Finding, buyer: int, seller: int, compensation: int, limit: int | None
    ) -> None:
        unclear = finding is Finding.UNCLEAR
        pot = max(self.t.held_minor, 0) or self.t.refundable_minor
        award = Award(
            finding=finding,
            reason=REASON,
            to_buyer_minor=pot * buyer // 4 if unclear else None,
            to_seller_minor=pot * seller // 4 if unclear else None,
            compensation_minor=self.story.price_minor * compensation // 100,
        )
        self.send(ResolveDispute(dispute_id=self.any_dispute(number), award=award, limit_usd_cents=limit), actor)

    @rule(actor=ANYBODY, limit=LIMITS, back=st.booleans(), part=st.sampled_from([None, 1, 4]))
    def somebody_forces(self, actor: Actor, limit: int | None, back: bool, part: int | None) -> None:
        amount = None if part is None else self.amount(part)
        self.send(paths.refund(amount, limit=limit) if back else paths.release_due(self.t, limit=limit), actor)

    @rule(actor=ANYBODY, number=PICK, agree=st.booleans())
    def somebody_answers_a_request(self, actor: Actor, number: int, agree: bool) -> None:
        approval_id = pick(list(self.t.approvals), number, TRANSACTION_ID)
        rejection = RejectApproval(approval_id=approval_id, reason=REASON)
        self.send(GrantApproval(approval_id=approval_id) if agree else rejection, actor)

    @rule(actor=ANYBODY, amount=st.integers(-1, 30), limit=LIMITS)
    def somebody_compensates(self, actor: Actor, amount: int, limit: int | None) -> None:
        minor = self.story.price_minor * amount // 100
        self.send(Compensate(amount_minor=minor, reason=REASON, limit_usd_cents=limit), actor)

    @rule(actor=ANYBODY, part=st.integers(1, 4), cash=st.booleans())
    def somebody_settles_a_debt(self, actor: Actor, part: int, cash: bool) -> None:
        amount = self.amount(part)
        self.send(
            RecoverInCash(amount_minor=amount, reason=REASON) if cash else WriteOff(amount_minor=amount, reason=REASON),
            actor,
        )

    @invariant()
    def folding_the_log_gives_the_same_state(self) -> None:
        if hasattr(self, "story"):
            folded = fold(self.story.events, TRANSACTION_ID)
            assert state_of(folded) == state_of(self.t)

    @invariant()
    def the_aggregate_agrees_with_the_model_of_the_money(self) -> None:
        if not hasattr(self, "story"):
            return
        deal = self.story.books.deals[str(TRANSACTION_ID)]
        for account in (*PER_TRANSACTION, *CLIENT_LIABILITIES, Account.SELLER_RECEIVABLE):
            assert self.t.balances[account] == deal.holds[account.value], account
        assert self.t.is_flat == deal.is_flat
        refunds = [r for r in self.t.refunds.values() if r.basis != "mismatch"]
        assert self.t.held_minor >= 0
        assert sum(r.amount_minor for r in refunds if r.status == "processed") <= self.t.received_minor * 2

    @invariant()
    def what_ended_is_flat(self) -> None:
        """But for money that came or was taken back on top of the end."""
        ended = TERMINAL - {Phase.CHARGED_BACK, Phase.CANCELLED, Phase.EXPIRED}
        if hasattr(self, "story") and self.t.phase in ended:
            assert self.t.is_flat

    def is_refused_abroad(self, refund: Refund) -> bool:
        return refund.status is RefundStatus.FAILED and refund.currency is not self.t.price.currency

    def teardown(self) -> None:
        """Whatever happened, it comes to an end; but for a return in another currency that the processor refuses."""
        if hasattr(self, "story") and not any(self.is_refused_abroad(refund) for refund in self.t.refunds.values()):
            end = resolve(position(self.story), patience=200)
            assert end.transaction.stuck_reason is None


def state_of(transaction: object) -> dict[str, object]:
    """Everything an aggregate knows, without what concerns the command under decision."""
    hidden = {"_context", "_pending_events"}
    return {name: value for name, value in vars(transaction).items() if name not in hidden}


PROFILE = settings(deadline=None, suppress_health_check=list(HealthCheck))

TestMachine = Machine.TestCase
TestMachine.settings = settings(PROFILE, max_examples=60, stateful_step_count=40, derandomize=True)


class Marathon(Machine):
    """The same, for longer, and different each time; Hypothesis prints what reproduces a failure."""


TestMarathon = pytest.mark.soak(Marathon.TestCase)
TestMarathon.settings = settings(PROFILE, max_examples=4_000, stateful_step_count=60)


def test_the_machine_starts_from_every_phase():
    assert set(paths.PHASES) == {phase.value for phase in Phase}
    story: Story = paths.pending(1)
    assert story.transaction.next_deadline == ("payment", story.now + timedelta(hours=24))
