"""The second proof of a person: what staff need to be staff at all, and everybody needs, fresh, where it matters.

An authenticator app or a recovery code proves the person. Buyers and sellers without an app show their password and a
code by mail instead: that proves less, a mailbox, and never makes anybody staff.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from database.connect import Connection, Pool
from database.queries import load
from domain.actor import Role
from domain.ids import RandomBytes
from identity.email_code import CodePurpose, CodeRefused, check_code, use_code
from identity.recovery_code import count_recovery_codes, make_recovery_codes, take_recovery_code
from identity.totp import Safe, Seed, confirm_seed, enrol_seed, has_totp, take_totp
from identity.tries import Allowance, bucket_of, count_try

SQL = load("identity", "second_factor.sql")
NEEDS_SECOND_FACTOR = frozenset({Role.ADMIN, Role.SUPER_ADMIN, Role.AUDITOR, Role.OPERATOR})
"""Roles that a session has only after the person was confirmed by more than a password."""
GUESSES = Allowance(free=5, first_pause=timedelta(seconds=30), longest_pause=timedelta(hours=1))


class Method(StrEnum):
    """How a person was confirmed."""

    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"
    WEBAUTHN = "webauthn"
    MAILED_CODE = "mailed_code"

    @property
    def is_second_factor(self) -> bool:
        """A code by mail proves a mailbox, which a password often opens too."""
        return self is not Method.MAILED_CODE


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """What a user has to be confirmed by."""

    has_totp: bool
    recovery_codes_left: int


async def get_second_factor(connection: Connection, user_id: UUID) -> SecondFactor:
    """What this user has."""
    return SecondFactor(
        has_totp=await has_totp(connection, user_id),
        recovery_codes_left=await count_recovery_codes(connection, user_id),
    )


async def confirm_by_app(pool: Pool, safe: Safe, session_id: UUID, user_id: UUID, code: str, *, at: datetime) -> None:
    """Confirm a session with a code of the authenticator app. Raises CodeRefused, TooManyTries."""
    await count_try(pool, _bucket_of(user_id), GUESSES, at=at)
    async with pool.connection() as connection, connection.transaction():
        if not await take_totp(connection, safe, user_id, code, at=at):
            raise CodeRefused
        await _confirm(connection, session_id, user_id, Method.TOTP, at)


async def confirm_by_recovery_code(pool: Pool, session_id: UUID, user_id: UUID, code: str, *, at: datetime) -> None:
    """Confirm a session with a recovery code: nobody guesses one, so tries are free. Raises CodeRefused."""
    async with pool.connection() as connection, connection.transaction():
        if not await take_recovery_code(connection, user_id, code, at=at):
            raise CodeRefused
        await _confirm(connection, session_id, user_id, Method.RECOVERY_CODE, at)


async def confirm_by_mail(pool: Pool, session_id: UUID, user_id: UUID, email: str, code: str, *, at: datetime) -> None:
    """Confirm a session with a code by mail; the caller has checked the password. Raises CodeRefused.

    Whoever has an app uses the app: else whoever has the mailbox would do without it.
    """
    async with pool.connection() as connection:
        if await has_totp(connection, user_id):
            raise CodeRefused
    await check_code(pool, email, code, CodePurpose.CONFIRM, at=at)
    async with pool.connection() as connection, connection.transaction():
        await use_code(connection, user_id, CodePurpose.CONFIRM)
        await _confirm(connection, session_id, user_id, Method.MAILED_CODE, at)


async def count_proof(pool: Pool, user_id: UUID, *, at: datetime) -> None:
    """Count one try at the codes of a user, before it is looked at. Raises TooManyTries."""
    await count_try(pool, _bucket_of(user_id), GUESSES, at=at)


async def take_proof(
    connection: Connection, safe: Safe, user_id: UUID, *, code: str | None, recovery_code: str | None, at: datetime
) -> None:
    """Use up a code of the app or a recovery code, where no session is confirmed by it; after `count_proof`.

    Call inside the transaction of what it allows. Raises CodeRefused.
    """
    is_taken = code is not None and await take_totp(connection, safe, user_id, code, at=at)
    if not is_taken and recovery_code is not None:
        is_taken = await take_recovery_code(connection, user_id, recovery_code, at=at)
    if not is_taken:
        raise CodeRefused
    await connection.execute(SQL.forget_tries, (_bucket_of(user_id),))


async def begin_with_app(
    pool: Pool, safe: Safe, session_id: UUID, user_id: UUID, code: str, *, at: datetime, random_bytes: RandomBytes
) -> tuple[str, ...]:
    """Take a proposed secret into use with its first code; return new recovery codes, shown once.

    Raises NothingToConfirm, CodeRefused, TooManyTries.
    """
    await count_try(pool, _bucket_of(user_id), GUESSES, at=at)
    async with pool.connection() as connection, connection.transaction():
        if not await confirm_seed(connection, safe, user_id, code, at=at):
            raise CodeRefused
        await _confirm(connection, session_id, user_id, Method.TOTP, at)
        return await make_recovery_codes(connection, user_id, at=at, random_bytes=random_bytes)


async def enrol_second_factor(
    connection: Connection, safe: Safe, user_id: UUID, *, at: datetime, random_bytes: RandomBytes
) -> tuple[Seed, tuple[str, ...]]:
    """Give a user a new app secret and new recovery codes instead of all before. Call inside a transaction."""
    seed = await enrol_seed(connection, safe, user_id, at=at, random_bytes=random_bytes)
    await connection.execute(SQL.forget_tries, (_bucket_of(user_id),))
    return seed, await make_recovery_codes(connection, user_id, at=at, random_bytes=random_bytes)


async def _confirm(connection: Connection, session_id: UUID, user_id: UUID, method: Method, at: datetime) -> None:
    await connection.execute(SQL.confirm_session, {"id": session_id, "user_id": user_id, "method": method, "at": at})
    await connection.execute(SQL.forget_tries, (_bucket_of(user_id),))


def _bucket_of(user_id: UUID) -> bytes:
    # No secret key: the id is no personal data, and 122 random bits of it are not found by trying.
    return bucket_of(b"", "second-factor", str(user_id))
