"""The worker as a process that can be killed: `python -m tests.weaknesses.worker_process DSN STAND_IN_URL EPOCH START`.

It says on stdout when it begins to work. Its clock shows START when the epoch time EPOCH is on the wall, and goes on
from there, also after it was killed.
"""

import asyncio
import os
import sys
import time
from datetime import datetime, timedelta

from database.connect import open_pool
from domain.ids import uuid7
from eventstore.appender import Appender
from eventstore.escrow import Escrow
from gateways.paystack.client import Paystack
from gateways.paystack.limiter import UNLIMITED_PER_MINUTE, Limiter
from projections.runner import run_projections
from reactions.toolbox import Toolbox
from reactions.worker import Worker
from tests.permit import always
from tests.reactions.world import SECRET

LEADS = "leads"


async def say() -> None:
    """Nobody else works now."""
    print(LEADS, flush=True)


async def work(dsn: str, stand_in: str, epoch: float, start: datetime) -> None:
    def clock() -> datetime:
        return start + timedelta(seconds=time.time() - epoch)

    unlimited = Limiter(UNLIMITED_PER_MINUTE)
    async with (
        open_pool(dsn, max_size=8, autocommit=True) as pool,
        Appender(dsn) as appender,
        Paystack.connect(secret=SECRET, base_url=stand_in, limiter=unlimited) as gateway,
        asyncio.TaskGroup() as tasks,
    ):
        escrow = Escrow(pool, appender, clock, lambda: uuid7(clock(), os.urandom))
        tools = Toolbox(escrow=escrow, pool=pool, gateway=gateway, clock=clock, permit=always)
        tasks.create_task(run_projections(dsn))
        tasks.create_task(Worker(tools, dsn, poll_every=timedelta(hours=1), gate=say).run())


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], float(sys.argv[3]), datetime.fromisoformat(sys.argv[4])))
