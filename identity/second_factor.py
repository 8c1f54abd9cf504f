"""The second proof of a person: what staff need to be staff at all, and everybody needs, fresh, where it matters.

An authenticator app, a security key or a recovery code proves the person. Buyers and sellers with neither app nor key
show their password and a code by mail instead: that proves less, a mailbox, and never makes anybody staff.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from database.connect import Connection, Pool
from database.queries import load
from domain.actor import Role
from domain.errors import Forbidden, Refused
from domain.ids import RandomBytes
from identity.email_code import CodePurpose, CodeRefused, check_code, use_code
from identity.notification import tell_user
from identity.recovery_code import count_recovery_codes, make_recovery_codes, take_recovery_code
from identity.security_key import (
    Purpose,
    SecurityKey,
    delete_security_key,
    delete_security_keys,
    list_security_keys,
    store_security_key,
    take_challenge,
    take_security_key,
)
from identity.totp import Safe, Seed, confirm_seed, enrol_seed, has_totp, take_totp
from identity.tries import Allowance, bucket_of, count_try, forget_tries
from identity.turn import take_turn
from identity.webauthn import Json, Site, read_registration

SQL = load("identity", "second_factor.sql")
NEEDS_SECOND_FACTOR = frozenset({Role.ADMIN, Role.SUPER_ADMIN, Role.AUDITOR, Role.OPERATOR})
"""Roles that a session has only after the person was confirmed by more than a password."""
CHANGED = "second_factor_changed"
GUESSES = Allowance(free=5, first_pause=timedelta(seconds=30), longest_pause=timedelta(hours=1))


class SecondFactorNotGiven(Forbidden):
    """Your role needs a second factor and you have none: whoever runs the server gives you one."""

    code = "second_factor_not_given"


class LastSecondFactor(Refused):
    """This is your only second factor; register another one first."""

    code = "last_second_factor"


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
    security_keys: int
    copied_keys: int = 0
    recovery_codes_left: int

    @property
    def is_there(self) -> bool:
        """Whether there is more than a mailbox; recovery codes only stand in for what was lost."""
        return self.has_totp or self.security_keys > 0

    @property
    def was_given(self) -> bool:
        """Whether there is anything beyond the mailbox, serving or not: a copied key, or codes that outlived it."""
        return self.is_there or self.copied_keys > 0 or self.recovery_codes_left > 0


async def get_second_factor(connection: Connection, user_id: UUID) -> SecondFactor:
    """What this user has; keys that were copied do not count."""
    keys = await list_security_keys(connection, user_id)
    return SecondFactor(
        has_totp=await has_totp(connection, user_id),
        security_keys=sum(key.copied_at is None for key in keys),
        copied_keys=sum(key.copied_at is not None for key in keys),
        recovery_codes_left=await count_recovery_codes(connection, user_id),
    )


async def confirm_by_app(pool: Pool, safe: Safe, session_id: UUID, user_id: UUID, code: str, *, at: datetime) -> None:
    """Confirm a session with a code of the authenticator app. Raises CodeRefused, TooManyTries."""
    await count_proof(pool, user_id, at=at)
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
    """Confirm a session with a code by mail; the caller has checked the password. Raises CodeRefused, TooManyTries.

    Whoever was given an app, a key or recovery codes uses that: else whoever has the mailbox would do without it.
    """
    async with pool.connection() as connection:
        if (await get_second_factor(connection, user_id)).was_given:
            raise CodeRefused
    # A code bears five tries, and there is a new one every minute: it is these that are to be few.
    await count_proof(pool, user_id, at=at)
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
    await forget_guesses(connection, user_id)


async def confirm_by_key(
    pool: Pool, site: Site, session_id: UUID, user_id: UUID, answer: Json, *, at: datetime
) -> None:
    """Confirm a session with what a security key signed: tries are free. Raises as `take_security_key` does."""
    await take_security_key(pool, site, session_id, user_id, answer, at=at)
    async with pool.connection() as connection, connection.transaction():
        await _confirm(connection, session_id, user_id, Method.WEBAUTHN, at)


async def begin_with_key(
    pool: Pool,
    site: Site,
    session_id: UUID,
    user_id: UUID,
    name: str,
    answer: Json,
    *,
    at: datetime,
    random_bytes: RandomBytes,
) -> tuple[SecurityKey, tuple[str, ...]]:
    """Register the key that answered and confirm the session; return recovery codes too if there are none left.

    Raises SecurityKeyRefused, SecurityKeyTaken, TooManySecurityKeys.
    """
    challenge = await take_challenge(pool, session_id, Purpose.REGISTER, at=at)
    new = read_registration(site, challenge, answer)
    async with pool.connection() as connection, connection.transaction():
        made = await store_security_key(connection, user_id, name, new, at=at, random_bytes=random_bytes)
        await tell_user(connection, user_id, CHANGED, at=at, what="key_added", key=str(made.id))
        await _confirm(connection, session_id, user_id, Method.WEBAUTHN, at)
        if await count_recovery_codes(connection, user_id):
            return made, ()
        return made, await make_recovery_codes(connection, user_id, at=at, random_bytes=random_bytes)


async def remove_key(connection: Connection, user_id: UUID, key_id: UUID, *, at: datetime) -> None:
    """Forget a security key. Call inside a transaction. Raises NotFound, LastSecondFactor.

    A key that was copied protects nobody: it may go although it is all there is.
    """
    await take_turn(connection, user_id)
    before = await get_second_factor(connection, user_id)
    await delete_security_key(connection, user_id, key_id)
    await tell_user(connection, user_id, CHANGED, at=at, what="key_removed", key=str(key_id))
    if before.is_there and not (await get_second_factor(connection, user_id)).is_there:
        raise LastSecondFactor


async def begin_with_app(
    pool: Pool, safe: Safe, session_id: UUID, user_id: UUID, code: str, *, at: datetime, random_bytes: RandomBytes
) -> tuple[str, ...]:
    """Take a proposed secret into use with its first code; return new recovery codes, shown once.

    Raises NothingToConfirm, CodeRefused, TooManyTries.
    """
    await count_proof(pool, user_id, at=at)
    async with pool.connection() as connection, connection.transaction():
        await take_turn(connection, user_id)
        if not await confirm_seed(connection, safe, user_id, code, at=at):
            raise CodeRefused
        await _confirm(connection, session_id, user_id, Method.TOTP, at)
        await tell_user(connection, user_id, CHANGED, at=at, what="app_begun")
        return await make_recovery_codes(connection, user_id, at=at, random_bytes=random_bytes)


async def enrol_second_factor(
    connection: Connection, safe: Safe, user_id: UUID, *, at: datetime, random_bytes: RandomBytes
) -> tuple[Seed, tuple[str, ...]]:
    """Give a user a new app secret and new recovery codes instead of all before. Call inside a transaction."""
    await take_turn(connection, user_id)
    await delete_security_keys(connection, user_id)
    seed = await enrol_seed(connection, safe, user_id, at=at, random_bytes=random_bytes)
    await tell_user(connection, user_id, CHANGED, at=at, what="app_begun")
    await forget_guesses(connection, user_id)
    return seed, await make_recovery_codes(connection, user_id, at=at, random_bytes=random_bytes)


async def _confirm(connection: Connection, session_id: UUID, user_id: UUID, method: Method, at: datetime) -> None:
    await connection.execute(SQL.confirm_session, {"id": session_id, "user_id": user_id, "method": method, "at": at})
    await forget_guesses(connection, user_id)


async def forget_guesses(connection: Connection, user_id: UUID) -> None:
    """Begin the count of wrong codes anew."""
    await forget_tries(connection, _bucket_of(user_id))


def _bucket_of(user_id: UUID) -> bytes:
    # No secret key: the id is no personal data, and 122 random bits of it are not found by trying.
    return bucket_of(b"", "second-factor", str(user_id))
