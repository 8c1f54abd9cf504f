"""Confirming the person behind a session, beyond the password that it began with."""

from api.access import require_fresh
from api.codes import counting_code, mailer_of_codes
from api.dependencies import Dependencies
from api.metrics import EMAIL
from api.security_key import SecondFactorBody
from identity.authenticator import Session
from identity.email_code import CodePurpose, CodeRefused, send_code
from identity.notification import tell_user
from identity.password import get_password
from identity.recovery_code import make_recovery_codes
from identity.second_factor import (
    CHANGED,
    begin_with_app,
    confirm_by_app,
    confirm_by_key,
    confirm_by_mail,
    confirm_by_recovery_code,
    get_second_factor,
)
from identity.session import SignInRefused
from identity.totp import Seed, propose_seed
from identity.user import get_user
from identity.webauthn import Site


async def confirm(dependencies: Dependencies, session: Session, body: SecondFactorBody) -> None:
    """Confirm the session by the one proof in the body.

    Raises CodeRefused, SecurityKeyRefused, SecurityKeyCopied, NoPublicUrl, TooManyTries, SignInRefused.
    """
    at = dependencies.clock()
    if body.code is not None:
        await confirm_by_app(dependencies.pool, dependencies.locksmith, session.id, session.user_id, body.code, at=at)
    elif body.recovery_code is not None:
        await confirm_by_recovery_code(dependencies.pool, session.id, session.user_id, body.recovery_code, at=at)
    elif body.security_key is not None:
        site, answer = site_of(dependencies), body.security_key.answer
        await confirm_by_key(dependencies.pool, site, session.id, session.user_id, answer, at=at)
    else:
        await _confirm_by_mail(dependencies, session, body.mailed_code or "", body.password or "")
    dependencies.authenticator.forget(session.user_id)


async def _confirm_by_mail(dependencies: Dependencies, session: Session, code: str, password: str) -> None:
    async with dependencies.pool.connection() as connection:
        user = await get_user(connection, session.user_id)
    await require_password(dependencies, session, password)
    if user.email is None:
        raise CodeRefused
    at = dependencies.clock()
    with counting_code(dependencies, EMAIL):
        await confirm_by_mail(dependencies.pool, session.id, session.user_id, user.email, code, at=at)


async def require_password(dependencies: Dependencies, session: Session, password: str) -> None:
    """Raise SignInRefused unless this is the user's password; TooManySignIns."""
    async with dependencies.pool.connection() as connection:
        stored = await get_password(connection, session.user_id)
    if not await dependencies.locksmith.admits(password, stored):
        raise SignInRefused


async def mail_code(dependencies: Dependencies, session: Session) -> None:
    """Send a code for those who have neither app nor key; within a minute of the last, nothing is sent."""
    async with dependencies.pool.connection() as connection:
        user = await get_user(connection, session.user_id)
    await send_code(
        dependencies.pool,
        user,
        mailer_of_codes(dependencies),
        at=dependencies.clock(),
        random_bytes=dependencies.random_bytes,
        purpose=CodePurpose.CONFIRM,
    )


async def propose_app(dependencies: Dependencies, session: Session, password: str) -> tuple[Seed, str]:
    """Return a new secret and the account it is for. Whoever has a second factor already has to be confirmed.

    Raises SignInRefused, SecondFactorRequired.
    """
    await require_owner(dependencies, session, password)
    at = dependencies.clock()
    async with dependencies.pool.connection() as connection, connection.transaction():
        user = await get_user(connection, session.user_id)
        seed = await propose_seed(
            connection, dependencies.locksmith, session.user_id, at=at, random_bytes=dependencies.random_bytes
        )
    return seed, user.email or str(user.id)


async def begin_app(dependencies: Dependencies, session: Session, code: str) -> tuple[str, ...]:
    """Take the proposed app into use with its first code; return new recovery codes. Raises as `begin_with_app`, and
    SecondFactorRequired."""
    await require_present_factor(dependencies, session)
    codes = await begin_with_app(
        dependencies.pool,
        dependencies.locksmith,
        session.id,
        session.user_id,
        code,
        at=dependencies.clock(),
        random_bytes=dependencies.random_bytes,
    )
    dependencies.authenticator.forget(session.user_id)
    return codes


async def replace_recovery_codes(dependencies: Dependencies, session: Session) -> tuple[str, ...]:
    """Return new recovery codes, and tell their owner; those before are good no more."""
    at = dependencies.clock()
    async with dependencies.pool.connection() as connection, connection.transaction():
        codes = await make_recovery_codes(connection, session.user_id, at=at, random_bytes=dependencies.random_bytes)
        await tell_user(connection, session.user_id, CHANGED, at=at, what="recovery_codes")
    return codes


async def require_owner(dependencies: Dependencies, session: Session, password: str) -> None:
    """Before a new second factor: the password, and the factor that there is. Raises SignInRefused too."""
    await require_password(dependencies, session, password)
    await require_present_factor(dependencies, session)


async def require_present_factor(dependencies: Dependencies, session: Session) -> None:
    """Raise SecondFactorRequired for somebody who has a second factor and has not shown it within five minutes.

    Asked when a new one begins and again when it ends: in between the first one may have come into use.
    """
    async with dependencies.pool.connection() as connection:
        found = await get_second_factor(connection, session.user_id)
    if found.is_there:
        require_fresh(session, dependencies.clock())


def site_of(dependencies: Dependencies) -> Site:
    """Return what security keys sign for here. Raises NoPublicUrl."""
    return Site.of(dependencies.settings.escrow_public_url)
