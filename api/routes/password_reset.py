"""Beginning anew with a forgotten password. Nobody is signed in: the mailed token speaks for its owner."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.bodies import EmailBody, ResetBody
from api.dependencies import DependenciesDep
from api.flows.password_reset import ask_for_reset, preview_reset, reset_password
from api.http.dry_run import read_dry_run
from api.strict_route import StrictRoute
from api.views.password_reset import ResetView

router = APIRouter(prefix="/api/v1/auth/password-reset", tags=["auth"], route_class=StrictRoute)


async def get_dry_run(request: Request) -> bool:
    """Whether the request only asks what would be lost."""
    return read_dry_run(request.scope)


DryRun = Annotated[bool, Depends(get_dry_run)]


@router.post("", status_code=204)
async def post_password_reset(body: EmailBody, dependencies: DependenciesDep, request: Request) -> Response:
    """Have a token mailed; neither the answer nor its time tells whether there is such an account."""
    await ask_for_reset(dependencies, body.email, request.client.host if request.client else "")
    return Response(status_code=204)


@router.post("/confirm", response_model=ResetView)
async def post_confirm_reset(body: ResetBody, dependencies: DependenciesDep, is_dry: DryRun) -> ResetView:
    """Choose a new password: what only the old one opened is lost. `dry_run=true` shows it and uses nothing up."""
    return await (preview_reset if is_dry else reset_password)(dependencies, body)
