"""A webhook comes late, twice, out of order, untrue, about nothing of ours, or while the worker dies: such systems then
lose money or book it twice. Here nothing is lost and nothing is applied twice."""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from uuid import UUID

import pytest

from domain.transaction.phase import Phase
from gateways.paystack.webhook import signature
from reactions.inbox import receive
from reactions.refusals import Refusals
from tests.conftest import Database
from tests.reactions.working import read, until_rows
from tests.reactions.world import SECRET, START, World, run

PAID, UNPAID = 12, 4
PATIENCE_SECONDS = 600.0
AT_ONCE = 20
ABOUT_CHARGES = ("charge.success", "charge.failed", "refund.processed", "refund.failed", "charge.dispute.remind")
ABOUT_TRANSFERS = ("transfer.success", "transfer.failed", "transfer.reversed")
NOT_OURS = ("charge.success", "transfer.success", "refund.pending", "subscription.create", "unheard.of", "")


class KilledAgainAndAgain:
    """A worker that is killed and started again, for as long as the block lasts."""

    def __init__(self, database: Database, world: World, rng: random.Random) -> None:
        epoch, base_url = str(time.time()), str(world.panel.base_url)
        self._arguments = [database.app_dsn, base_url, epoch, START.isoformat()]
        self._database = database
        self._rng = rng
        self.kills = 0
        self.kills_at_work = 0

    async def __aenter__(self) -> "KilledAgainAndAgain":
        self._task = asyncio.create_task(self._kill_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _kill_for_ever(self) -> None:
        while True:
            process = self._start()
            try:
                # A start takes about a second; then somewhere within the work, and a little later every time.
                await asyncio.sleep(self._rng.uniform(1.1, 1.8) + 0.15 * self.kills)
                waiting = read(self._database, "SELECT count(*) FROM payment_events WHERE processed_at IS NULL")
                self.kills_at_work += waiting != [(0,)]
                self.kills += 1
            finally:
                process.kill()
                process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "tests.weaknesses.worker_process", *self._arguments])


def bodies(rng: random.Random, count: int, kinds: tuple[str, ...], references: list[str]) -> list[bytes]:
    """Different deliveries that claim anything about these references, and some about nothing of ours."""
    made: list[bytes] = []
    for number in range(count):
        is_ours = rng.random() < 0.8
        event = rng.choice(kinds if is_ours else NOT_OURS)
        reference = rng.choice(references) if is_ours else f"nobodys-{number}"
        made.append(json.dumps({"event": event, "data": {**about(event, reference), "nonce": number}}).encode())
    return made


def about(event: str, reference: str) -> dict[str, object]:
    """Where an event of this kind has our reference."""
    if event.startswith("refund."):
        return {"transaction_reference": reference}
    return {"transaction": {"reference": reference}} if "dispute" in event else {"reference": reference}


async def deliver_shuffled(world: World, rng: random.Random, made: list[bytes]) -> int:
    """Deliver each one to four times, in any order, many at once; return how many deliveries there were."""
    sent = [body for body in made for _ in range(rng.choice((1, 1, 2, 4)))]
    rng.shuffle(sent)
    gate = asyncio.Semaphore(AT_ONCE)

    async def deliver(body: bytes) -> None:
        async with gate:
            await receive(world.pool, SECRET, world.clock, body, signature(SECRET, body), Refusals())

    await asyncio.gather(*(deliver(body) for body in sent))
    return len(sent)


async def tell_with_kills(world: World, database: Database, seed: int, events: int) -> None:
    assert (await tell(world, database, seed, events)).kills_at_work >= 3


async def in_phase(database: Database, ids: list[UUID], phase: Phase) -> None:
    names = ", ".join(f"'{each}'" for each in ids)
    query = f"SELECT count(*) FROM transactions WHERE state = '{phase}' AND id IN ({names})"
    await until_rows(database, query, [(len(ids),)], PATIENCE_SECONDS)


async def tell(
    world: World,
    database: Database,
    seed: int,
    events: int,
    worker: type[KilledAgainAndAgain] = KilledAgainAndAgain,
) -> KilledAgainAndAgain:
    rng = random.Random(seed)
    await world.top_up(10**8)
    paid, unpaid = [await world.open() for _ in range(PAID)], [await world.open() for _ in range(UNPAID)]
    charges = [(await world.pay(each)).reference for each in paid]
    charges += [(await world.page(each)).reference for each in unpaid]
    made = bodies(rng, events // 2, ABOUT_CHARGES, charges)
    made += [json.dumps({"event": "charge.success", "data": {"reference": each}}).encode() for each in charges]
    async with worker(database, world, rng) as working:
        sent = await deliver_shuffled(world, rng, made)
        await in_phase(database, paid, Phase.FUNDS_HELD)
        await until_rows(database, "SELECT count(*) FROM contracts", [(PAID,)], PATIENCE_SECONDS)
        for each in paid:
            await world.confirm(each)
        await until_rows(database, "SELECT count(*) FROM payouts", [(PAID,)], PATIENCE_SECONDS)
        payouts = [str(row[0]) for row in read(database, "SELECT reference FROM payouts")]
        more = bodies(rng, events - events // 2, (*ABOUT_TRANSFERS, *ABOUT_CHARGES), payouts + charges)
        sent += await deliver_shuffled(world, rng, more)
        await in_phase(database, paid, Phase.COMPLETED)
        await until_rows(
            database, "SELECT count(*) FROM payment_events WHERE processed_at IS NULL", [(0,)], PATIENCE_SECONDS
        )
    await nothing_is_lost_or_doubled(world, database, Counter([*made, *more]), sent)
    await in_phase(database, unpaid, Phase.PENDING)
    return working


async def nothing_is_lost_or_doubled(world: World, database: Database, made: Counter[bytes], sent: int) -> None:
    kept = read(database, "SELECT body FROM payment_events")
    assert {bytes(row[0]) for row in kept} == set(made)  # type: ignore[arg-type]
    assert read(database, "SELECT sum(deliveries) FROM payment_events") == [(sent,)]
    for topic, expected in {
        "webhook.received.v1": len(made),
        "transaction.payment_received.v1": PAID,
        "transaction.payout_requested.v1": PAID,
        "transaction.payout_succeeded.v1": PAID,
        "transaction.payment_mismatched.v1": 0,
        "transaction.refund_ordered.v1": 0,
    }.items():
        assert read(database, f"SELECT count(*) FROM escrow_events WHERE topic = '{topic}'") == [(expected,)], topic
    assert await world.moved("transfer") == [-90_000] * PAID
    unfair = "SELECT currency FROM ledger_accounts GROUP BY currency HAVING sum(balance_minor) <> 0"
    assert read(database, unfair) == []
    for wrong in (
        "outcome IS NULL",
        "outcome = 'applied' AND reference LIKE 'nobodys-%'",
        "outcome = 'unmatched' AND event LIKE 'transfer.%' AND reference LIKE 'po-%'",
        "outcome = 'unmatched' AND event LIKE 'charge.%' AND reference LIKE 'ch-%'",
        "outcome = 'unmatched' AND event LIKE 'refund.%' AND reference LIKE 'ch-%'",
    ):
        assert read(database, f"SELECT event, reference FROM payment_events WHERE {wrong}") == [], wrong


@pytest.mark.weakness("W10", "W15")
@pytest.mark.guarantee(
    "G15",
    faults="one to four times each, in any order, twenty at once, true or not; kill -9 of the worker",
    runs="1,000 events",
)
def test_a_thousand_events_shuffled_repeated_and_with_a_dying_worker(database: Database) -> None:
    run(database.app_dsn, lambda world: tell_with_kills(world, database, seed=1, events=1_000))


@pytest.mark.guarantee("G15", faults="the same", runs="5 x 10,000 events")
@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_many_thousand_events_shuffled_repeated_and_with_a_dying_worker(database: Database, seed: int) -> None:
    run(database.app_dsn, lambda world: tell_with_kills(world, database, seed=seed, events=10_000))
