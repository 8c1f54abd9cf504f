"""What the payment processor delivers: stored as it came, answered, worked off later."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.dependencies import DependenciesDep
from api.flows.webhook import approve_transfer, take_delivery
from api.strict_route import StrictRoute

PAYSTACK = "/api/v1/webhooks/paystack"
APPROVAL = "/api/v1/webhooks/paystack/approval"

router = APIRouter(tags=["webhooks"], route_class=StrictRoute)


@router.post(PAYSTACK)
async def post_paystack(request: Request, dependencies: DependenciesDep) -> Response:
    """Take a delivery of Paystack; when this answers 200 it is kept."""
    await take_delivery(dependencies, request)
    return Response(b"{}", 200, media_type="application/json")


@router.post(APPROVAL)
async def post_paystack_approval(request: Request, dependencies: DependenciesDep) -> Response:
    """Say whether a transfer was ordered: 200 lets Paystack pay it, 400 rejects it."""
    await approve_transfer(dependencies, request)
    return Response(b"{}", 200, media_type="application/json")
