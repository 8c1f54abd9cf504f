"""Having your own personal data erased."""

from fastapi import APIRouter
from starlette.responses import Response

from api.access import FreshSessionDep, SessionDep
from api.dependencies import DependenciesDep
from api.flows.erasure import show_erasure, take_back
from api.http.body import Nothing
from api.strict_route import StrictRoute
from api.views.erasure import ErasureView

router = APIRouter(prefix="/api/v1/users/me/erasure", tags=["users"], route_class=StrictRoute)


@router.post("", status_code=202, response_model=ErasureView)
async def post_erasure(
    session: FreshSessionDep, dependencies: DependenciesDep, body: Nothing | None = None
) -> ErasureView:
    """Ask for your personal data to be erased; it is done within an hour of becoming possible."""
    return ErasureView.of(await dependencies.eraser.request(session.user_id))


@router.get("", response_model=ErasureView)
async def get_erasure(session: SessionDep, dependencies: DependenciesDep) -> ErasureView:
    """Show what your erasure waits for, and until when."""
    return ErasureView.of(await show_erasure(dependencies, session.user_id))


@router.delete("", status_code=204)
async def delete_erasure(session: SessionDep, dependencies: DependenciesDep, body: Nothing | None = None) -> Response:
    """Take your request back, as long as it has not begun."""
    await take_back(dependencies, session.user_id)
    return Response(status_code=204)
