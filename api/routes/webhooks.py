"""What the payment processor delivers: stored as it came, answered, worked off later."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.dependencies import DependenciesDep
from api.http.scope import raw_of
from api.strict_route import StrictRoute
from gateways.paystack.webhook import SIGNATURE_HEADER
from reactions.inbox import receive, require_signature
from reactions.transfer_approval import check_ordered

PAYSTACK = "/api/v1/webhooks/paystack"
APPROVAL = "/api/v1/webhooks/paystack/approval"

router = APIRouter(tags=["webhooks"], route_class=StrictRoute)


@router.post(PAYSTACK)
async def post_paystack(request: Request, dependencies: DependenciesDep) -> Response:
    """Take a delivery of Paystack; when this answers 200 it is kept."""
    signature = request.headers.get(SIGNATURE_HEADER)
    raw = raw_of(request.scope)
    secret, refusals = dependencies.webhook_secret, dependencies.refusals
    await receive(dependencies.pool, secret, dependencies.clock, raw, signature, refusals)
    return Response(b"{}", 200, media_type="application/json")


@router.post(APPROVAL)
async def post_paystack_approval(request: Request, dependencies: DependenciesDep) -> Response:
    """Say whether a transfer was ordered: 200 lets Paystack pay it, 400 rejects it."""
    signature = request.headers.get(SIGNATURE_HEADER)
    raw = raw_of(request.scope)
    secret, refusals = dependencies.webhook_secret, dependencies.refusals
    await require_signature(dependencies.pool, secret, dependencies.clock, raw, signature, refusals)
    await check_ordered(dependencies.escrow, raw)
    return Response(b"{}", 200, media_type="application/json")
