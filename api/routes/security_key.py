"""Security keys (WebAuthn): register, name, remove, and ask to sign. Nothing here writes an event."""

from fastapi import APIRouter
from starlette.responses import Response

from api.access import FreshSessionDep, SessionDep
from api.bodies import PasswordBody
from api.dependencies import DependenciesDep
from api.flows import security_key as flow
from api.http.body import Nothing
from api.http.path import PathId
from api.http.unstored import answer_unstored
from api.security_key import NameBody, SecurityKeyBody
from api.strict_route import StrictRoute
from api.views.security_key import BrowserOptionsView, NewSecurityKeyView, SecurityKeyItem, SecurityKeysView
from identity.second_factor import remove_key
from identity.security_key import list_security_keys, rename_security_key
from identity.webauthn import Json

router = APIRouter(prefix="/api/v1/auth/second-factor/keys", tags=["auth"], route_class=StrictRoute)


@router.get("", response_model=SecurityKeysView)
async def get_keys(session: SessionDep, dependencies: DependenciesDep) -> SecurityKeysView:
    """List your security keys."""
    async with dependencies.pool.connection() as connection:
        found = await list_security_keys(connection, session.user_id)
    return SecurityKeysView(items=[SecurityKeyItem.of(key) for key in found])


@router.post("/begin", response_model=BrowserOptionsView)
async def post_begin(body: PasswordBody, session: SessionDep, dependencies: DependenciesDep) -> Response:
    """Get what your browser needs to register a security key; answer within five minutes."""
    return _show_options(await flow.propose_key(dependencies, session, body.password))


@router.post("", status_code=201, response_model=NewSecurityKeyView)
async def post_key(body: SecurityKeyBody, session: SessionDep, dependencies: DependenciesDep) -> Response:
    """Take a security key into use; this confirms the session."""
    made, codes = await flow.register_key(dependencies, session, body.name, body.credential.answer)
    return answer_unstored(NewSecurityKeyView.of_new(made, codes), 201)


@router.post("/challenge", response_model=BrowserOptionsView)
async def post_challenge(session: SessionDep, dependencies: DependenciesDep, body: Nothing | None = None) -> Response:
    """Get what your browser needs to have a security key sign; answer within five minutes, once."""
    return _show_options(await flow.challenge_key(dependencies, session))


@router.patch("/{security_key_id:id}", response_model=SecurityKeyItem)
async def patch_key(
    security_key_id: PathId, body: NameBody, session: SessionDep, dependencies: DependenciesDep
) -> SecurityKeyItem:
    """Give a security key of yours another name."""
    async with dependencies.pool.connection() as connection:
        return SecurityKeyItem.of(await rename_security_key(connection, session.user_id, security_key_id, body.name))


@router.delete("/{security_key_id:id}", status_code=204)
async def delete_key(
    security_key_id: PathId, session: FreshSessionDep, dependencies: DependenciesDep, body: Nothing | None = None
) -> Response:
    """Remove a security key of yours, unless it is your only second factor."""
    async with dependencies.pool.connection() as connection, connection.transaction():
        await remove_key(connection, session.user_id, security_key_id, at=dependencies.clock())
    return Response(status_code=204)


def _show_options(options: Json) -> Response:
    return answer_unstored(BrowserOptionsView.model_validate(options))
