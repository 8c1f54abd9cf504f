"""What happens by itself: money arrives, the processor moves, webhooks come in any order, time passes, all may die."""

import asyncio
from uuid import UUID

from reactions import inbox
from reactions.refusals import Refusals
from tests.simulation.processor import REFUND_FAULTS, SECRET, TRANSFER_FAULTS, WEBHOOK_FAULTS
from tests.simulation.world import FOREIGN, PATIENCE_SECONDS, World

JUMPS_MINUTES = (1, 5, 5, 20, 20, 60, 60, 180, 180, 600, 1500, 4500, 11_000, 22_000)
LOST_WORDS = ("merchant-accepted", "auto-accepted", "declined", "a word of tomorrow")
MOST = 1_000_000


async def money_comes(w: World) -> str:
    """Somebody pays at one of the pages, in full, short, over, or in another currency."""
    pages = w.processor.payable
    if not pages:
        return "no page"
    reference, price = w.die.choice(pages[-2:] if w.die.random() < 0.8 else pages), w.mind.price.amount_minor
    amount, currency = None, None
    if w.die.random() < 0.15:
        amount = w.die.choice((price // 2, price - 1, price + 1, price * 3))
        currency = w.die.choice((None, None, *(each.value for each in FOREIGN)))
    status = w.processor.pay(reference, amount, currency)
    return f"{status} {amount or price} {currency or 'own'}"


async def processor_goes_on(w: World) -> str:
    """What is due there happens."""
    return str(await w.processor.run_due())


async def processor_decides(w: World) -> str:
    """A transfer or a refund takes one of the ways that are open to it."""
    store = w.processor.sim.store
    kinds = {
        "pending": ("received", "success", "failed", "otp"),
        "received": ("success", "failed"),
        "otp": ("success", "abandoned"),
        "success": ("reversed",),
    }
    moves = [(t.reference, to) for t in store.transfers.all() for to in kinds.get(t.status, ())]
    refunds = {
        "pending": ("processing", "processed", "failed", "needs-attention"),
        "processing": ("processed", "failed", "needs-attention"),
        "needs-attention": ("processing", "processed", "failed"),
    }
    moves += [(str(r.id), to) for r in store.refunds.all() for to in refunds.get(r.status, ())]
    if not moves:
        return "nothing"
    key, to = w.die.choice(moves)
    if store.transfers.get(key) is not None:
        w.processor.move_transfer(key, to)
    else:
        w.processor.move_refund(int(key), to)
    return to


async def bank_asks(w: World) -> str:
    """The buyer's bank wants money of a charge back, all that is left or a part, at whatever stage the sale is."""
    charges = w.processor.disputable
    if not w.mind.has_chargebacks or not charges:
        return "nothing"
    charge = w.die.choice(charges)
    left_minor = charge.paid_minor - charge.refunded_minor
    wanted_minor = left_minor if w.die.random() < 0.7 else w.die.randint(1, left_minor)
    w.processor.dispute(charge, wanted_minor)
    return f"{charge.reference[:8]} {wanted_minor} of {left_minor}"


async def bank_decides(w: World) -> str:
    """It is for the seller, or for the buyer; the words for that are not documented."""
    open_ones = w.processor.undecided
    if not open_ones:
        return "nothing"
    outcome, word = w.die.choice((("won", None), ("won", None), *(("lost", word) for word in LOST_WORDS)))
    w.processor.decide(w.die.choice(open_ones), outcome, word)
    return f"{outcome} {word}"


async def processor_will_fail(w: World) -> str:
    """Something is going to go wrong there, if the seed is not a calm one."""
    if not w.mind.fault_rate:
        return "calm"
    choices = [("transfer", TRANSFER_FAULTS), ("refund", REFUND_FAULTS), ("webhook", WEBHOOK_FAULTS)]
    endpoint, kinds = w.die.choice(choices)
    kind = w.die.choice(kinds)
    w.processor.script(endpoint, kind)
    return kind


async def mail_comes(w: World) -> str:
    """A webhook arrives: any of those that are under way, and perhaps it will come again."""
    await w.processor.run_due()
    mail = w.processor.mail
    if not mail or not w.plan.webhooks:
        return "none"
    raw = mail[w.die.randrange(len(mail))]
    if w.die.random() < 0.8:
        mail.remove(raw)
    await deliver(w, raw)
    return raw.split(b'"')[3].decode()


async def deliver(w: World, raw: bytes) -> None:
    """Bring a webhook to the API, again if it died before it said yes."""
    signed = w.processor.sign(raw)
    await w.survive(lambda: inbox.receive(w.api.tools.pool, SECRET, w.clock, raw, signed, Refusals()))


async def lie_comes(w: World) -> str:
    """A webhook with a stolen key says that a page was paid."""
    pages = w.processor.payable
    if not pages or not w.plan.webhooks:
        return "nothing to lie about"
    await deliver(w, w.processor.forge(w.die.choice(pages), w.mind.price.amount_minor, w.mind.currency.value))
    return "sent"


async def time_passes(w: World) -> str:
    """Minutes to weeks; what is due at the processor happens at its time."""
    minutes = w.die.choice(JUMPS_MINUTES)
    w.wait(minutes=minutes, seconds=w.die.randint(0, 59))
    await w.processor.run_due()
    return f"{minutes} minutes"


async def top_up(w: World) -> str:
    """Money from the bank to the processor's balance."""
    await w.top_up(w.mind.price.amount_minor)
    return "done"


# -- the worker --------------------------------------------------------------------------------------------------------


async def react(w: World, transaction_id: UUID | None = None) -> str:
    """The worker advances a transaction."""
    transaction_id = transaction_id or w.die.choice(w.transactions)
    if transaction_id in w.suspended:
        return f"{w.label(transaction_id)} busy"
    return f"{w.label(transaction_id)} {await w.react(transaction_id)}"


async def work_inbox(w: World) -> str:
    """The worker applies what waits in the inbox."""
    w.fold()
    return await w.run_worker(lambda: _apply_waiting(w))


async def _apply_waiting(w: World) -> int:
    backlog, applied = w.worker.worker.backlog, 0
    for transaction_id, deliveries in await backlog.sort(await backlog.take()):
        if transaction_id in w.suspended:
            backlog.put_down(deliveries)
            continue
        await backlog.apply(transaction_id, deliveries)
        applied += len(deliveries)
    await backlog.flush()
    return applied


async def poll(w: World) -> str:
    """The worker looks at its clock, and asks about everything that is not over."""
    w.fold()
    return await w.run_worker(lambda: _poll(w))


async def _poll(w: World) -> int:
    worker = w.worker.worker
    asked = await _watch_clock(w)
    ids = [transaction_id async for page in worker.watch.read_unfinished() for transaction_id in page]
    for transaction_id in worker.list_idle(ids):
        await worker.advance(transaction_id)
    # These two wait for whoever is busy; here nobody else would go on meanwhile.
    if not w.suspended:
        await worker.poll_chargebacks()
        await _sweep(w)
    return asked + len(ids)


async def _watch_clock(w: World) -> int:
    """The worker takes a page of what is due each time; here as many pages as there are, for time stands still."""
    worker, seen = w.worker.worker, set()
    await worker.watch.catch_up()
    while due := [one for one in await worker.watch.list_due(w.at) if one not in seen]:
        seen |= {*due}
        for transaction_id in worker.list_idle(due):
            await worker.advance(transaction_id)
        await worker.watch.catch_up()
    return len(seen)


async def _sweep(w: World) -> None:
    """The worker asks so much every ten minutes; here until all is asked, or nobody answers."""
    worker, left = w.worker.worker, None
    while True:
        await worker.sweep()
        waiting = len(await worker.watch.list_questions(w.at, MOST))
        if waiting in (0, left):
            return
        left = waiting


async def suspend(w: World) -> str:
    """The worker waits for the processor in the middle of a reaction, and the world goes on."""
    transaction_id = w.die.choice(w.transactions)
    if w.suspended or w.plan.steady:
        return "not now"
    fuse = w.worker.fuse
    fuse.pause_after(w.die.randint(1, 6))
    task = asyncio.ensure_future(w.worker.worker.advance(transaction_id))
    paused = asyncio.ensure_future(fuse.paused.wait())
    await asyncio.wait({task, paused}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_SECONDS)
    paused.cancel()
    fuse.disarm()
    if task.done():
        return f"{w.label(transaction_id)} was faster: {task.result()}"
    w.suspended[transaction_id] = task
    return f"{w.label(transaction_id)} waits"


async def resume(w: World) -> str:
    """The processor's answer comes at last, or the worker dies before it comes."""
    if not w.suspended:
        return "nobody waits"
    if w.mind.kill_rate and w.die.random() < 0.3:
        await w.restart_worker()
        return "killed"
    transaction_id, waiting = w.suspended.popitem()
    w.worker.fuse.resume()
    return f"{w.label(transaction_id)} {await waiting}"


async def restart(w: World) -> str:
    """Both processes stop and start with empty memories."""
    if not w.plan.kills or w.plan.steady:
        return "not now"
    await w.restart_worker()
    w.api.start()
    return "done"
