"""Where you are signed in, and ending it: one session, or every one."""

from fastapi import APIRouter
from starlette.responses import Response

from api.access import SessionDep
from api.dependencies import DependenciesDep
from api.http.body import Nothing
from api.http.path import PathId
from api.strict_route import StrictRoute
from api.views.user import SessionItem, SessionsView
from identity.session import end_sessions, list_sessions, revoke_session

router = APIRouter(prefix="/api/v1/auth/sessions", tags=["auth"], route_class=StrictRoute)


@router.get("", response_model=SessionsView)
async def get_sessions(session: SessionDep, dependencies: DependenciesDep) -> SessionsView:
    """List where you are signed in, newest first, at most a hundred."""
    async with dependencies.pool.connection() as connection:
        found = await list_sessions(connection, session.user_id, dependencies.clock())
    return SessionsView(items=[SessionItem.of(one, present=session.id) for one in found])


@router.delete("", status_code=204)
async def delete_sessions(session: SessionDep, dependencies: DependenciesDep, body: Nothing | None = None) -> Response:
    """Sign out everywhere, here too."""
    async with dependencies.pool.connection() as connection:
        await end_sessions(connection, session.user_id, dependencies.clock(), reason="revoked")
    dependencies.authenticator.forget(session.user_id)
    return Response(status_code=204)


@router.delete("/{session_id}", status_code=204)
async def delete_session(
    session_id: PathId, session: SessionDep, dependencies: DependenciesDep, body: Nothing | None = None
) -> Response:
    """Sign out of one of your sessions."""
    async with dependencies.pool.connection() as connection:
        await revoke_session(connection, session.user_id, session_id, dependencies.clock())
    dependencies.authenticator.forget(session.user_id)
    return Response(status_code=204)
