"""Confirming the person behind a session, beyond the password that it began with."""

from api.access import require_fresh
from api.codes import counting_code, mailer_of_codes
from api.dependencies import Dependencies
from api.errors import SecondFactorRequired
from api.metrics import EMAIL
from api.security_key import SecondFactorBody
from identity.authenticator import Session
from identity.email_code import CodePurpose, CodeRefused, send_code
from identity.notification import tell_user
from identity.password import get_password
from identity.password_guess import counting_guesses
from identity.recovery_code import make_recovery_codes
from identity.second_factor import (
    CHANGED,
    NEEDS_SECOND_FACTOR,
    SecondFactorNotGiven,
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
    """Raise SignInRefused unless this is the user's password; TooManyTries, TooManySignIns."""
    async with dependencies.pool.connection() as connection:
        stored = await get_password(connection, session.user_id)
    async with counting_guesses(dependencies.pool, session.user_id, at=dependencies.clock()):
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
    """Return a new secret and the account it is for. Raises what `require_owner` raises."""
    await require_owner(dependencies, session, password)
    at = dependencies.clock()
    async with dependencies.pool.connection() as connection, connection.transaction():
        user = await get_user(connection, session.user_id)
        seed = await propose_seed(
            connection, dependencies.locksmith, session.user_id, at=at, random_bytes=dependencies.random_bytes
        )
    return seed, user.email or str(user.id)


async def begin_app(dependencies: Dependencies, session: Session, code: str) -> tuple[str, ...]:
    """Take the proposed app into use with its first code; return new recovery codes. Raises what `begin_with_app`
    and `require_person` raise."""
    await require_person(dependencies, session)
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
    """Return new recovery codes, and tell their owner; those before are good no more.

    They stand in for an app or a key, and count as one: a mailbox is too little for them. Raises SecondFactorRequired.
    """
    _require_proven(session)
    at = dependencies.clock()
    async with dependencies.pool.connection() as connection, connection.transaction():
        codes = await make_recovery_codes(connection, session.user_id, at=at, random_bytes=dependencies.random_bytes)
        await tell_user(connection, session.user_id, CHANGED, at=at, what="recovery_codes")
    return codes


async def require_owner(dependencies: Dependencies, session: Session, password: str) -> None:
    """Before a new second factor: the person, and the password once more. Raises SignInRefused too."""
    await require_person(dependencies, session)
    await require_password(dependencies, session, password)


async def require_person(dependencies: Dependencies, session: Session) -> None:
    """Raise SecondFactorRequired unless the person was confirmed within five minutes: by a second factor that was
    given, else by a code by mail. Staff without any get their first one from whoever runs the server, and nobody who
    has their password and their mailbox makes himself staff: raises SecondFactorNotGiven.

    Asked when a new one begins and again when it ends: in between the first one may have come into use.
    """
    async with dependencies.pool.connection() as connection:
        was_given = (await get_second_factor(connection, session.user_id)).was_given
    if not was_given and not NEEDS_SECOND_FACTOR.isdisjoint(session.roles | session.withheld):
        raise SecondFactorNotGiven
    require_fresh(session, dependencies.clock())
    if was_given:
        _require_proven(session)


def _require_proven(session: Session) -> None:
    if session.confirmed_by is None or not session.confirmed_by.is_second_factor:
        raise SecondFactorRequired


def site_of(dependencies: Dependencies) -> Site:
    """Return what security keys sign for here. Raises NoPublicUrl."""
    return Site.of(dependencies.settings.escrow_public_url)
