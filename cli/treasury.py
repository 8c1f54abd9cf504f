"""What `escrow ledger record` does: the platform's own money, as statements show it."""

import asyncio
import hashlib

from cli.accounts import OPERATOR, open_escrow
from cli.database import running_server
from cli.output import print_json, say
from database.connect import open_pool, resolve_dsn
from database.settings import Settings
from domain.errors import Invalid, NotFound
from domain.money import Money, parse_charged_currency
from domain.treasury import MoveFunds, Movement, OpenTreasury, Treasury, treasury_id
from eventstore.appender import Appender
from eventstore.escrow import Escrow, Request


class MovementUnknown(Invalid):
    """There is no such movement; docs/explanation/money.md lists them all."""

    code = "movement_unknown"


def record_movement(movement: str, currency: str, amount_minor: int, evidence: str, *, as_json: bool) -> None:
    """Record one movement; the same evidence twice records it once."""
    if movement not in set(Movement):
        raise MovementUnknown
    amount = Money(amount_minor, parse_charged_currency(currency))
    settings = Settings()
    with running_server(settings):
        position = asyncio.run(_record(settings, Movement(movement), amount, evidence))
    if as_json:
        print_json({"position": position})
    else:
        say(f"recorded at position {position}")


async def _record(settings: Settings, movement: Movement, amount: Money, evidence: str) -> int:
    dsn = resolve_dsn(settings, "app")
    async with open_pool(dsn, max_size=2, autocommit=True) as pool, Appender(dsn) as appender:
        return await move_funds(open_escrow(pool, appender), movement, amount, evidence)


async def move_funds(escrow: Escrow, movement: Movement, amount: Money, evidence: str) -> int:
    """Record a movement in the stream of its currency, opened when needed; return the position."""
    stream_id = treasury_id(amount.currency)
    try:
        # The reconciliation may have opened it before: to open it anew would be a conflict.
        await escrow.get(Treasury, stream_id)
    except NotFound:
        await escrow.execute(stream_id, OpenTreasury(currency=amount.currency), _request(f"open:{amount.currency}"))
    command = MoveFunds(movement=movement, amount=amount, evidence=evidence)
    key = f"{movement}:{amount.currency}:{amount.amount_minor}:{evidence}"
    return (await escrow.execute(stream_id, command, _request(key))).position


def _request(key: str) -> Request:
    digest = hashlib.sha256(f"treasury:{key}".encode()).digest()
    return Request(actor=OPERATOR, command_id=digest, digest=digest, request_id=digest.hex()[:32])
