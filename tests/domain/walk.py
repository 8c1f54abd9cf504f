"""Every move there is, by everybody, from any position; and a resolver that needs no party to bring it to an end."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from domain.actor import Actor
from domain.errors import EscrowError
from domain.event import Context, Event
from domain.journal import PER_TRANSACTION
from domain.listing import Listing
from domain.transaction import Transaction
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
from domain.transaction.records import DisputeCategory, DisputeSource, Finding, PayoutPurpose
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
    DistrustAccount,
    EnforceDeadline,
    ExtendDeadlines,
    LoseDeposit,
    RecordAnsweredQuestion,
    RecordCharge,
    RecordNotice,
    RecordPaymentLink,
    RecordPaymentRefused,
    RecordRefusedQuestion,
    ReturnReceipts,
    WaitForAccount,
    WithholdPayable,
)
from domain.user import AccountDoubt
from eventstore.fork import fork
from tests.domain import paths
from tests.domain.answering import ANSWERS
from tests.domain.holding import HOLD, LET_GO
from tests.domain.paths import BUYER_KEY, REASON
from tests.domain.people import ADMIN, BUYER, SECOND, SELLER, SUPER, SYSTEM

NOBODY = "xx-nothing-has-this-reference"
NO_ID = UUID(int=0xF00)
DISTRUST = DistrustAccount(purpose=PayoutPurpose.SELLER, doubt=AccountDoubt.DIFFERS)
LONG = timedelta(days=8)


@dataclass(slots=True)
class Position:
    """A transaction and its listing at a time, beside a sale on which the seller owes."""

    transaction: Transaction
    listing: Listing
    owing: Transaction
    now: datetime
    steps: tuple[str, ...] = ()

    def do(self, command: TransactionCommand, actor: Actor, name: str = "") -> "tuple[Position, list[Event]]":
        """Return the position after the command and what it recorded; raise what it raises."""
        transaction = fork(self.transaction)
        of_kind = {Listing: self.listing, Transaction: self.owing}
        related = [fork(of_kind[stream.aggregate]) for stream in command.related(transaction)]
        number = f"{transaction.version:064x}"
        context = Context(at=self.now, actor=actor, command_id=number, request_digest=number, request_id="walk")
        with ExitStack() as stack:
            for one in (transaction, *related):
                stack.enter_context(one.acting(context))
            command.decide(transaction, *related)
        events = [event for one in (transaction, *related) for event in one.collect_events()]
        of_kind |= {type(one): one for one in related}
        listing, owing = of_kind[Listing], of_kind[Transaction]
        return Position(transaction, listing, owing, self.now, (*self.steps, name)), events

    def wait_until(self, at: datetime) -> "Position":
        """The same, later."""
        return replace(self, now=max(self.now, at))

    @property
    def key(self) -> tuple:
        """What distinguishes positions here: the tracks, who owes what, and whether it is old; no amounts or times."""
        t = self.transaction
        disputes = frozenset((d.source, d.escalated, d.answer and d.answer.status) for d in t.open_disputes)
        payouts = frozenset((p.purpose, p.status) for p in t.payouts.values()), t.unproven_purposes()
        return (
            (t.phase, t.payment, t.payment_link_issued, t.contract, t.vault, t.settlement, t.cancel_requested_by),
            (payouts, frozenset(r.status for r in t.refunds.values()), disputes, bool(t.pending_approvals)),
            (t.inspection_lapsed, bool(t.suspense), t.buyer_statement_at is None, t.buyer_signed_at is None),
            (
                t.revealed_at is None,
                t.missed_at is None,
                t.shown_vault_id == t.vault_id,
                any(d.is_decided_by_staff for d in t.disputes.values()),
            ),
            tuple(t.owed(account) > 0 for account in PER_TRANSACTION),
            (
                t.receivable_minor > 0,
                t.withheld_minor > 0,
                t.uncovered_chargeback_minor > 0,
                self.now > t.phase_since + timedelta(days=7),
            ),
        )


Make = Callable[[Position], TransactionCommand]
Move = tuple[str, Actor, Make]


def _charge(part: int, processor_id: str) -> Make:
    def make(at: Position) -> RecordCharge:
        t = at.transaction
        return RecordCharge(
            charge=ConfirmedCharge(
                reference=t.payment_reference or NOBODY,
                processor_id=processor_id,
                amount_minor=t.price.amount_minor * part // 2,
                requested_minor=None,
                currency=t.price.currency,
                fee_minor=paths.FEE,
                channel="card",
                paid_at=at.now,
                verified_by="poll",
            )
        )

    return make


def _payout(at: Position) -> str:
    return next(reversed(at.transaction.payouts), NOBODY)


def _refund(at: Position) -> str:
    refunds = at.transaction.refunds.values()
    return next((r.reference for r in refunds if r.status.is_open), next(reversed(at.transaction.refunds), NOBODY))


def _open(at: Position) -> OpenDispute:
    number = len(at.transaction.disputes)
    return OpenDispute(dispute_id=uuid5(at.transaction.id, str(number)), category=DisputeCategory.NOT_WORKING)


def own_dispute(at: Position, actor: Actor) -> UUID:
    """The open dispute of this person, or one that is not there."""
    return next((d.dispute_id for d in at.transaction.open_disputes if d.opened_by == actor.id), NO_ID)


def human_dispute(at: Position, actor: Actor) -> UUID:
    """An open dispute that this person could decide, or one that is not there."""
    own = [d for d in at.transaction.open_disputes if d.source is not DisputeSource.PROCESSOR]
    mine = [d.dispute_id for d in own if not d.escalated or actor.role == "super_admin"]
    return (mine or [d.dispute_id for d in own] or [NO_ID])[0]


def foreign_approval(at: Position, actor: Actor) -> UUID:
    """A request that waits and that somebody else has made, or any that waits, or one that is not there."""
    waiting = at.transaction.pending_approvals
    others = [a.approval_id for a in waiting if a.requested_by != actor.id]
    return (others or [a.approval_id for a in waiting] or [NO_ID])[-1]


def _resolve(finding: Finding, compensation: int = 0) -> Make:
    def make(at: Position) -> ResolveDispute:
        unclear = finding is Finding.UNCLEAR
        half = max(at.transaction.held_minor // 2, 0)
        award = Award(
            finding=finding,
            reason=REASON,
            to_buyer_minor=half if unclear else None,
            to_seller_minor=half // 2 if unclear else None,
            compensation_minor=compensation,
        )
        return ResolveDispute(dispute_id=human_dispute(at, SUPER), award=award, limit_usd_cents=10**9)

    return make


def _debt(at: Position) -> int:
    return max(1, at.transaction.receivable_minor)


def _ref(at: Position) -> str:
    return at.transaction.payment_reference or NOBODY


def _new_vault(at: Position) -> UUID:
    return uuid5(at.transaction.id, f"vault {at.transaction.version}")


MOVES: list[Move] = [
    ("pay", BUYER, lambda at: RequestPayment()),
    ("link", SYSTEM, lambda at: RecordPaymentLink(reference=_ref(at), authorization_url_sha256="f" * 64)),
    ("page refused", SYSTEM, lambda at: RecordPaymentRefused(reference=_ref(at), reason="no")),
    ("charge", SYSTEM, _charge(2, "charge-1")),
    ("charge half", SYSTEM, _charge(1, "charge-2")),
    ("charge again", SYSTEM, _charge(2, "charge-3")),
    ("contract", SYSTEM, lambda at: paths.contract()),
    ("buyer signs", BUYER, lambda at: paths.sign()),
    ("seller signs", SELLER, lambda at: paths.sign(BUYER_KEY)),
    ("reveal", BUYER, lambda at: paths.reveal()),
    ("acknowledge", BUYER, lambda at: AcknowledgeReveal()),
    ("confirm", BUYER, lambda at: paths.confirm()),
    ("lose", SYSTEM, lambda at: LoseDeposit()),
    ("replace", SELLER, lambda at: ReplaceDeposit(vault_id=_new_vault(at), addendum=paths.addendum(BUYER_KEY))),
    ("replace for another key", SELLER, lambda at: ReplaceDeposit(vault_id=_new_vault(at), addendum=paths.addendum())),
    (
        "replace by the same",
        SELLER,
        lambda at: ReplaceDeposit(vault_id=at.transaction.vault_id, addendum=paths.addendum(BUYER_KEY)),
    ),
    ("miss", BUYER, lambda at: MissReveal()),
    ("extend", ADMIN, lambda at: ExtendInspection(seconds=3600, reason=REASON)),
    ("buyer disputes", BUYER, _open),
    ("seller disputes", SELLER, _open),
    ("admin disputes", ADMIN, _open),
    ("buyer withdraws", BUYER, lambda at: WithdrawDispute(dispute_id=own_dispute(at, BUYER))),
    ("seller withdraws", SELLER, lambda at: WithdrawDispute(dispute_id=own_dispute(at, SELLER))),
    ("statement", BUYER, lambda at: RecordStatement(content_id=NO_ID, content_sha256="a" * 64)),
    ("deadline", SYSTEM, lambda at: EnforceDeadline()),
    ("outage", SYSTEM, lambda at: ExtendDeadlines(seconds=3600, reason="outage")),
    ("buyer cancels", BUYER, lambda at: paths.cancel()),
    ("seller cancels", SELLER, lambda at: paths.cancel()),
    ("return receipts", SYSTEM, lambda at: ReturnReceipts()),
    ("notice", SYSTEM, lambda at: RecordNotice(template="t", channel="e-mail", user_ids=(), outcome="sent")),
    ("note", ADMIN, lambda at: AddNote(text="a note")),
    ("release", SUPER, lambda at: paths.release_due(at.transaction)),
    ("ask to release", SUPER, lambda at: paths.release_due(at.transaction, limit=0)),
    ("refund", SUPER, lambda at: paths.refund()),
    ("refund a part", SUPER, lambda at: paths.refund(max(1, at.transaction.refundable_minor // 3))),
    ("ask to refund", SUPER, lambda at: paths.refund(limit=0)),
    ("seller at fault", SUPER, _resolve(Finding.SELLER)),
    ("buyer at fault", SUPER, _resolve(Finding.BUYER)),
    ("platform at fault", SUPER, _resolve(Finding.PLATFORM, 100)),
    ("unclear", SUPER, _resolve(Finding.UNCLEAR)),
    ("escalate", ADMIN, lambda at: EscalateDispute(dispute_id=human_dispute(at, ADMIN), reason=REASON)),
    ("approve", SECOND, lambda at: GrantApproval(approval_id=foreign_approval(at, SECOND))),
    ("reject", SECOND, lambda at: RejectApproval(approval_id=foreign_approval(at, SECOND), reason=REASON)),
    *ANSWERS,
    ("compensate", SUPER, lambda at: Compensate(amount_minor=100, reason=REASON, limit_usd_cents=10**9)),
    ("ask to compensate", SUPER, lambda at: Compensate(amount_minor=9, reason=REASON, limit_usd_cents=0)),
    ("recover", SUPER, lambda at: RecoverInCash(amount_minor=_debt(at) // 2 or 1, reason=REASON)),
    ("withhold", SYSTEM, lambda at: WithholdPayable(owing_transaction_id=at.owing.id)),
    ("write off", SUPER, lambda at: WriteOff(amount_minor=_debt(at), reason=REASON)),
    ("chargeback open", SYSTEM, lambda at: paths.chargeback("open")),
    ("chargeback won", SYSTEM, lambda at: paths.chargeback("won")),
    ("chargeback lost", SYSTEM, lambda at: paths.chargeback("lost", at.transaction.price.amount_minor)),
    ("stray chargeback", SYSTEM, lambda at: paths.chargeback("lost", 99, number="d-2", of=_charge(2, "charge-3")(at))),
    ("chargeback of a part", SYSTEM, lambda at: paths.chargeback("lost", at.transaction.price.amount_minor // 3)),
    ("order an answer", SYSTEM, lambda at: paths.order_answer(processor_dispute(at))),
    ("answer taken", SYSTEM, lambda at: paths.answered(processor_dispute(at))),
    ("answer refused", SYSTEM, lambda at: paths.answered(processor_dispute(at), refusal="dispute_not_open")),
]


def processor_dispute(at: Position) -> UUID:
    """The processor's open dispute, if there is one."""
    own = (d.dispute_id for d in at.transaction.open_disputes if d.source is DisputeSource.PROCESSOR)
    return next(own, NO_ID)


def _pay_out(purpose: PayoutPurpose) -> Move:
    return f"pay out {purpose.value}", SYSTEM, lambda at: paths.pay_out(purpose)


def _transfer(status: str) -> Move:
    fee = 2_000 if status == "success" else None
    return f"transfer {status}", SYSTEM, lambda at: paths.transfer(_payout(at), status, fee)


def _refunded(status: str) -> Move:
    return f"refund {status}", SYSTEM, lambda at: paths.refunded(_refund(at), status)


MOVES += [
    *map(_pay_out, PayoutPurpose),
    ("account is new", SYSTEM, lambda at: WaitForAccount(purpose=PayoutPurpose.SELLER, usable_at=at.now + LONG)),
    ("account is unproven", SYSTEM, lambda _: DISTRUST),
    ("question refused", SYSTEM, lambda at: RecordRefusedQuestion(reference=_payout(at), refusal="unknown")),
    ("hold begun", SYSTEM, lambda _: HOLD),
    ("hold ended", SYSTEM, lambda _: LET_GO),
    ("question answered", SYSTEM, lambda at: RecordAnsweredQuestion(reference=_payout(at))),
]
SHARED = ("uncertain", "not_covered", "refused", "pending")
MOVES += map(_transfer, (*SHARED, "otp", "success", "failed", "reversed"))
MOVES += map(_refunded, (*SHARED, "processing", "needs-attention", "processed", "failed"))


def step(at: Position, move: Move) -> tuple[Position, list[Event]] | None:
    """The position after a move, or None when it is refused; the clock moves when it is asked to act."""
    name, actor, make = move
    deadline = at.transaction.next_deadline
    if name == "deadline" and deadline is not None:
        at = at.wait_until(deadline.at)
    try:
        return at.do(make(at), actor, name)
    except EscrowError:
        return None


def explore(starts: list[Position], limit: int) -> Iterator[Position]:
    """Positions with distinct keys that moves and waiting lead to, nearest first, at most `limit`."""
    seen = {start.key: start for start in starts}
    queue = deque(starts)
    while queue:
        at = queue.popleft()
        yield at
        for after in _neighbours(at):
            if after.key not in seen and len(seen) < limit:
                seen[after.key] = after
                queue.append(after)


def _neighbours(at: Position) -> Iterator[Position]:
    for move in MOVES:
        done = step(at, move)
        if done is not None and done[1]:
            yield done[0]
    yield at.wait_until(at.now + LONG)


# -- bringing it to an end without any party --------------------------------------------------------------------------


def resolve(at: Position, patience: int = 80) -> Position:
    """Bring it to an end by the program, the clock, the processor's answers and a super_admin; no party acts."""
    for _ in range(patience):
        if at.transaction.stuck_reason is None:
            return at
        at = _resolve_once(at)
    raise AssertionError(("no exit", at.steps, at.transaction.phase, at.transaction.stuck_reason))


def _resolve_once(at: Position) -> Position:
    for command, actor in _remedies(at):
        try:
            after, events = at.do(command, actor, type(command).__name__)
        except EscrowError:
            continue
        if events:
            return after
    deadline = at.transaction.next_deadline
    later = at.wait_until(deadline.at if deadline is not None else at.now + LONG)
    return later if deadline is None else later.do(EnforceDeadline(), SYSTEM, "deadline")[0]


def _remedies(at: Position) -> Iterator[tuple[TransactionCommand, Actor]]:
    t = at.transaction
    for dispute in t.open_disputes:
        if dispute.processor_dispute_id is not None:
            yield paths.chargeback("won", number=dispute.processor_dispute_id), SYSTEM
    for payout in t.payouts.values():
        if payout.status.is_open:
            yield paths.transfer(payout.reference, "success"), SYSTEM
    for refund in t.refunds.values():
        if refund.status.is_open:
            yield paths.refunded(refund.reference, "processed"), SYSTEM
    yield ReturnReceipts(), SYSTEM
    if t.open_disputes:
        yield _resolve(Finding.SELLER)(at), SUPER
    for purpose in PayoutPurpose:
        yield paths.pay_out(purpose), SYSTEM
    yield WriteOff(amount_minor=_debt(at), reason=REASON), SUPER
    if t.next_deadline is None:
        yield paths.refund(), SUPER
        yield paths.release_due(t), SUPER
