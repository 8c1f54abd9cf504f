"""A small market whose log the tests damage: many sales at once, each going its own way, reproducible from a seed."""

from collections.abc import Callable
from uuid import UUID, uuid5

import psycopg

from database.queries import load
from domain.actor import Actor, Role
from domain.errors import EscrowError
from domain.money import Currency, Money
from domain.policy import Silence, Terms
from domain.transaction import Transaction
from domain.transaction.chargeback_report import ChargebackOutcome, ChargebackReport
from domain.transaction.dispute import Award
from domain.transaction.opening import UsdRate
from domain.transaction.payment import ConfirmedCharge
from domain.transaction.records import DisputeCategory, Finding, PayoutPurpose
from domain.transaction.refund import ProcessorRefundStatus, RefundReport
from domain.transaction.transfer import TransferReport, TransferStatus
from domain.treasury import Movement, Treasury, TreasuryOpened, treasury_id
from domain.user import User, UserRegistered
from eventstore.fork import fork
from tests.domain.paths import addendum
from tests.projections.proving import tell_of_proofs
from tests.projections.reconciling import tell_of_reconciling
from tests.projections.restoring import tell_of_restoring
from tests.projections.stories import SYSTEM, Sale, Story, append

LOG = load("eventstore", "log.sql")
TRANSFERS = list(TransferStatus)
REFUNDS = list(ProcessorRefundStatus)


class Market(Story):
    """Sales of which each does something that it may do next, chosen by chance."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self.sales: list[Sale] = []
        self.pick = self.random.choice
        self.actions: list[Callable[[Sale], None]] = [getattr(self, name) for name in ACTIONS]

    def fund(self) -> None:
        """Capital first, so that clients' money is covered whatever fees cost."""
        treasury = Treasury.start(
            TreasuryOpened, treasury_id(Currency.KES), self.context(SYSTEM), currency=Currency.KES
        )
        self.keep(treasury)
        amount = Money(10_000_000, Currency.KES)
        self.act(treasury, SYSTEM, lambda: treasury.move(Movement.CAPITAL_PAID_IN, amount, "statement 1"))
        self.act(treasury, SYSTEM, lambda: treasury.move(Movement.BALANCE_TOPPED_UP, amount, "statement 2"))

    def register(self) -> None:
        """A user whose roles change."""
        user = User.start(UserRegistered, self.id(), self.context(SYSTEM), roles=(Role.BUYER,))
        self.keep(user)
        self.act(user, self.chief, lambda: user.change_roles(frozenset({Role.ADMIN})))

    def run(self, sales: int, steps: int, *, funded: bool = True) -> "Market":
        """Open so many sales and let so many steps be tried on them."""
        if funded:
            self.fund()
        self.register()
        for number in range(sales):
            sale = self.list_account(10_000 + number)
            self.open(sale)
            self.sales.append(sale)
        for _ in range(steps):
            self.step(self.pick(self.sales))
        tell_of_reconciling(self, 2)
        tell_of_restoring(self, 3)
        tell_of_proofs(self, 2)
        return self

    def open(self, sale: Sale) -> None:
        """On terms of which some keep a reserve, tax the fee or refund in silence."""
        rate = UsdRate(currency=Currency.KES, units_per_usd="129.5", on="2026-01-01")
        terms = self.pick(
            [
                Terms(),
                Terms(reserve_bps=500, warranty_seconds=3600, tax_bps=1600),
                Terms(silence=Silence.REFUND),
            ]
        )
        sale.transaction = Transaction.open(self.id(), self.context(sale.buyer), sale.listing, rate, terms)
        self.keep(sale.transaction)
        self.keep(sale.listing)

    def step(self, sale: Sale) -> None:
        """Try something; what the domain refuses leaves nothing behind."""
        self.wait(hours=self.random.random() * 2)
        forward = self.forward if self.random.random() < 0.7 else self.pick(self.actions)
        before = sale.transaction, sale.listing, sale.vault, len(self.events)
        sale.transaction, sale.listing, sale.vault = fork(before[0]), fork(before[1]), fork(before[2])
        try:
            forward(sale)
        except (EscrowError, KeyError, IndexError):
            sale.transaction, sale.listing, sale.vault, _ = before
            del self.events[before[3] :]

    def forward(self, sale: Sale) -> None:
        """The next step of the happy path."""
        self.pick(self._steps(sale))()

    def _steps(self, sale: Sale) -> list[Callable[[], None]]:
        state = sale.transaction.state
        by_state: dict[str, list[Callable[[], None]]] = {
            "pending": [sale.pay],
            "funds_held": [sale.sign],
            "contract_signed": [lambda: sale.act(sale.buyer, lambda: sale.transaction.reveal("plaintext"))],
            "credentials_released": [lambda: sale.act(sale.buyer, sale.transaction.acknowledge_reveal), sale.confirm],
            "releasing": [lambda: self.payout(sale), lambda: self.transfer(sale)],
            "refunding": [lambda: self.refund(sale)],
            "completed": [lambda: sale.end(sold=True)],
            "refunded": [lambda: sale.end(sold=False)],
        }
        return by_state.get(state, [lambda: self.pick(self.actions)(sale)])

    def charge(self, sale: Sale) -> None:
        t = sale.transaction
        if t.charged_back_minor:
            return
        charge = ConfirmedCharge(
            reference=t.payment_reference or "",
            processor_id=str(self.random.getrandbits(20)),
            amount_minor=t.price.amount_minor + self.pick([0, 0, 100, -100]),
            requested_minor=None,
            currency=self.pick([Currency.KES, Currency.KES, Currency.GHS]),
            fee_minor=self.pick([None, 15]),
            channel="card",
            paid_at=self.at,
            verified_by="webhook",
        )
        sale.act(SYSTEM, lambda: t.record_charge(charge))

    def ask(self, sale: Sale) -> None:
        sale.act(sale.buyer, sale.transaction.request_payment)

    def link(self, sale: Sale) -> None:
        t = sale.transaction
        act = self.pick([t.record_payment_link, t.record_payment_refused])
        sale.act(SYSTEM, lambda: act(t.payment_reference or "", "a" * 64))

    def cancel(self, sale: Sale) -> None:
        sale.act(self.pick([sale.buyer, sale.seller]), lambda: sale.transaction.cancel("no longer wanted"))

    def clock(self, sale: Sale) -> None:
        self.wait(hours=self.pick([0, 80]))
        sale.act(SYSTEM, sale.transaction.enforce_deadline)

    def outage(self, sale: Sale) -> None:
        sale.act(SYSTEM, lambda: sale.transaction.extend_deadlines(3600, "maintenance window"))

    def dispute(self, sale: Sale) -> None:
        opener = self.pick([sale.buyer, sale.seller, self.admin])
        dispute_id = self.id()
        sale.act(opener, lambda: sale.transaction.open_dispute(dispute_id, DisputeCategory.NOT_WORKING, None, None))

    def undispute(self, sale: Sale) -> None:
        t = sale.transaction
        dispute = self.pick(t.open_disputes)
        sale.act(Actor(dispute.opened_by, Role.BUYER), lambda: t.withdraw_dispute(dispute.dispute_id))

    def escalate(self, sale: Sale) -> None:
        t = sale.transaction
        dispute = self.pick(t.open_disputes)
        sale.act(self.admin, lambda: t.escalate_dispute(dispute.dispute_id, "needs a decision"))

    def resolve(self, sale: Sale) -> None:
        t = sale.transaction
        dispute = self.pick(t.open_disputes)
        finding = self.pick([Finding.BUYER, Finding.SELLER, Finding.PLATFORM, Finding.UNCLEAR])
        parts = (1000, 2000) if finding is Finding.UNCLEAR else (None, None)
        award = Award(
            finding=finding,
            reason="looked at the evidence",
            to_buyer_minor=parts[0],
            to_seller_minor=parts[1],
            compensation_minor=50 if finding is Finding.PLATFORM else 0,
        )
        sale.act(self.chief, lambda: t.resolve_dispute(dispute.dispute_id, award, self.pick([None, 1])))
        if t.pending_approvals:
            self.approve(sale)

    def force(self, sale: Sale) -> None:
        t = sale.transaction
        reason, limit = "stuck for too long a time", self.pick([None, 1])
        act = self.pick(
            [
                lambda: t.force_release(reason, next(iter(t.purposes_to_pay()), None), None, limit),
                lambda: t.force_refund(reason, self.pick([None, 700]), limit),
            ]
        )
        sale.act(self.chief, act)
        if t.pending_approvals:
            self.approve(sale)

    def approve(self, sale: Sale) -> None:
        t = sale.transaction
        request = self.pick(t.pending_approvals)
        act = self.pick([t.grant_approval, t.grant_approval, lambda key: t.reject_approval(key, "that is not right")])
        sale.act(self.second_chief, lambda: act(request.approval_id))

    def payout(self, sale: Sale) -> None:
        purpose = self.pick(list(PayoutPurpose))
        sale.act(SYSTEM, lambda: sale.transaction.request_payout(purpose, "RCP_2"))

    def transfer(self, sale: Sale) -> None:
        t = sale.transaction
        reference = self.pick(list(t.payouts))
        report = TransferReport(reference=reference, status=self.pick(TRANSFERS), fee_minor=20, transfer_code="TRF")
        sale.act(SYSTEM, lambda: t.record_transfer(report))

    def refund(self, sale: Sale) -> None:
        t = sale.transaction
        report = RefundReport(reference=self.pick(list(t.refunds)), status=self.pick(REFUNDS), processor_refund_id="78")
        sale.act(SYSTEM, lambda: t.record_refund(report))

    def chargeback(self, sale: Sale) -> None:
        if self.random.random() < 0.7:
            return
        report = ChargebackReport(
            processor_dispute_id=str(self.random.randrange(2)),
            outcome=self.pick(list(ChargebackOutcome)),
            amount_minor=self.pick([500, sale.price.amount_minor]),
        )
        sale.act(SYSTEM, lambda: sale.transaction.record_chargeback(report))

    def returns(self, sale: Sale) -> None:
        sale.act(SYSTEM, sale.transaction.return_receipts)

    def lose(self, sale: Sale) -> None:
        sale.act(SYSTEM, sale.transaction.lose_deposit)

    def redeposit(self, sale: Sale) -> None:
        sale.act(sale.seller, lambda: sale.transaction.replace_deposit(sale.vault.id, addendum("b" * 64)))

    def extend(self, sale: Sale) -> None:
        sale.act(sale.seller, lambda: sale.transaction.extend_inspection(3600, "give him more time"))

    def settle_debt(self, sale: Sale) -> None:
        t = sale.transaction
        act = self.pick(
            [lambda: t.recover_in_cash(10, "he has paid it back"), lambda: t.write_off(10, "he has gone away")]
        )
        sale.act(self.chief, act)

    def remove(self, sale: Sale) -> None:
        if self.random.random() < 0.2:
            self.act(sale.listing, self.admin, lambda: sale.listing.remove("it is not his account"))

    def destroy(self, sale: Sale) -> None:
        act = self.pick([sale.vault.destroy, sale.vault.lose])
        self.act(sale.vault, SYSTEM, lambda: act("no longer wanted"))

    def notice(self, sale: Sale) -> None:
        sale.notify("reminder")

    def note(self, sale: Sale) -> None:
        sale.act(self.admin, lambda: sale.transaction.add_note("called the seller"))

    def state(self, sale: Sale) -> None:
        statement = uuid5(UUID(int=1), str(self.random.random()))
        sale.act(sale.buyer, lambda: sale.transaction.record_statement(statement, "a" * 64))


ACTIONS = (
    "charge", "ask", "link", "cancel", "clock", "outage", "dispute", "undispute", "escalate", "resolve", "force",
    "approve", "payout", "transfer", "refund", "chargeback", "returns", "lose", "redeposit", "extend", "settle_debt",
    "note", "state", "remove", "destroy", "notice",
)  # fmt: skip


def record(dsn: str, market: Market) -> int:
    """Append what happened and rebuild the table of commands; return the head."""
    with psycopg.connect(dsn) as connection:
        head = append(connection, market.events)
        connection.execute(LOG.forget_commands)
        connection.execute(LOG.remember_commands)
    market.events.clear()
    return head
