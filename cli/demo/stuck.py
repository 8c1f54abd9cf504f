"""The transaction that has been stuck for eight days: told by the same API under a clock that is eight days slow."""

from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from uuid import UUID

import httpx

from api.app import create_app
from cli.demo.person import Person, has_contract
from cli.demo.story import HIGH_PRICE_MINOR, Players, open_one, pay, sign_both
from cli.wiring import open_dependencies
from database.clock import read_clock
from database.settings import Settings
from domain.policy import Terms
from reactions.advance import advance
from reactions.toolbox import Toolbox

AGO = timedelta(days=8)
MONTH_SECONDS = 30 * 24 * 3600
PATIENT = Terms(payment_seconds=MONTH_SECONDS, signing_seconds=MONTH_SECONDS, reveal_seconds=MONTH_SECONDS)


def read_slow_clock() -> datetime:
    """The time eight days ago."""
    return read_clock() - AGO


async def tell_stuck(settings: Settings, players: Players) -> str:
    """Return the id of a transaction that both signed eight days ago and whose buyer never came back."""
    async with AsyncExitStack() as stack:
        past = await stack.enter_async_context(open_dependencies(settings, read_slow_clock, PATIENT))
        transport = httpx.ASGITransport(create_app(past))
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://past"))
        then = Players(
            buyer=await _back_then(client, players.buyer),
            seller=await _back_then(client, players.seller),
            admin=await _back_then(client, players.admin),
            panel=players.panel,
        )
        transaction_id = await open_one(then, "A gaming clan with its server", HIGH_PRICE_MINOR)
        await pay(then, transaction_id)
        tools = Toolbox(
            escrow=past.escrow, pool=past.pool, gateway=past.gateway, clock=read_slow_clock, permit=past.permit
        )
        await advance(tools, UUID(transaction_id))
        await then.buyer.wait_for(transaction_id, has_contract)
        await sign_both(then, transaction_id)
        return transaction_id


async def _back_then(client: httpx.AsyncClient, person: Person) -> Person:
    same = Person(client, person.id, person.email, person.password, person.totp_secret)
    same.clock = read_slow_clock
    await same.sign_in()
    return same
