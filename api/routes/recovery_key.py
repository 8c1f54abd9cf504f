"""The recovery key: on paper, so that a forgotten password loses nothing."""

from fastapi import APIRouter
from starlette.responses import Response

from api.access import FreshSessionDep, SessionDep
from api.bodies import PasswordBody
from api.dependencies import DependenciesDep
from api.flows.recovery_key import make_recovery_key
from api.http.body import Nothing
from api.http.unstored import answer_unstored
from api.strict_route import StrictRoute
from api.views.password_reset import RecoveryKeyStatusView, RecoveryKeyView
from identity.recovery_key import delete_recovery_key, find_recovery_key

router = APIRouter(prefix="/api/v1/auth/recovery-key", tags=["auth"], route_class=StrictRoute)


@router.get("", response_model=RecoveryKeyStatusView)
async def get_status(session: SessionDep, dependencies: DependenciesDep) -> RecoveryKeyStatusView:
    """Show since when you have a recovery key."""
    async with dependencies.pool.connection() as connection:
        found = await find_recovery_key(connection, session.user_id)
    return RecoveryKeyStatusView(created_at=found.created_at if found else None)


@router.post("", response_model=RecoveryKeyView)
async def post_recovery_key(body: PasswordBody, session: FreshSessionDep, dependencies: DependenciesDep) -> Response:
    """Get a recovery key, shown once; it ends the one before, and is used up by one reset."""
    return answer_unstored(RecoveryKeyView(recovery_key=await make_recovery_key(dependencies, session, body.password)))


@router.delete("", status_code=204)
async def delete_key(session: FreshSessionDep, dependencies: DependenciesDep, body: Nothing | None = None) -> Response:
    """Revoke your recovery key: the paper opens nothing any more."""
    async with dependencies.pool.connection() as connection:
        await delete_recovery_key(connection, session.user_id)
    return Response(status_code=204)
