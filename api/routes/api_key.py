"""API keys: what programs of yours sign in with."""

from fastapi import APIRouter
from starlette.responses import Response

from api.access import FreshSessionDep, SessionDep
from api.bodies import ApiKeyBody
from api.dependencies import DependenciesDep
from api.flows.api_key import make_api_key
from api.http.body import Nothing
from api.http.path import PathId
from api.http.unstored import answer_unstored
from api.strict_route import StrictRoute
from api.views.api_key import ApiKeyItem, ApiKeysView, NewApiKeyView
from identity.api_key import list_keys, revoke_key

router = APIRouter(prefix="/api/v1/users/me/api-keys", tags=["users"], route_class=StrictRoute)


@router.post("", status_code=201, response_model=NewApiKeyView)
async def post_key(body: ApiKeyBody, session: FreshSessionDep, dependencies: DependenciesDep) -> Response:
    """Make an API key for a program; it is shown once."""
    return answer_unstored(NewApiKeyView.of_new(*await make_api_key(dependencies, session, body)), 201)


@router.get("", response_model=ApiKeysView)
async def get_keys(session: SessionDep, dependencies: DependenciesDep) -> ApiKeysView:
    """List your API keys that are good, newest first."""
    async with dependencies.pool.connection() as connection:
        found = await list_keys(connection, session.user_id, dependencies.clock())
    return ApiKeysView(items=[ApiKeyItem.of(key) for key in found])


@router.delete("/{key_id}", status_code=204)
async def delete_key(
    key_id: PathId, session: SessionDep, dependencies: DependenciesDep, body: Nothing | None = None
) -> Response:
    """Revoke an API key of yours; nothing gets in with it from now on."""
    async with dependencies.pool.connection() as connection:
        await revoke_key(connection, session.user_id, key_id, dependencies.clock())
    dependencies.authenticator.forget(session.user_id)
    return Response(status_code=204)
