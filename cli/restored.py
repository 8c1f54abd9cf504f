"""What `escrow restored` does: the brake after a restore, put on by hand, and lifted for one payment."""

import asyncio

from cli.accounts import OPERATOR, open_escrow
from cli.clock import read_clock
from cli.database import prepare_database, running_server
from cli.output import print_json, say
from database.connect import Pool, open_pool, resolve_dsn
from database.settings import Settings
from database.standstill import begin_standstill, find_standstill
from domain.errors import NotFound
from domain.reason import require_reason
from domain.restore import RestoreCause
from eventstore.appender import Appender
from projections.external_payment import find_open_payment
from reactions.hold import settle


def run_restored(*, as_json: bool) -> None:
    """Let no money move until the worker has held the log against the processor; twice is the same as once."""
    settings = Settings()
    with running_server(settings):
        prepare_database(settings)
        waits = asyncio.run(_order(settings))
    if as_json:
        print_json({"waits_since": waits})
    else:
        say("no money moves until `escrow worker` has held the log against the processor")


async def _order(settings: Settings) -> object:
    async with open_pool(resolve_dsn(settings, "app"), max_size=1, autocommit=True) as pool:
        await order_comparison(pool)
        standstill = await find_standstill(pool, "restore")
        return standstill and standstill.noticed_at


async def order_comparison(pool: Pool) -> None:
    """Put the brake on; the worker takes it off."""
    await begin_standstill(pool, "restore", RestoreCause.ORDERED, read_clock())


def run_lift(reference: str, reason: str, *, as_json: bool) -> None:
    """Let the transaction of an external payment go on; raise `NotFound` when none is open under that name."""
    require_reason(reason)
    settings = Settings()
    with running_server(settings):
        transaction_id = asyncio.run(_lift(settings, reference, reason))
    if as_json:
        print_json({"transaction_id": transaction_id})
    else:
        say(f"transaction {transaction_id} is no longer held back by {reference}")


async def _lift(settings: Settings, reference: str, reason: str) -> object:
    dsn = resolve_dsn(settings, "app")
    async with open_pool(dsn, max_size=2, autocommit=True) as pool, Appender(dsn) as appender:
        found = await find_open_payment(pool, reference)
        if found is None:
            raise NotFound
        await settle(open_escrow(pool, appender), found.id, reason, OPERATOR)
        return found.transaction_id
