"""Signing in with a password, and at once with a code of the app if one came along."""

from collections.abc import Generator
from contextlib import contextmanager

from api.bodies import LoginBody
from api.dependencies import Dependencies
from domain.errors import EscrowError
from identity.second_factor import confirm_by_app
from identity.session import Tokens, logout, name_device
from identity.sign_in import Caller, SignedIn, sign_in
from identity.tries import TooManyTries
from vault.gate import TooManySignIns


async def begin_session(dependencies: Dependencies, body: LoginBody, address: str, agent: str | None) -> SignedIn:
    """Start a session of the program `agent`; a wrong code of the app starts none. Counted by how it ended.

    Raises SignInRefused, CodeRefused, TooManyTries, and TooManySignIns before anything is asked of the database.
    """
    with _counting(dependencies):
        signed_in = await sign_in(
            dependencies.pool,
            dependencies.locksmith,
            body.email,
            body.password,
            Caller(address=address, device_token=body.device_token, key=dependencies.shared_key),
            at=dependencies.clock(),
            random_bytes=dependencies.random_bytes,
            lifetimes=dependencies.lifetimes,
        )
        if body.code is not None:
            await _confirm_or_end(dependencies, signed_in.tokens, body.code)
    await name_device(dependencies.pool, signed_in.tokens.session_id, agent)
    return signed_in


@contextmanager
def _counting(dependencies: Dependencies) -> Generator[None]:
    logins = dependencies.metrics.logins
    try:
        yield
    except (TooManyTries, TooManySignIns):
        logins.labels("throttled").inc()
        raise
    except EscrowError:
        logins.labels("failed").inc()
        raise
    logins.labels("succeeded").inc()


async def _confirm_or_end(dependencies: Dependencies, tokens: Tokens, code: str) -> None:
    at = dependencies.clock()
    try:
        await confirm_by_app(dependencies.pool, dependencies.locksmith, tokens.session_id, tokens.user_id, code, at=at)
    except EscrowError:
        async with dependencies.pool.connection() as connection:
            await logout(connection, tokens.session_id, at)
        raise
