"""A processor that refuses to answer questions, and what staff are told of it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from gateways.errors import GatewayRefused, UnknownReference
from projections.alert import AlertRow, list_alerts
from reactions.advance import advance
from tests.conftest import Database
from tests.reactions.working import fold
from tests.reactions.world import World


async def refuse(_question: str | int) -> None:
    raise GatewayRefused("no", gateway_code="not_today", http_status=400)


async def forget(_question: str | int) -> None:
    raise UnknownReference("no", http_status=404)


def hinder(world: World, question: str, how: Callable[[str], Awaitable[object]] = refuse) -> None:
    """The processor answers this kind of question with a 4xx, whatever it is about."""
    setattr(world.tools.gateway, question, how)


def hinder_about(world: World, question: str, about: str | int) -> None:
    """The processor answers this kind of question with a 4xx for one thing only."""
    answer = getattr(world.tools.gateway, question)

    async def ask(subject: str | int) -> object:
        return await refuse(subject) if subject == about else await answer(subject)

    setattr(world.tools.gateway, question, ask)


def heal(world: World, question: str) -> None:
    delattr(world.tools.gateway, question)


async def alerts(world: World, database: Database) -> list[AlertRow]:
    fold(database)
    return [row for row in await list_alerts(world.pool) if row.kind.startswith("question_")]


async def kinds(world: World, database: Database) -> list[str]:
    return [row.kind for row in await alerts(world, database)]


async def refuse_for(world: World, transaction_id: UUID, *, minutes: int) -> None:
    """Something of the transaction is asked twice so far apart, and refused both times."""
    for wait in (minutes, 0):
        with pytest.raises((GatewayRefused, UnknownReference)):
            await advance(world.tools, transaction_id)
        world.wait(minutes=wait)


async def sent(world: World) -> UUID:
    """A payout is with the processor, which has not paid it yet."""
    transaction_id = await world.release()
    await world.fault("transfer", "pending")
    await world.advance(transaction_id)
    return transaction_id
