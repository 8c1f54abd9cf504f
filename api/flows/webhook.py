"""What the payment processor sends: nothing of it is believed before its signature was checked."""

from starlette.requests import Request

from api.dependencies import Dependencies
from api.http.scope import raw_of
from gateways.paystack.webhook import SIGNATURE_HEADER
from reactions.inbox import receive, require_signature
from reactions.transfer_approval import check_ordered


async def take_delivery(dependencies: Dependencies, request: Request) -> None:
    """Keep a delivery, to be worked off later. Raises what `receive` raises."""
    secret, clock, refusals = dependencies.webhook_secret, dependencies.clock, dependencies.refusals
    await receive(dependencies.pool, secret, clock, raw_of(request.scope), _signature_of(request), refusals)


async def approve_transfer(dependencies: Dependencies, request: Request) -> None:
    """Return if the transfer was ordered. Raises what `require_signature` and `check_ordered` raise."""
    raw = raw_of(request.scope)
    secret, clock, refusals = dependencies.webhook_secret, dependencies.clock, dependencies.refusals
    await require_signature(dependencies.pool, secret, clock, raw, _signature_of(request), refusals)
    await check_ordered(dependencies.escrow, raw)


def _signature_of(request: Request) -> str | None:
    return request.headers.get(SIGNATURE_HEADER)
