"""The story of a thousand deliveries in any order, and what must then be so whatever the worker went through."""

import asyncio
import json
import random
import subprocess
import sys
import time
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import psycopg

from domain.transaction.phase import Phase
from gateways.paystack.webhook import signature
from reactions.inbox import receive
from reactions.refusals import Refusals
from tests.conftest import Database
from tests.reactions.working import read, until_rows
from tests.reactions.world import SECRET, START, World
from tests.weaknesses.worker_process import LEADS

MOST_AT_A_TIME = 400
DONE = "SELECT count(*) FROM payment_events WHERE processed_at IS NOT NULL"
UNDONE = "SELECT count(*) FROM payment_events WHERE processed_at IS NULL"
AT_ONCE = 20
ABOUT_CHARGES = ("charge.success", "charge.failed", "refund.processed", "refund.failed", "charge.dispute.remind")
ABOUT_TRANSFERS = ("transfer.success", "transfer.failed", "transfer.reversed")
NOT_OURS = ("charge.success", "transfer.success", "refund.pending", "subscription.create", "unheard.of", "")


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is told."""

    paid: int = 12
    unpaid: int = 4
    events: int
    patience_seconds: float = 300.0


class KilledAgainAndAgain:
    """A worker that is killed and started again, for as long as the block lasts; one that dies by itself is a fault."""

    def __init__(self, database: Database, world: World, rng: random.Random) -> None:
        epoch, base_url = str(time.time()), str(world.panel.base_url)
        self._command = ["-m", "tests.weaknesses.worker_process", database.app_dsn, base_url, epoch, START.isoformat()]
        self._database = database
        self._rng = rng
        self.kills = 0
        self.kills_at_work = 0

    async def __aenter__(self) -> "KilledAgainAndAgain":
        self._task = asyncio.create_task(self._kill_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _kill_for_ever(self) -> None:
        while True:
            async with self._leading() as process:
                await self._work_on()
                waiting = read(self._database, UNDONE)
                assert process.returncode is None, "the worker died by itself"
                self.kills_at_work += waiting != [(0,)]
                self.kills += 1

    async def _work_on(self) -> None:
        """So much of the work, or so long, and a little longer every time: on any machine it comes to an end."""
        goal, seconds = self._rng.randint(0, MOST_AT_A_TIME), self._rng.uniform(1, 2) + 0.3 * self.kills
        until = time.monotonic() + seconds
        with psycopg.connect(self._database.owner_dsn, autocommit=True) as connection:

            def done() -> int:
                row = connection.execute(DONE).fetchone()
                return int(row[0]) if row else 0

            before = done()
            while done() < before + goal and time.monotonic() < until:
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def _leading(self) -> AsyncGenerator[Process]:
        """A worker that has begun its work, and is killed at the end of the block."""
        process = await asyncio.create_subprocess_exec(sys.executable, *self._command, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            assert await process.stdout.readline() == LEADS.encode() + b"\n", "the worker died by itself"
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


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


async def in_phase(database: Database, ids: list[UUID], phase: Phase, seconds: float) -> None:
    names = ", ".join(f"'{each}'" for each in ids)
    query = f"SELECT count(*) FROM transactions WHERE state = '{phase}' AND id IN ({names})"
    await until_rows(database, query, [(len(ids),)], seconds)


async def tell(
    world: World,
    database: Database,
    seed: int,
    size: Size,
    worker: type[KilledAgainAndAgain] = KilledAgainAndAgain,
) -> KilledAgainAndAgain:
    """The whole story, and then the books; return the worker, which knows how often it was killed."""
    rng, seconds = random.Random(seed), size.patience_seconds
    await world.top_up(10**8)
    paid, unpaid = [await world.open() for _ in range(size.paid)], [await world.open() for _ in range(size.unpaid)]
    charges = [(await world.pay(each)).reference for each in paid]
    charges += [(await world.page(each)).reference for each in unpaid]
    made = bodies(rng, size.events // 2, ABOUT_CHARGES, charges)
    made += [json.dumps({"event": "charge.success", "data": {"reference": each}}).encode() for each in charges]
    async with worker(database, world, rng) as working:
        sent = await deliver_shuffled(world, rng, made)
        await in_phase(database, paid, Phase.FUNDS_HELD, seconds)
        await until_rows(database, "SELECT count(*) FROM contracts", [(size.paid,)], seconds)
        for each in paid:
            await world.confirm(each)
        await until_rows(database, "SELECT count(*) FROM payouts", [(size.paid,)], seconds)
        payouts = [str(row[0]) for row in read(database, "SELECT reference FROM payouts")]
        more = bodies(rng, size.events - size.events // 2, (*ABOUT_TRANSFERS, *ABOUT_CHARGES), payouts + charges)
        sent += await deliver_shuffled(world, rng, more)
        await in_phase(database, paid, Phase.COMPLETED, seconds)
        await until_rows(database, UNDONE, [(0,)], seconds)
    await nothing_is_lost_or_doubled(world, database, Counter([*made, *more]), sent, size.paid)
    await in_phase(database, unpaid, Phase.PENDING, seconds)
    return working


async def nothing_is_lost_or_doubled(
    world: World, database: Database, made: Counter[bytes], sent: int, paid: int
) -> None:
    kept = read(database, "SELECT body FROM payment_events")
    assert {bytes(row[0]) for row in kept} == set(made)  # type: ignore[arg-type]
    assert read(database, "SELECT sum(deliveries) FROM payment_events") == [(sent,)]
    for topic, expected in {
        "webhook.received.v1": len(made),
        "transaction.payment_received.v1": paid,
        "transaction.payout_requested.v1": paid,
        "transaction.payout_succeeded.v1": paid,
        "transaction.payment_mismatched.v1": 0,
        "transaction.refund_ordered.v1": 0,
    }.items():
        assert read(database, f"SELECT count(*) FROM escrow_events WHERE topic = '{topic}'") == [(expected,)], topic
    assert await world.moved("transfer") == [-90_000] * paid
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
