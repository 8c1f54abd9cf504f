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
from identity.restored import revoke_all_api_keys, sign_everybody_out
from projections.external_payment import find_open_payment
from reactions.hold import settle


def run_restored(*, keeps_api_keys: bool, as_json: bool) -> None:
    """Let no money move until the worker has held the log against the processor, and let nobody in by what came back.

    Twice is the same as once.
    """
    settings = Settings()
    with running_server(settings):
        prepare_database(settings)
        told = asyncio.run(_order(settings, keeps_api_keys=keeps_api_keys))
    if as_json:
        print_json(told)
    else:
        say("no money moves until `escrow worker` has held the log against the processor")
        say("ended: {sessions} sessions, {codes} codes on their way, {api_keys} API keys".format(**told))


async def _order(settings: Settings, *, keeps_api_keys: bool) -> dict[str, object]:
    async with open_pool(resolve_dsn(settings, "app"), max_size=1, autocommit=True) as pool:
        at = read_clock()
        await order_comparison(pool)
        standstill = await find_standstill(pool, "restore")
        before = at if standstill is None else standstill.noticed_at
        out = await sign_everybody_out(pool, before, at)
        revoked = 0 if keeps_api_keys else await revoke_all_api_keys(pool, before, at)
    return {"waits_since": before, **out._asdict(), "api_keys": revoked}


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
