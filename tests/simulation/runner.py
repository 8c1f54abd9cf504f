"""Running seeds: steps, judgement, rest, comparison; a failure keeps its trace."""

import logging
import traceback
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg
import structlog

from database.connect import open_pool
from tests.conftest import Database
from tests.simulation.agree import compare
from tests.simulation.database import Eraser, create_people
from tests.simulation.heal import heal
from tests.simulation.steps import take_step
from tests.simulation.world import Plan, Stage, WatchedAppender, World


@dataclass(frozen=True)
class Outcome:
    """What became of a seed; `failure` and `error`, its kind, are None when nothing went wrong."""

    seed: int
    failure: str | None
    trace: list[str] = field(repr=False)
    phases: Counter[str]
    events: int
    ends: dict[str, object] = field(default_factory=dict, repr=False)
    murders: int = 0
    error: type[Exception] | None = None


@asynccontextmanager
async def open_stage(database: Database) -> AsyncIterator[tuple[Stage, Eraser]]:
    """Connections and people for any number of seeds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    buyers, sellers = await create_people(database.app_dsn)
    eraser = Eraser(database.superuser_dsn)
    try:
        async with (
            open_pool(database.app_dsn, max_size=4, autocommit=True) as pool,
            WatchedAppender(database.app_dsn) as log,
        ):
            with psycopg.connect(database.app_dsn, autocommit=True) as folding:
                yield Stage(pool, log, folding, buyers, sellers), eraser
    finally:
        eraser.close()


async def run_seed(stage: Stage, eraser: Eraser, seed: int, plan: Plan) -> Outcome:
    """Play one seed from an empty log to rest."""
    eraser.erase()
    world = World(stage, seed, plan)
    failure = error = None
    try:
        await _play(world)
    except Exception as raised:
        failure, error = traceback.format_exc(limit=-12), type(raised)
    finally:
        await world.restart_worker()
        await world.processor.gateway.aclose()
    phases = Counter([line.split()[-1] for line in world.trace if line.startswith("end ")])
    ends = {} if failure else describe(world)
    return Outcome(seed, failure, world.trace, phases, world.judge.position, ends, world.murders, error)


def describe(world: World) -> dict[str, object]:
    """How it ended, whatever happened on the way: each deal's accounts, and what the processor paid and gave back."""
    store = world.processor.sim.store
    return {
        "accounts": {key: {a: m for a, m in deal.holds.items() if m} for key, deal in world.judge.books.deals.items()},
        "transfers": sorted((t.reference, t.amount_minor, t.status) for t in store.transfers.all()),
        "refunds": sorted((r.merchant_note, r.amount_minor, r.status) for r in store.refunds.all()),
        "chargebacks": sorted((d.charge_reference, d.refund_minor, d.resolution) for d in store.disputes.all()),
        "phases": [line for line in world.trace if line.startswith("end ")],
    }


async def _play(world: World) -> None:
    await world.begin()
    for _ in range(world.plan.steps):
        await take_step(world)
    await heal(world)
    await compare(world)
    for transaction_id in world.transactions:
        t = await world.look(transaction_id)
        world.trace.append(f"end {world.label(transaction_id)} {t.phase.value}")
