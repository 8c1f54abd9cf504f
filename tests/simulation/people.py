"""What buyers, sellers and staff do: mostly what they may, sometimes what they may not."""

from collections.abc import Callable
from uuid import UUID

from domain.actor import Actor, Role
from domain.command import Command
from domain.listing.commands import ApproveListing, DepositCredentials, DraftListing, SubmitListing
from domain.money import Currency
from domain.transaction import Transaction
from domain.transaction.commands import (
    AcknowledgeReveal,
    CancelTransaction,
    ConfirmAccess,
    ExtendInspection,
    OpenDispute,
    OpenTransaction,
    RecordStatement,
    RevealCredentials,
    SignContract,
    WithdrawDispute,
)
from domain.transaction.dispute import Award
from domain.transaction.opening import UsdRate
from domain.transaction.records import DisputeCategory, Finding
from domain.transaction.staff_commands import (
    AddNote,
    Compensate,
    EscalateDispute,
    ForceRefund,
    ForceRelease,
    GrantApproval,
    RejectApproval,
    ResolveDispute,
    WriteOff,
)
from reactions.payment_page import request_page
from tests.simulation.world import REASON, World, answer

NOTHING = UUID(int=0xF00)
RATES = {Currency.KES: "129.5", Currency.NGN: "1500"}
Make = Callable[[World, Transaction, Actor], Command]


def _sign(w: World, t: Transaction, actor: Actor) -> SignContract:
    is_seller = actor.id == str(t.seller_id)
    return SignContract(
        content_sha256=t.contract_sha256 or "0" * 64,
        name_digest="0" * 64,
        acknowledgements=(),
        granted_fingerprint=t.buyer_key_fingerprint if is_seller else None,
    )


def _dispute(w: World, t: Transaction, actor: Actor) -> OpenDispute:
    return OpenDispute(dispute_id=w.new_id(), category=w.die.choice(tuple(DisputeCategory)))


def _withdraw(w: World, t: Transaction, actor: Actor) -> WithdrawDispute:
    own = (d.dispute_id for d in t.open_disputes if d.opened_by == actor.id)
    return WithdrawDispute(dispute_id=next(own, NOTHING))


def _some_dispute(t: Transaction) -> UUID:
    return next((d.dispute_id for d in t.open_disputes), NOTHING)


def resolve(w: World, t: Transaction, finding: Finding) -> ResolveDispute:
    """A decision about the oldest open dispute."""
    unclear, limit = finding is Finding.UNCLEAR, t.held_minor or t.refundable_minor
    to_buyer = w.die.randint(0, max(limit, 0)) if unclear else None
    to_seller = w.die.randint(0, t.held_minor - (to_buyer or 0)) if unclear and t.held_minor > (to_buyer or 0) else 0
    award = Award(
        finding=finding,
        reason=REASON,
        to_buyer_minor=to_buyer,
        to_seller_minor=to_seller if unclear else None,
        compensation_minor=w.die.choice((0, 500)) if finding is Finding.PLATFORM else 0,
    )
    return ResolveDispute(dispute_id=_some_dispute(t), award=award, limit_usd_cents=w.mind.limit_usd_cents)


def _resolve(w: World, t: Transaction, actor: Actor) -> ResolveDispute:
    return resolve(w, t, w.die.choice((Finding.BUYER, Finding.SELLER, Finding.PLATFORM, Finding.UNCLEAR)))


def _refund(w: World, t: Transaction, actor: Actor) -> ForceRefund:
    part = w.die.randint(1, max(1, t.refundable_minor)) if w.die.random() < 0.4 else None
    return ForceRefund(reason=REASON, amount_minor=part, limit_usd_cents=w.mind.limit_usd_cents)


def release(w: World, t: Transaction, actor: Actor) -> ForceRelease:
    """Paid again to where it was to go before, the first that is due; or else released."""
    purpose = next(iter(t.purposes_to_pay()), None)
    return ForceRelease(reason=REASON, purpose=purpose, limit_usd_cents=w.mind.limit_usd_cents)


def _approval(t: Transaction, actor: Actor) -> UUID:
    waiting = t.pending_approvals
    foreign = (a.approval_id for a in waiting if a.requested_by != actor.id)
    return next(foreign, next((a.approval_id for a in waiting), NOTHING))


MAKE: dict[str, tuple[float, Make]] = {
    "cancel": (0.4, lambda w, t, a: CancelTransaction(reason="changed_mind")),
    "sign": (8, _sign),
    "reveal": (8, lambda w, t, a: RevealCredentials(sealed_to="plaintext")),
    "acknowledge": (8, lambda w, t, a: AcknowledgeReveal()),
    "confirm-access": (6, lambda w, t, a: ConfirmAccess(statements=("ok",))),
    "extend-inspection": (0.3, lambda w, t, a: ExtendInspection(seconds=w.die.randint(1, 10**6), reason=REASON)),
    "dispute": (1.0, _dispute),
    "state-access": (0.5, lambda w, t, a: RecordStatement(content_id=NOTHING, content_sha256="0" * 64)),
    "withdraw-dispute": (2, _withdraw),
    "note": (0.5, lambda w, t, a: AddNote(text="looked at it")),
    "resolve-dispute": (5, _resolve),
    "escalate-dispute": (1, lambda w, t, a: EscalateDispute(dispute_id=_some_dispute(t), reason=REASON)),
    "release": (3, release),
    "refund": (3, _refund),
    "compensate": (
        3,
        lambda w, t, a: Compensate(amount_minor=300, reason=REASON, limit_usd_cents=w.mind.limit_usd_cents),
    ),
    "approve": (8, lambda w, t, a: GrantApproval(approval_id=_approval(t, a))),
    "reject": (1, lambda w, t, a: RejectApproval(approval_id=_approval(t, a), reason=REASON)),
    "write-off": (2, lambda w, t, a: WriteOff(amount_minor=max(1, t.receivable_minor), reason=REASON)),
}


def parties(t: Transaction) -> tuple[Actor, Actor]:
    """The buyer and the seller."""
    return Actor(str(t.buyer_id), Role.BUYER), Actor(str(t.seller_id), Role.SELLER)


async def open_transaction(w: World) -> str:
    """A seller lists an account, and a buyer takes it."""
    seller, buyer = w.die.choice(w.stage.sellers), w.die.choice(w.stage.buyers)
    as_seller, as_buyer = Actor(str(seller.id), Role.SELLER), Actor(str(buyer.id), Role.BUYER)
    listing_id, vault_id, transaction_id = w.new_id(), w.new_id(), w.new_id()
    draft = DraftListing(seller_id=seller.id, price=w.mind.price, content_id=w.new_id(), content_sha256="0" * 64)
    deposit = DepositCredentials(
        listing_id=listing_id,
        ciphertext=b"sealed",
        commitment_sha256="0" * 64,
        suite="test",
        seller_key_fingerprint="0" * 64,
    )
    rate = UsdRate(currency=w.mind.currency, units_per_usd=RATES[w.mind.currency], on="2026-11-01")
    await w.order(as_seller, listing_id, draft)
    await w.order(as_seller, vault_id, deposit)
    await w.order(as_seller, listing_id, SubmitListing())
    await w.order(w.admin, listing_id, ApproveListing())
    await w.order(as_buyer, transaction_id, OpenTransaction(listing_id=listing_id, rate=rate, terms=w.mind.terms))
    w.transactions.append(transaction_id)
    return w.label(transaction_id)


async def act(w: World, transaction_id: UUID, actor: Actor, name: str) -> str:
    """Give one command; what is refused must leave nothing in the log."""
    t = await w.look(transaction_id)
    if name == "pay":
        return await ask_for_page(w, transaction_id, actor)
    outcome = await answer(w.order(actor, transaction_id, MAKE[name][1](w, t, actor)))
    if outcome.startswith("refused"):
        left = await w.judge.read(w.stage.pool)
        assert not left, ("a refusal leaves events", name, outcome, left)
    return outcome


async def ask_for_page(w: World, transaction_id: UUID, actor: Actor) -> str:
    """Ask for the page where the buyer pays."""
    request = w.request(actor)
    return await answer(w.survive(lambda: request_page(w.api.tools, transaction_id, request)))


async def somebody_acts(w: World, transaction_id: UUID, *, staff: bool) -> str:
    """One of the parties, or of the staff, does one of the things that make sense, or one that does not."""
    t = await w.look(transaction_id)
    actor = w.die.choice([w.admin, *w.supers, *w.supers]) if staff else w.die.choice(parties(t))
    allowed = [name for name in t.allowed_actions(actor, w.at) if name in MAKE or name == "pay"]
    names = [*MAKE, "pay"] if w.die.random() < w.mind.wrong_rate or not allowed else allowed
    weights = [MAKE[name][0] if name in MAKE else 6 for name in names]
    (name,) = w.die.choices([*names, "wait"], [*weights, 2])
    if name == "wait":
        return f"{actor.role.value} waits"
    return f"{actor.role.value} {name}: {await act(w, transaction_id, actor, name)}"
