"""Stories that together record every kind of event; their bytes are frozen in `golden/`."""

from dataclasses import replace
from uuid import UUID

from domain.actor import Role
from domain.canary import CANARY_ID, ObserveCanary, StartCanary
from domain.configuration import CONFIGURATION_ID, ChangeSetting, Setting, StartConfiguration
from domain.listing.commands import (
    ApproveListing,
    FollowTransactionEnd,
    LoseListedDeposit,
    RemoveListing,
)
from domain.money import Currency, Money
from domain.policy import Silence, Terms
from domain.reconciliation import AccountFigure, Difference, DifferenceKind, RecordReconciliation
from domain.restore import (
    RecordRestore,
    RestoreCause,
    SettleExternalPayment,
)
from domain.transaction.chargeback_report import dispute_id_of
from domain.transaction.commands import (
    ExtendInspection,
    MissReveal,
    RecordStatement,
    ReplaceDeposit,
    RequestPayment,
    WithdrawDispute,
)
from domain.transaction.records import Finding, PayoutPurpose
from domain.transaction.staff_commands import (
    AddNote,
    EscalateDispute,
    GrantApproval,
    RecoverInCash,
    RejectApproval,
    WriteOff,
)
from domain.transaction.system_commands import (
    EnforceDeadline,
    ExtendDeadlines,
    LoseDeposit,
    RecordChargeback,
    RecordNotice,
    RecordPaymentRefused,
    ReturnReceipts,
)
from domain.treasury import MoveFunds, Movement, OpenTreasury, treasury_id
from domain.user import ChangeRoles, RegisterUser
from domain.vault import DestroyCredentials, LoseCredentials
from domain.webhook import RecordWebhook, webhook_id
from tests.domain import paths
from tests.domain.golden_chargebacks import CHARGEBACKS
from tests.domain.golden_debts import paid_back, withheld
from tests.domain.golden_disputes import overlapping
from tests.domain.golden_listings import asked_for_more, cooled, hashed, proved, revised, unproven
from tests.domain.golden_payouts import (
    attended,
    doubted,
    held_back,
    paid_by_two,
    refunded_after_all,
    repeated,
    resent,
    sent_elsewhere,
    sent_on,
    taken_back_unseen,
    typed_twice,
    unanswered,
    uncovered,
)
from tests.domain.paths import (
    BUYER_KEY,
    REASON,
    asked,
    charge,
    chargeback,
    discover,
    dispute,
    pending,
    refunded,
    transfer,
)
from tests.domain.people import ADMIN, BUYER, BUYER_ID, SECOND, SELLER, SUPER, SYSTEM
from tests.domain.story import LISTING_ID, TRANSACTION_ID, VAULT_ID, Story

NEW_VAULT = UUID(int=0x88)


def sold() -> Story:
    """A sale from the draft to the payout, with a reserve, tax and every word that is spoken on the way."""
    terms = Terms(tax_bps=1_600, reserve_bps=900, warranty_seconds=86_400)
    story = pending(100_000, terms)
    story.do(RequestPayment(), BUYER)
    reference = story.transaction.payment_reference or ""
    story.do(RecordPaymentRefused(reference=reference, reason="invalid_email"))
    asked(story)
    story.do(charge(story))
    story.do(paths.contract())
    story.wait(seconds=1).do(paths.sign(), BUYER)
    story.wait(microseconds=1).do(paths.sign(BUYER_KEY), SELLER)
    story.do(RecordNotice(template="signed", channel="e-mail", user_ids=(BUYER_ID,), outcome="sent"))
    story.do(ExtendDeadlines(seconds=90_000, reason="outage"))
    story.do(paths.reveal(), BUYER)
    story.do(RecordStatement(content_id=TRANSACTION_ID, content_sha256="a" * 64), BUYER)
    story.do(ExtendInspection(seconds=3_600, reason=REASON), SELLER)
    story.do(AddNote(text='quotes " and \\ and ünïcode 😀'), ADMIN)
    story.do(paths.AcknowledgeReveal(), BUYER)
    story.do(paths.confirm(), BUYER)
    story.do(paths.pay_out())
    for status in ("uncertain", "otp", "success"):
        story.do(transfer(story.payout(), status))
    story.do(transfer(story.payout(), "success", 2_000))
    story.do(transfer(story.payout(), "reversed"))
    story.do(paths.pay_out())
    story.do(transfer(story.payout(), "refused"))
    story.wait(days=1).do(EnforceDeadline())
    story.do(paths.release("RCP_new", PayoutPurpose.SELLER), SUPER)
    story.do(transfer(story.payout(), "success", 2_000))
    story.do(FollowTransactionEnd(transaction_id=TRANSACTION_ID, sold=True, shown=True), SYSTEM, LISTING_ID)
    story.do(DestroyCredentials(reason="acknowledged"), SYSTEM, VAULT_ID)
    return story


def called_off() -> Story:
    """Both call it off; stray money goes back, the deposit is lost and replaced before."""
    story = paths.signed(pending())
    story.do(charge(story, 30_000, processor_id="stray"))
    story.do(charge(story, 500, processor_id="stray-ngn", currency=Currency.NGN))
    story.do(ReturnReceipts())
    story.do(LoseDeposit())
    story.wait(hours=1).do(ReplaceDeposit(vault_id=NEW_VAULT, addendum=paths.addendum(BUYER_KEY)), SELLER)
    story.do(LoseCredentials(reason="password reset"), SYSTEM, VAULT_ID)
    story.do(paths.cancel(), BUYER)
    story.do(paths.cancel(), SELLER)
    for reference in list(story.transaction.refunds):
        for status in ("uncertain", "pending", "processing", "needs-attention", "processed"):
            story.do(refunded(reference, status))
    story.do(FollowTransactionEnd(transaction_id=TRANSACTION_ID, sold=False, shown=False), SYSTEM, LISTING_ID)
    return story


def judged() -> Story:
    """Disputes withdrawn, escalated and decided; approvals rejected, overtaken and granted; compensation; a debt."""
    story = paths.revealed(pending())
    story.do(dispute(1), SELLER)
    story.wait(hours=2).do(WithdrawDispute(dispute_id=story.dispute()), SELLER)
    story.do(dispute(2), BUYER)
    story.do(EscalateDispute(dispute_id=story.dispute(), reason=REASON), ADMIN)
    story.do(paths.refund(limit=0), SUPER)
    story.do(RejectApproval(approval_id=story.approval(), reason=REASON), SECOND)
    story.do(paths.release(limit=0), SUPER)
    story.do(dispute(3), ADMIN)
    story.do(paths.resolve(story, Finding.PLATFORM, compensation_minor=5_000, limit_usd_cents=0), SUPER)
    story.do(GrantApproval(approval_id=story.approval()), SECOND)
    story.do(refunded(story.refund(), "failed"))
    for purpose in (PayoutPurpose.REFUND, PayoutPurpose.COMPENSATION):
        story.do(paths.pay_out(purpose, "RCP_buyer"))
        story.do(transfer(story.payout(), "success", 2_000))
    return story


def split() -> Story:
    """Nobody knows who is at fault: half and half."""
    return paths.split(pending())


def lapsed() -> Story:
    """Silence until the end of the inspection."""
    story = paths.revealed(pending(100_000, Terms(silence=Silence.ESCALATE)))
    story.wait(hours=72).do(EnforceDeadline())
    return story


def taken_back() -> Story:
    """A chargeback after the payout: a part is paid back, a part written off."""
    story = paths.completed(pending())
    story.do(chargeback("open"))
    story.do(chargeback("lost"))
    story.do(RecoverInCash(amount_minor=50_000, reason=REASON), SUPER)
    story.do(WriteOff(amount_minor=40_000, reason=REASON), SUPER)
    return story


def taken_back_early() -> Story:
    """A chargeback that is heard of before its charge: once it was booked at once, now it waits for the charge."""
    story = asked(pending())
    for report in (chargeback("lost"), charge(story), chargeback("lost")):
        story.do(report)
    return story


def taken_back_and_refunded() -> Story:
    """A refund is sent although a chargeback had cancelled it."""
    story = paths.refunding(pending())
    story.do(chargeback("lost"))
    story.do(refunded(story.refund(), "processed"))
    return story


def defended() -> Story:
    """A chargeback is declined with evidence and lost all the same; for the next one a person has to answer."""
    story = paths.completed(pending())
    for number, outcome, refs in (("dispute-1", "lost", ("sha256:aa", "file:x", "evidence:7")), ("second", "won", ())):
        story.do(chargeback("open", 40_000, number=number))
        dispute_id = dispute_id_of(TRANSACTION_ID, number)
        story.do(paths.order_answer(dispute_id))
        if not refs:
            story.do(paths.answered(dispute_id, refusal="evidence_not_found"))
        story.do(paths.answered(dispute_id, *refs))
        story.do(chargeback(outcome, 40_000, number=number))
    return story


def taken_back_elsewhere() -> Story:
    """A chargeback of money in another currency than the price's."""
    story = paths.completed(pending())
    for outcome in ("open", "lost"):
        report = replace(chargeback(outcome, 5_000).report, currency="USD")
        story.do(RecordChargeback(report=report))
    return story


def cancelled() -> Story:
    """The buyer changed his mind."""
    return paths.cancelled(pending())


def expired() -> Story:
    """Nobody paid."""
    return paths.expired(pending())


def vetted() -> Story:
    """A listing is rejected, revised and removed, beside a transaction that never is."""
    story = Story()
    story.offer()
    story.do(RemoveListing(reason=REASON), ADMIN, LISTING_ID)
    return story


def platform() -> Story:
    """What the platform does for itself: books, users, settings, and webhooks that come in."""
    story = Story()
    kes, user = treasury_id(Currency.KES), UUID(int=0xE1)
    story.start(OpenTreasury(currency=Currency.KES), SYSTEM, kes)
    for movement in Movement:
        amount = Money(1_000, Currency.KES)
        story.do(MoveFunds(movement=movement, amount=amount, evidence="statement 1"), SYSTEM, kes)
    story.start(RegisterUser(roles=frozenset({Role.BUYER})), SYSTEM, user)
    story.do(ChangeRoles(roles=frozenset({Role.SELLER})), SUPER, user)
    story.start(StartConfiguration(), SYSTEM, CONFIGURATION_ID)
    for setting, value in ((Setting.FEE_BPS, 900), (Setting.BREAK_GLASS, 1)):
        story.do(ChangeSetting(setting=setting, value=value, reason=REASON), SUPER, CONFIGURATION_ID)
    delivery = RecordWebhook(body_sha256="ab" * 32, event="charge.success", received_at=story.now)
    story.start(delivery, SYSTEM, webhook_id(b"delivery"))
    return story


def reconciled() -> Story:
    """The books are held against the processor's: once they agree, once not; what was found is booked."""
    story, kes = Story(), treasury_id(Currency.KES)
    figure = AccountFigure("paystack:balance", "KES", 900, 1_000, 60, 40)
    difference = Difference(
        kind=DifferenceKind.MISSING_HERE,
        subject="balance entry",
        reference="",
        processor_id="77",
        transaction_id=None,
        currency="KES",
        ledger_minor=None,
        processor_minor=40,
        sentence="Paystack's balance moved by 40 for balance entry 77, and nothing is booked.",
        command="escrow ledger record balance_over --currency KES --amount-minor 40",
    )
    for number, found in enumerate(((), (difference,))):
        run = RecordReconciliation(
            since=story.now, until=story.now, position=7, matched=5, pending=1, figures=(figure,), differences=found
        )
        story.start(run, SYSTEM, UUID(int=0xF0 + number))
    story.start(OpenTreasury(currency=Currency.KES), SYSTEM, kes)
    amount = Money(40, Currency.KES)
    story.do(MoveFunds(movement=Movement.BALANCE_OVER, amount=amount, evidence="balance entry 77"), SUPER, kes)
    return story


def restored() -> Story:
    """The log was set back: one payment had no place, was decided on, and the books were held against each other."""
    story = Story()
    found = discover(story)
    done = RecordRestore(
        cause=RestoreCause.BEHIND,
        marked_position=40,
        found_position=12,
        applied=3,
        discovered=1,
        reconciliation_id=UUID(int=0xF0),
        differences=0,
    )
    story.start(done, SYSTEM, UUID(int=0xF2))
    story.do(SettleExternalPayment(reason="the log knows this payment now"), SYSTEM, found)
    return story


def handed_over_again() -> Story:
    """The buyer's answer is lost on its way; the seller deposits again, under an addendum, and it is shown."""
    story = paths.signed(pending())
    story.do(paths.reveal(), BUYER)
    story.do(MissReveal(), BUYER)
    again = ReplaceDeposit(vault_id=NEW_VAULT, addendum=paths.addendum())
    story.wait(hours=2).do(again, SELLER)
    story.do(paths.reveal(), BUYER)
    return story


def forgotten() -> Story:
    """A seller begins anew with another password, so what was offered has to be deposited again."""
    story = Story().draft()
    story.do(ApproveListing(), ADMIN, LISTING_ID)
    story.do(LoseCredentials(reason="password_reset"), SYSTEM, VAULT_ID)
    story.do(LoseListedDeposit(vault_id=VAULT_ID), SYSTEM, LISTING_ID)
    return story


def watched() -> Story:
    """The canary of the vault fails, and opens again."""
    story = Story()
    story.start(StartCanary(), SYSTEM, CANARY_ID)
    for failure in ("vault_seal_broken", "vault_seal_broken", None, None):
        story.do(ObserveCanary(failure=failure), SYSTEM, CANARY_ID)
    return story


STORIES = {
    story.__name__: story
    for story in (
        sold,
        repeated,
        uncovered,
        refunded_after_all,
        unanswered,
        held_back,
        doubted,
        attended,
        sent_on,
        resent,
        typed_twice,
        sent_elsewhere,
        called_off,
        judged,
        overlapping,
        split,
        lapsed,
        taken_back,
        withheld,
        paid_back,
        taken_back_early,
        taken_back_and_refunded,
        defended,
        taken_back_elsewhere,
        taken_back_unseen,
        *CHARGEBACKS,
        cancelled,
        expired,
        vetted,
        revised,
        asked_for_more,
        proved,
        cooled,
        hashed,
        unproven,
        paid_by_two,
        reconciled,
        restored,
        platform,
        forgotten,
        handed_over_again,
        watched,
    )
}
