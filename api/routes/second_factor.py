"""The second factor: showing it, and taking an authenticator app into use. Nothing here writes an event."""

from fastapi import APIRouter
from starlette.responses import Response

from api.access import FreshSessionDep, SessionDep
from api.bodies import CodeBody, PasswordBody
from api.dependencies import DependenciesDep
from api.flows import second_factor as flow
from api.http.body import Nothing
from api.http.unstored import answer_unstored
from api.security_key import SecondFactorBody
from api.strict_route import StrictRoute
from api.views.user import RecoveryCodesView, SecondFactorView, SeedView
from identity.second_factor import get_second_factor

router = APIRouter(prefix="/api/v1/auth/second-factor", tags=["auth"], route_class=StrictRoute)


@router.get("", response_model=SecondFactorView)
async def get_status(session: SessionDep, dependencies: DependenciesDep) -> SecondFactorView:
    """Show what confirms you, and when this session was last confirmed."""
    async with dependencies.pool.connection() as connection:
        found = await get_second_factor(connection, session.user_id)
    return SecondFactorView(
        has_app=found.has_totp,
        security_keys=found.security_keys,
        recovery_codes_left=found.recovery_codes_left,
        confirmed_at=session.confirmed_at,
        withheld_roles=sorted(session.withheld),
    )


@router.post("", status_code=204)
async def post_proof(body: SecondFactorBody, session: SessionDep, dependencies: DependenciesDep) -> Response:
    """Confirm this session: by app, security key, recovery code, or a code by mail with the password."""
    await flow.confirm(dependencies, session, body)
    return Response(status_code=204)


@router.post("/code", status_code=204)
async def post_code(session: SessionDep, dependencies: DependenciesDep, body: Nothing | None = None) -> Response:
    """Send a code to your address, for those without app and key; at most one a minute."""
    await flow.mail_code(dependencies, session)
    return Response(status_code=204)


@router.post("/app", response_model=SeedView)
async def post_app(body: PasswordBody, session: SessionDep, dependencies: DependenciesDep) -> Response:
    """Get a secret for an authenticator app, once; it counts from its first code on."""
    seed, account = await flow.propose_app(dependencies, session, body.password)
    return answer_unstored(SeedView(secret=seed.text, uri=seed.get_uri(account)))


@router.post("/app/begin", response_model=RecoveryCodesView)
async def post_begin(body: CodeBody, session: SessionDep, dependencies: DependenciesDep) -> Response:
    """Take the app into use with its first code; this confirms the session and shows new recovery codes, once."""
    return _show_codes(await flow.begin_app(dependencies, session, body.code))


@router.post("/recovery-codes", response_model=RecoveryCodesView)
async def post_recovery_codes(
    session: FreshSessionDep, dependencies: DependenciesDep, body: Nothing | None = None
) -> Response:
    """Replace your recovery codes; the new ones are shown once."""
    return _show_codes(await flow.replace_recovery_codes(dependencies, session))


def _show_codes(codes: tuple[str, ...]) -> Response:
    return answer_unstored(RecoveryCodesView(recovery_codes=list(codes)))
