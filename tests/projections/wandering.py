"""Sales that go anywhere: random acts of everybody, the refused ones left out."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from uuid import UUID

from domain.actor import Actor
from domain.configuration import ChangeSetting, Configuration, Setting, StartConfiguration
from domain.errors import EscrowError
from domain.event import Event
from domain.money import Currency, Money
from domain.transaction import Transaction
from domain.transaction.chargeback_report import ChargebackOutcome, ChargebackReport
from domain.transaction.dispute import Award
from domain.transaction.payment import ConfirmedCharge
from domain.transaction.records import DisputeCategory, Finding, PayoutPurpose
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.transfer import TransferReport, TransferStatus
from domain.treasury import Movement, OpenTreasury, Treasury
from domain.user import RegisterUser, User
from eventstore.fork import fork
from tests.domain.paths import addendum
from tests.projections.proving import tell_of_proofs
from tests.projections.reconciling import tell_of_reconciling
from tests.projections.restoring import tell_of_restoring
from tests.projections.stories import SYSTEM, Sale, Story

REASON = "a reason that is long enough"
Act = Callable[[Transaction], None]


class Wanderer:
    """A sale whose next act is drawn from the story's random source."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.random = story.random
        self.sale = story.list_account(story.random.randrange(10_000, 50_000_000))
        stages = (self.sale.open, self.sale.pay, self.sale.sign, self.sale.reveal, self.sale.confirm)
        for stage in stages[: self.random.randrange(1, 6)]:
            stage()

    def wander(self, steps: int) -> None:
        """Try this many acts."""
        for _ in range(steps):
            actor, act = self._draw()
            self.story.wait(seconds=self.random.choices((1, 3600, 26 * 3600, 8 * 24 * 3600), (200, 20, 3, 1))[0])
            self._try(actor, act)

    def _try(self, actor: Actor, act: Act) -> None:
        """On a copy, as `Escrow` does: what a refused act has assigned is forgotten."""
        attempt = fork(self.sale.transaction)
        try:
            with attempt.acting(self.story.context(actor)):
                act(attempt)
        except EscrowError:
            return
        self.sale.transaction = attempt
        self.story.keep(attempt)

    def _draw(self) -> tuple[Actor, Act]:
        sale, story, random = self.sale, self.story, self.random
        buyer, seller = sale.buyer, sale.seller
        staff = random.choice((story.admin, story.chief, story.second_chief))
        limit = random.choice((None, 0, 10**9))
        acts: list[tuple[int, Actor, Act]] = [
            (3, buyer, lambda t: t.request_payment()),
            (6, SYSTEM, lambda t: t.record_charge(self._charge(t))),
            (3, SYSTEM, lambda t: t.generate_contract(story.id(), "d" * 64, "2026-11", "b" * 64, "f" * 64)),
            (4, buyer, lambda t: t.sign_contract("d" * 64, "e" * 64, ())),
            (4, seller, lambda t: t.sign_contract("d" * 64, "e" * 64, (), "b" * 64)),
            (4, buyer, lambda t: t.reveal("plaintext")),
            (3, buyer, lambda t: t.acknowledge_reveal()),
            (4, buyer, lambda t: t.confirm_access(("yes",))),
            (6, SYSTEM, lambda t: t.request_payout(random.choice(list(PayoutPurpose)), "RCP_1")),
            (12, SYSTEM, self._report_transfer),
            (12, SYSTEM, self._report_refund),
            (1, random.choice((buyer, seller, staff)), self._open_dispute),
            (1, random.choice((buyer, seller)), lambda t: t.withdraw_dispute(self._dispute(t))),
            (1, staff, lambda t: t.escalate_dispute(self._dispute(t), REASON)),
            (4, staff, lambda t: t.resolve_dispute(self._dispute(t), self._award(t), limit)),
            (1, SYSTEM, self._report_chargeback),
            (2, staff, lambda t: self._force_release(t, limit)),
            (2, staff, lambda t: t.force_refund(REASON, random.choice((None, 700)), limit)),
            (4, staff, lambda t: t.grant_approval(random.choice(list(t.approvals) or [story.id()]))),
            (1, staff, lambda t: t.reject_approval(random.choice(list(t.approvals) or [story.id()]), REASON)),
            (1, staff, lambda t: t.add_note("Ωλα καλά \\ \t 'İ' \n {}")),
            (1, buyer, lambda t: t.record_statement(story.id(), "a" * 64)),
            (2, SYSTEM, lambda t: t.record_notice("late", "sms", (t.buyer_id, t.buyer_id, t.seller_id), "sent")),
            (1, buyer, lambda t: t.cancel(REASON)),
            (1, seller, lambda t: t.cancel(REASON)),
            (3, SYSTEM, lambda t: t.enforce_deadline()),
            (1, staff, lambda t: t.extend_inspection(3600, REASON)),
            (1, SYSTEM, lambda t: t.extend_deadlines(3600, REASON)),
            (1, SYSTEM, lambda t: t.lose_deposit()),
            (1, seller, lambda t: t.replace_deposit(t.vault_id, addendum("b" * 64))),
            (2, SYSTEM, lambda t: t.return_receipts()),
            (1, staff, lambda t: t.write_off(max(1, t.receivable_minor), REASON)),
            (1, staff, lambda t: t.recover_in_cash(1, REASON)),
        ]
        _, actor, act = random.choices(acts, weights=[weight for weight, _, _ in acts])[0]
        return actor, act

    def _charge(self, transaction: Transaction) -> ConfirmedCharge:
        price = transaction.price
        return ConfirmedCharge(
            reference=transaction.payment_reference or "",
            processor_id=str(self.random.randrange(1000)),
            amount_minor=price.amount_minor + self.random.choice((0, 0, 0, 0, -500, 500)),
            requested_minor=None,
            currency=self.random.choice((price.currency, price.currency, price.currency, Currency.NGN)),
            fee_minor=self.random.choice((None, 15)),
            channel="card",
            paid_at=self.story.at - timedelta(seconds=5),
            verified_by="poll",
        )

    def _force_release(self, transaction: Transaction, limit: int | None) -> None:
        due = transaction.purposes_to_pay()
        transaction.force_release(REASON, due[0] if due else None, "RCP_2" if due else None, limit)

    def _report_transfer(self, transaction: Transaction) -> None:
        reference = self.random.choice(list(transaction.payouts) or [""])
        status = self.random.choice([*TransferStatus, TransferStatus.SUCCESS, TransferStatus.SUCCESS])
        transaction.record_transfer(
            TransferReport(reference=reference, status=status, transfer_code="TRF", fee_minor=20, reason="no \\N luck")
        )

    def _report_refund(self, transaction: Transaction) -> None:
        reference = self.random.choice(list(transaction.refunds) or [""])
        status = self.random.choice([*ProcessorRefundStatus, ProcessorRefundStatus.PROCESSED])
        transaction.record_refund(RefundReport(reference=reference, status=status, processor_refund_id="77"))

    def _open_dispute(self, transaction: Transaction) -> None:
        transaction.open_dispute(self.story.id(), DisputeCategory.NOT_WORKING, self.story.id(), "a" * 64)

    def _dispute(self, transaction: Transaction) -> UUID:
        return self.random.choice(list(transaction.disputes) or [self.story.id()])

    def _award(self, transaction: Transaction) -> Award:
        finding = self.random.choice((Finding.BUYER, Finding.SELLER, Finding.PLATFORM, Finding.UNCLEAR))
        half = transaction.held_minor // 2 if finding is Finding.UNCLEAR else None
        extra = self.random.choice((0, 100)) if finding is Finding.PLATFORM else 0
        return Award(
            finding=finding, reason=REASON, to_buyer_minor=half, to_seller_minor=half, compensation_minor=extra
        )

    def _report_chargeback(self, transaction: Transaction) -> None:
        transaction.record_chargeback(
            ChargebackReport(
                processor_dispute_id=f"dp-{self.random.randrange(2)}",
                outcome=self.random.choice(list(ChargebackOutcome)),
                amount_minor=transaction.price.amount_minor,
            )
        )


def wander(seed: int, sales: int, steps: int) -> tuple[Story, list[Sale]]:
    """Several sales that wander at the same time; the story holds their events in the order of the log."""
    story = Story(seed)
    wanderers = [Wanderer(story) for _ in range(sales)]
    for _ in range(steps):
        story.random.choice(wanderers).wander(3)
    tell_of_the_house(story)
    return story, [wanderer.sale for wanderer in wanderers]


@cache
def told(seed: int, sales: int, steps: int) -> tuple[Event, ...]:
    """The events of such a story, told once for all tests of a process."""
    return tuple(wander(seed, sales, steps)[0].events)


def tell_of_the_house(story: Story) -> None:
    """The platform's own streams: roles, settings, treasury and reconciliation; and proofs, which no sale has."""
    context = story.context(story.chief)
    user = RegisterUser(roles=frozenset()).create(story.id(), story.context(SYSTEM))
    assert isinstance(user, User)
    treasury = OpenTreasury(currency=Currency.NGN).create(story.id(), context)
    assert isinstance(treasury, Treasury)
    configuration = StartConfiguration().create(story.id(), context)
    assert isinstance(configuration, Configuration)
    for aggregate in (user, treasury, configuration):
        story.keep(aggregate)
    story.act(treasury, story.chief, lambda: treasury.move(Movement.CAPITAL_PAID_IN, Money(500, Currency.NGN), "s-1"))
    change = ChangeSetting(setting=Setting.BREAK_GLASS, value=1, reason=REASON)
    story.act(configuration, story.chief, lambda: change.decide(configuration))
    story.act(user, story.chief, lambda: user.change_roles(frozenset({story.admin.role})))
    tell_of_reconciling(story, 8)
    tell_of_restoring(story, 6)
    tell_of_proofs(story, 3)
