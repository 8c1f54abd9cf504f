"""Bugs to be planted: each is a patch that a test applies; the product knows no switch for them."""

import json
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from domain.transaction import Transaction
from domain.transaction.approval import ApprovalTrack
from domain.transaction.chargeback import ChargebackTrack
from domain.transaction.chargeback_report import ChargebackOutcome, ChargebackReport
from domain.transaction.payment import PaymentTrack
from domain.transaction.records import Decision
from domain.transaction.refund import ProcessorRefundStatus
from domain.transaction.stray import StrayTrack
from domain.transaction.system_commands import RecordCharge
from domain.transaction.transfer import TransferStatus
from domain.transaction.vault import VaultTrack
from eventstore.log import RecordedEvent
from gateways.chargeback import Chargeback, ChargebackResolution
from gateways.errors import GatewayRefused, GatewayUncertain
from gateways.payment import NewRefund, NewTransfer, PaymentGateway, Refund, Transfer
from gateways.paystack.charge import parse_charge
from projections import alert
from projections import payout as payouts
from projections import refund as refunds
from projections.rows import Rows
from reactions import advance, chargeback, inbox, payment, payout, refund
from reactions.toolbox import Toolbox, order

Plant = Callable[[pytest.MonkeyPatch], None]


def pay_again_after_a_timeout(patch: pytest.MonkeyPatch) -> None:
    """A transfer is answered by its order alone: a timeout counts as refused, and nobody asks about what is there."""

    async def send(gateway: PaymentGateway, wanted: NewTransfer) -> Transfer:
        try:
            return await gateway.initiate_transfer(wanted)
        except GatewayUncertain as error:
            raise GatewayRefused("no answer") from error

    patch.setattr(payout, "ensure_transfer", send)


def refund_without_looking(patch: pytest.MonkeyPatch) -> None:
    """A refund is posted without a look whether an earlier try made it."""

    async def send(gateway: PaymentGateway, wanted: NewRefund, **_: object) -> Refund:
        return await gateway.create_refund(wanted)

    patch.setattr(refund, "ensure_refund", send)


def believe_the_webhook(patch: pytest.MonkeyPatch) -> None:
    """What a webhook says of a charge is recorded without a question."""
    words: dict[str, dict] = {}
    real = inbox.receive

    async def receive(*arguments: object) -> None:
        body = json.loads(arguments[3])
        if body["event"] == "charge.success":
            words[body["data"]["reference"]] = body["data"]
        await real(*arguments)

    async def confirm(tools: Toolbox, transaction: Transaction, reference: str) -> bool:
        if reference not in words:
            return await payment.confirm_charge(tools, transaction, reference)
        charge = payment.confirmed_of(tools, parse_charge(words[reference]))
        await order(tools, "payments", transaction, RecordCharge(charge=charge))
        return True

    patch.setattr(inbox, "receive", receive)
    patch.setattr(advance, "confirm_charge", confirm)


def ignore_the_currency(patch: pytest.MonkeyPatch) -> None:
    """Any money is taken for money of the transaction's currency."""
    real = PaymentTrack._record_new_charge

    def record(self: PaymentTrack, charge: object) -> None:
        real(self, replace(charge, currency=self.price.currency))

    patch.setattr(PaymentTrack, "_record_new_charge", record)


def drop_the_fee(patch: pytest.MonkeyPatch) -> None:
    """The processor's fee on a charge is not posted."""
    patch.setattr(PaymentTrack, "_assess_fee", lambda self, charge: None)


def skip_four_eyes(patch: pytest.MonkeyPatch) -> None:
    """Every decision is carried out at once, however much it moves."""

    def decide(self: ApprovalTrack, decision: Decision, limit_usd_cents: int | None) -> None:
        self._carry_out(decision, requested_by=self.actor.id, approval_id=None)

    patch.setattr(ApprovalTrack, "_decide", decide)


def release_during_a_dispute(patch: pytest.MonkeyPatch) -> None:
    """An open dispute keeps nobody from anything."""
    patch.setattr(VaultTrack, "require_no_dispute", lambda self: None)
    patch.setattr(StrayTrack, "is_frozen", lambda self, purpose: False)
    patch.setattr(VaultTrack, "has_dispute_against_refund", property(lambda self: False))


def forget_the_reversal(patch: pytest.MonkeyPatch) -> None:
    """Nobody asks again about a transfer that was paid."""

    async def confirm(tools: Toolbox, transaction: object, reference: str) -> bool:
        return False

    patch.setattr(advance, "confirm_transfer", confirm)


def trust_a_pending_refund(patch: pytest.MonkeyPatch) -> None:
    """A refund that the processor has taken counts as paid."""
    real = refund.report_of

    def report(*arguments: object) -> object:
        return replace(real(*arguments), status=ProcessorRefundStatus.PROCESSED)

    patch.setattr(refund, "report_of", report)


def trust_a_pending_transfer(patch: pytest.MonkeyPatch) -> None:
    """A transfer that the processor has taken counts as paid."""
    real = payout.report_of

    def report(*arguments: object) -> object:
        said = real(*arguments)
        return replace(said, status=TransferStatus.SUCCESS) if said.status is TransferStatus.PENDING else said

    patch.setattr(payout, "report_of", report)


def book_the_chargeback_twice(patch: pytest.MonkeyPatch) -> None:
    """A chargeback that is lost is booked as often as somebody says so."""
    real = ChargebackTrack._record_decided

    def record(self: ChargebackTrack, dispute_id: UUID, report: ChargebackReport) -> None:
        real(self, dispute_id, report)
        if report.outcome is ChargebackOutcome.LOST and report.amount_minor:
            self._record_lost(report, report.amount_minor)

    patch.setattr(ChargebackTrack, "_record_decided", record)


def ignore_what_was_auto_accepted(patch: pytest.MonkeyPatch) -> None:
    """A chargeback counts only when somebody accepted it, not when the processor did so because nobody answered."""
    real = chargeback._taken_minor

    async def taken_minor(tools: Toolbox, found: Chargeback) -> int | None:
        return None if found.resolution is ChargebackResolution.AUTO_ACCEPTED else await real(tools, found)

    patch.setattr(chargeback, "_taken_minor", taken_minor)


def keep_a_failed_payout_quiet(patch: pytest.MonkeyPatch) -> None:
    """Nobody is told of a payout that has failed for good."""
    real = alert._raise

    def tell(event: RecordedEvent, rows: Rows, severity: str, kind: str, *more: object) -> None:
        if kind not in ("payout_failed", "payout_reversed"):
            real(event, rows, severity, kind, *more)

    patch.setattr(alert, "_raise", tell)


def ask_for_top_ups_for_ever(patch: pytest.MonkeyPatch) -> None:
    """Staff are asked to top up the balance for what was sent long ago."""
    for module, name in ((payouts, "_change"), (refunds, "_become")):
        real = getattr(module, name)

        def change(*arguments: object, real: Callable[..., None] = real, **columns: object) -> None:
            real(*arguments, **{column: value for column, value in columns.items() if column != "waiting_since"})

        patch.setattr(module, name, change)


PLANTS: dict[Plant, int] = {
    keep_a_failed_payout_quiet: 20,
    ask_for_top_ups_for_ever: 20,
    book_the_chargeback_twice: 20,
    ignore_what_was_auto_accepted: 20,
    pay_again_after_a_timeout: 30,
    refund_without_looking: 30,
    believe_the_webhook: 30,
    ignore_the_currency: 30,
    drop_the_fee: 30,
    skip_four_eyes: 30,
    release_during_a_dispute: 30,
    forget_the_reversal: 30,
    trust_a_pending_refund: 30,
    trust_a_pending_transfer: 40,
}
"""Each with the number of seeds within which it has to be found."""

SLOW = frozenset(
    {
        keep_a_failed_payout_quiet,
        ignore_what_was_auto_accepted,
        pay_again_after_a_timeout,
        refund_without_looking,
        release_during_a_dispute,
        forget_the_reversal,
    }
)
"""Those that take long to find: they are planted in `make soak`."""
