"""Quiescence: nothing fails any more, everybody does his part, time passes, until nothing is left to do."""

from dataclasses import replace
from uuid import UUID

from domain.actor import Actor
from domain.transaction import Transaction
from domain.transaction.records import Finding
from domain.transaction.staff_commands import ForceRefund
from tests.domain.chart import Wrong
from tests.simulation import nature, people
from tests.simulation.people import MAKE
from tests.simulation.told import need_alerts, need_closed
from tests.simulation.world import World, answer

DAYS = (0, 0.1, 1, 1, 1, 2, 3, 3, 3, 4, 8, 8, 8, 15, 15, 30, 30)
PAYOUT_FAILED = ("payout_failed", "payout_reversed", "payout_given_up", "refund_failed: awaiting a transfer")
STANDS_STILL = ("payout_failed", "payout_reversed", "awaiting_decision", "money_still_held", "awaiting_acknowledgement")
PERSON_MUST_LOOK = ("refund_failed: in another currency", "refund_cancelled: in another currency")
WAITING = "SELECT count(*) FROM payment_events WHERE processed_at IS NULL"
NOTELESS = (
    "refund_approved",
    "refund_uncertain",
    "refund_failed: gateway_refund_ambiguous when asked about it",
)


async def heal(w: World) -> None:
    """Bring the world to rest; raise `Wrong` when something goes on for ever without a reason."""
    w.processor.calm()
    w.processor.send_lost_mail()
    w.mind.kill_rate = 0.0
    while w.suspended:
        await nature.resume(w)
    await w.top_up(40 * w.mind.price.amount_minor * len(w.transactions))
    await w.cover_foreign_fees()
    left: dict[str, str] = {}
    for number, days in enumerate(DAYS):
        w.wait(days=days)
        await _round(w, number)
        left = await unfinished(w)
        # Without webhooks everything is asked about, in pauses that grow: until the last day something may turn up.
        if not left and (w.plan.webhooks or number == len(DAYS) - 1):
            await need_alerts(w)
            return
    raise Wrong("money is stuck", left)


async def _round(w: World, number: int) -> None:
    await w.processor.run_due()
    if number:
        w.processor.finish()
        await w.processor.run_due()
    await _mail(w)
    # One batch at a time; a large world has many.
    while await nature.work_inbox(w) != "0":
        pass
    await need_alerts(w)
    await need_closed(w)
    for transaction_id in w.transactions:
        await _decide(w, transaction_id)
    await nature.poll(w)
    topics = await w.judge.read(w.stage.pool)
    w.note("heal", " ".join(topics))


async def _mail(w: World) -> None:
    """Bring what is under way; with webhooks off nothing is ever brought, and asking has to be enough."""
    for raw in list(w.processor.mail):
        if w.plan.webhooks:
            await nature.deliver(w, raw)
        w.processor.mail.remove(raw)


async def _decide(w: World, transaction_id: UUID) -> None:
    """Staff do what is theirs, with two pairs of eyes where it takes two."""
    await _approve(w, transaction_id)
    first, t = w.supers[0], await w.look(transaction_id)
    may, reason = t.allowed_actions(first, w.at), t.stuck_reason or ""
    if "resolve-dispute" in may:
        finding = w.die.choice((Finding.BUYER, Finding.SELLER))
        await answer(w.order(first, transaction_id, people.resolve(w, t, finding)))
    elif reason.startswith(PAYOUT_FAILED) and "release" in may:
        await _do(w, t, first, "release")
    elif reason.startswith(STANDS_STILL) and "refund" in may:
        await _do(w, t, first, "refund")
    elif "write-off" in may and "recovery" in reason:
        await _do(w, t, first, "write-off")
    await _approve(w, transaction_id)
    await w.judge.read(w.stage.pool)


async def _approve(w: World, transaction_id: UUID) -> None:
    t = await w.look(transaction_id)
    for actor in w.supers:
        if "approve" in t.allowed_actions(actor, w.at):
            await _do(w, t, actor, "approve")
            t = await w.look(transaction_id)


async def _do(w: World, t: Transaction, actor: Actor, name: str) -> None:
    command = MAKE[name][1](w, t, actor)
    if isinstance(command, ForceRefund):
        command = replace(command, amount_minor=None)  # all of it: parts of what is left would have no end
    await answer(w.order(actor, t.id, command))


async def unfinished(w: World) -> dict[str, str]:
    """Transactions that still wait for something, with what they say they wait for; raise if one says nothing."""
    left = {}
    async with w.stage.pool.connection() as connection:
        row = await (await connection.execute(WAITING)).fetchone()
    if row and row[0]:
        left["inbox"] = f"{row[0]} deliveries"
    for transaction_id in w.transactions:
        t = await w.look(transaction_id)
        if t.is_over and t.stuck_reason is None:
            continue
        if t.stuck_reason is None:
            raise Wrong("stuck without a reason", w.label(transaction_id), t.phase, dict(t.balances))
        if not _is_for_a_person(w, t):
            left[w.label(transaction_id)] = f"{t.phase.value}: {t.stuck_reason}"
    return left


def _is_for_a_person(w: World, t: Transaction) -> bool:
    """What no program can settle: it waits, and says why."""
    if t.stuck_reason in PERSON_MUST_LOOK:
        return True
    left = (refund for refund in t.refunds.values() if refund.status.is_open or refund.is_unpaid)
    unclear = (refund for refund in left if refund.is_unpaid or not refund.processor_refund_id)
    charges = {refund.charge_reference for refund in unclear}
    noteless = {r.charge_reference for r in w.processor.sim.store.refunds.all() if not r.merchant_note}
    return t.stuck_reason in NOTELESS and bool(charges & noteless)
