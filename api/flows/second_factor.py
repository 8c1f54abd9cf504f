"""Confirming the person behind a session, beyond the password that it began with."""

from api.access import require_fresh
from api.bodies import LoginBody, SecondFactorBody
from api.dependencies import Dependencies
from domain.errors import EscrowError
from identity.authenticator import Session
from identity.email_code import CodePurpose, CodeRefused, send_code
from identity.password import get_password
from identity.second_factor import confirm_by_app, confirm_by_mail, confirm_by_recovery_code
from identity.session import SignInRefused, Tokens, logout
from identity.sign_in import Caller, SignedIn, sign_in
from identity.totp import Seed, has_totp, propose_seed
from identity.user import get_user


async def begin_session(dependencies: Dependencies, body: LoginBody, address: str) -> SignedIn:
    """Start a session, confirmed at once if a code of the app came along; a wrong code starts none.

    Raises SignInRefused, CodeRefused, TooManyTries, TooManySignIns.
    """
    signed_in = await sign_in(
        dependencies.pool,
        dependencies.locksmith,
        body.email,
        body.password,
        Caller(address=address, device_token=body.device_token, key=dependencies.cursor_key),
        at=dependencies.clock(),
        random_bytes=dependencies.random_bytes,
        lifetimes=dependencies.lifetimes,
    )
    if body.code is not None:
        await _confirm_or_end(dependencies, signed_in.tokens, body.code)
    return signed_in


async def _confirm_or_end(dependencies: Dependencies, tokens: Tokens, code: str) -> None:
    at = dependencies.clock()
    try:
        await confirm_by_app(dependencies.pool, dependencies.locksmith, tokens.session_id, tokens.user_id, code, at=at)
    except EscrowError:
        async with dependencies.pool.connection() as connection:
            await logout(connection, tokens.session_id, at)
        raise


async def confirm(dependencies: Dependencies, session: Session, body: SecondFactorBody) -> None:
    """Confirm the session by the one proof in the body. Raises CodeRefused, TooManyTries, SignInRefused."""
    at = dependencies.clock()
    if body.code is not None:
        await confirm_by_app(dependencies.pool, dependencies.locksmith, session.id, session.user_id, body.code, at=at)
    elif body.recovery_code is not None:
        await confirm_by_recovery_code(dependencies.pool, session.id, session.user_id, body.recovery_code, at=at)
    else:
        await _confirm_by_mail(dependencies, session, body.mailed_code or "", body.password or "")
    dependencies.authenticator.forget(session.user_id)


async def _confirm_by_mail(dependencies: Dependencies, session: Session, code: str, password: str) -> None:
    async with dependencies.pool.connection() as connection:
        user = await get_user(connection, session.user_id)
    await require_password(dependencies, session, password)
    if user.email is None:
        raise CodeRefused
    await confirm_by_mail(dependencies.pool, session.id, session.user_id, user.email, code, at=dependencies.clock())


async def require_password(dependencies: Dependencies, session: Session, password: str) -> None:
    """Raise SignInRefused unless this is the user's password; TooManySignIns."""
    async with dependencies.pool.connection() as connection:
        stored = await get_password(connection, session.user_id)
    if not await dependencies.locksmith.admits(password, stored):
        raise SignInRefused


async def mail_code(dependencies: Dependencies, session: Session) -> None:
    """Send a code for those who have no app; within a minute of the last, nothing is sent."""
    async with dependencies.pool.connection() as connection:
        user = await get_user(connection, session.user_id)
    await send_code(
        dependencies.pool,
        user,
        dependencies.send_code,
        at=dependencies.clock(),
        random_bytes=dependencies.random_bytes,
        purpose=CodePurpose.CONFIRM,
    )


async def propose_app(dependencies: Dependencies, session: Session, password: str) -> tuple[Seed, str]:
    """Return a new secret and the account it is for. Whoever has an app already has to be confirmed.

    Raises SignInRefused, SecondFactorRequired.
    """
    await require_password(dependencies, session, password)
    at = dependencies.clock()
    async with dependencies.pool.connection() as connection:
        if await has_totp(connection, session.user_id):
            require_fresh(session, at)
        user = await get_user(connection, session.user_id)
        seed = await propose_seed(
            connection, dependencies.locksmith, session.user_id, at=at, random_bytes=dependencies.random_bytes
        )
    return seed, user.email or str(user.id)
