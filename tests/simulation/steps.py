"""The die chooses what happens next; after each step the judge reads what was written."""

from collections.abc import Awaitable, Callable

from tests.simulation import nature, people
from tests.simulation.world import World

Step = Callable[[World], Awaitable[str]]
EXPECTED = ("confirm-access", "acknowledge", "reveal", "sign", "pay")


async def party(w: World) -> str:
    """A buyer or a seller does something; often the worker hears of it at once."""
    transaction_id = w.die.choice(w.transactions)
    told = await people.somebody_acts(w, transaction_id, staff=False)
    if w.die.random() < 0.6:
        told += f", worker {await nature.react(w, transaction_id)}"
    return f"{w.label(transaction_id)} {told}"


async def open_and_pay(w: World) -> str:
    """A new transaction; mostly the buyer pays before anything else happens."""
    label = await people.open_transaction(w)
    transaction_id = w.transactions[-1]
    if w.die.random() < 0.75:
        t = await w.look(transaction_id)
        label += " page " + await people.ask_for_page(w, transaction_id, people.parties(t)[0])
    if w.die.random() < 0.7:
        label += " money " + await nature.money_comes(w)
    if w.die.random() < 0.6:
        label += f" worker {await w.react(transaction_id) if transaction_id not in w.suspended else ''}"
    return label


async def go_along(w: World) -> str:
    """Both parties do what is expected of them, and the worker follows, as far as it goes."""
    transaction_id = w.die.choice(w.transactions)
    told = w.label(transaction_id)
    for _ in range(w.die.randint(1, 6)):
        t = await w.look(transaction_id)
        ways = [(a, name) for a in people.parties(t) for name in EXPECTED if name in t.allowed_actions(a, w.at)]
        if not ways:
            break
        told += f" {ways[0][1]} {await people.act(w, transaction_id, *ways[0])}"
        if ways[0][1] == "pay":
            told += f" {await nature.money_comes(w)}"
        await nature.react(w, transaction_id)
    return told


async def staff(w: World) -> str:
    """Somebody of the staff does something."""
    transaction_id = w.die.choice(w.transactions)
    return f"{w.label(transaction_id)} {await people.somebody_acts(w, transaction_id, staff=True)}"


STEPS: tuple[tuple[float, Step], ...] = (
    (24, party),
    (14, go_along),
    (7, staff),
    (6, nature.money_comes),
    (10, nature.react),
    (8, nature.work_inbox),
    (10, nature.mail_comes),
    (4, nature.poll),
    (8, nature.time_passes),
    (4, nature.processor_goes_on),
    (4, nature.processor_decides),
    (2, nature.bank_asks),
    (1, nature.bank_decides),
    (6, nature.processor_will_fail),
    (3, nature.suspend),
    (3, nature.resume),
    (1, nature.top_up),
    (2, nature.lie_comes),
    (1, nature.restart),
)

FOR_ALL = (nature.poll, nature.time_passes, nature.restart)


async def take_step(w: World) -> None:
    """One step and its judgement."""
    if not w.transactions or (len(w.transactions) < w.plan.transactions and w.die.random() < 0.15):
        step: Step = open_and_pay
    else:
        weights = [weight * (w.plan.share_of_time if step in FOR_ALL else 1.0) for weight, step in STEPS]
        (step,) = w.die.choices([step for _, step in STEPS], weights)
    w.wait(seconds=w.die.randint(0, 5))
    outcome = await step(w)
    topics = await w.judge.read(w.stage.pool)
    w.note(step.__name__, " ".join([outcome, *topics]))
