"""Signing up, in and out. These routes write no event of a transaction and need no Idempotency-Key."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import FreshSessionDep, SessionDep
from api.access_log import read_agent
from api.bodies import EmailBody, LoginBody, PasswordChangeBody, RefreshBody, RegisterBody, VerifyEmailBody
from api.codes import counting_code
from api.dependencies import DependenciesDep
from api.flows.registration import ask_for_code, confirm_registration, register_user
from api.flows.sign_in import begin_session
from api.http.body import Nothing
from api.http.scope import SUBJECT, request_id_of
from api.http.unstored import answer_unstored
from api.metrics import EMAIL
from api.strict_route import StrictRoute
from api.views.user import LoginView, TokensView, UserView, VerifiedView
from identity.password_change import change_password
from identity.session import logout, refresh
from identity.user import get_user

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=StrictRoute)


@router.post("/register", status_code=201, response_model=UserView)
async def post_register(body: RegisterBody, dependencies: DependenciesDep, request: Request) -> UserView:
    """Create an account; a code is sent to the e-mail address."""
    return UserView.of(await register_user(dependencies, body, request_id_of(request.scope)))


@router.post("/verify-email", response_model=VerifiedView)
async def post_verify_email(body: VerifyEmailBody, dependencies: DependenciesDep, request: Request) -> VerifiedView:
    """Confirm the e-mail address with the six digits that were sent to it."""
    with counting_code(dependencies, EMAIL):
        user_id = await confirm_registration(dependencies, body, request_id_of(request.scope))
    dependencies.authenticator.forget(user_id)
    return VerifiedView(user_id=user_id)


@router.post("/resend-code", status_code=204)
async def post_resend_code(body: EmailBody, dependencies: DependenciesDep, request: Request) -> Response:
    """Send another code; neither the answer nor its time tells whether there is such an account."""
    await ask_for_code(dependencies, body.email, request.client.host if request.client else "")
    return Response(status_code=204)


@router.post("/login", response_model=LoginView)
async def post_login(body: LoginBody, dependencies: DependenciesDep, request: Request) -> Response:
    """Sign in with e-mail address and password; those with an authenticator app may send its code along."""
    address = request.client.host if request.client else ""
    signed_in = await begin_session(dependencies, body, address, read_agent(request))
    request.scope[SUBJECT] = signed_in.tokens.user_id
    return answer_unstored(LoginView.of_sign_in(signed_in))


@router.post("/refresh", response_model=TokensView)
async def post_refresh(body: RefreshBody, dependencies: DependenciesDep) -> Response:
    """Replace both tokens; using a refresh token a second time ends the session."""
    tokens = await refresh(
        dependencies.pool,
        body.refresh_token,
        at=dependencies.clock(),
        random_bytes=dependencies.random_bytes,
        lifetimes=dependencies.lifetimes,
    )
    dependencies.authenticator.forget(tokens.user_id)
    return answer_unstored(TokensView.of(tokens))


@router.post("/logout", status_code=204)
async def post_logout(session: SessionDep, dependencies: DependenciesDep, body: Nothing | None = None) -> Response:
    """End this session with all its tokens."""
    async with dependencies.pool.connection() as connection:
        await logout(connection, session.id, dependencies.clock())
    dependencies.authenticator.forget(session.user_id)
    return Response(status_code=204)


@router.post("/password", status_code=204)
async def post_password(body: PasswordChangeBody, session: FreshSessionDep, dependencies: DependenciesDep) -> Response:
    """Change your password; nothing in the vault is lost, and every other session ends."""
    await change_password(
        dependencies.pool,
        dependencies.locksmith,
        session.user_id,
        body.password,
        body.new_password,
        session_id=session.id,
        at=dependencies.clock(),
    )
    dependencies.authenticator.forget(session.user_id)
    return Response(status_code=204)


@router.get("/me", response_model=UserView)
async def get_me(session: SessionDep, dependencies: DependenciesDep) -> UserView:
    """Show your own account."""
    async with dependencies.pool.connection() as connection:
        return UserView.of(await get_user(connection, session.user_id))
