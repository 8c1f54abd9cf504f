"""Six digits by mail, to show that a mailbox is one's own: good for one purpose, five minutes and five tries."""

import hmac
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from database.connect import Connection, Pool
from database.queries import load
from domain.errors import Forbidden
from domain.ids import RandomBytes
from identity.email import normalise_email
from identity.user import User, find_user, verify_email

SQL = load("identity", "email_code.sql")
LASTS = timedelta(minutes=5)
PAUSE = timedelta(minutes=1)
TRIES = 5
SALT_BYTES = 16
FORM = re.compile("[0-9]{6}")

SendCode = Callable[[str, str], Awaitable[None]]
"""Sends a code (second) to an address (first)."""


class CodePurpose(StrEnum):
    """What a code is for; one for another purpose is refused."""

    VERIFY_EMAIL = "verify_email"
    CONFIRM = "confirm"


class CodeRefused(Forbidden):
    """This code is wrong, used up or older than five minutes; ask for a new one."""

    code = "code_refused"


class CodeExpired(CodeRefused):
    """This code is wrong, used up or older than five minutes; ask for a new one."""


async def send_code(
    pool: Pool,
    user: User,
    send: SendCode,
    *,
    at: datetime,
    random_bytes: RandomBytes,
    purpose: CodePurpose = CodePurpose.VERIFY_EMAIL,
) -> bool:
    """Make a new code, which ends the one before, and send it; False within a minute of the last.

    Also False where it would serve nothing: an address is verified once, and only a verified one proves a person. The
    code is stored before it is sent and no connection is held meanwhile. Raises what `send` raises.
    """
    if user.email is None or (user.verified_at is None) != (purpose is CodePurpose.VERIFY_EMAIL):
        return False
    code, salt = make_code(random_bytes), random_bytes(SALT_BYTES)
    async with pool.connection() as connection:
        if not await _store(connection, user.id, purpose, code, salt, at):
            return False
    await send(user.email, code)
    return True


async def resend_code(pool: Pool, email: str, send: SendCode, *, at: datetime, random_bytes: RandomBytes) -> None:
    """Send another code, if there is such a user. Raises UnfitEmail and what `send` raises."""
    async with pool.connection() as connection:
        user = await find_user(connection, email)
    if user is not None:
        await send_code(pool, user, send, at=at, random_bytes=random_bytes)


async def _store(
    connection: Connection, user_id: UUID, purpose: CodePurpose, code: str, salt: bytes, at: datetime
) -> bool:
    cursor = await connection.execute(
        SQL.upsert_code,
        {
            "user_id": user_id,
            "purpose": purpose,
            "salt": salt,
            "code_hash": hash_code(salt, code),
            "at": at,
            "expires_at": at + LASTS,
            "tries": TRIES,
            "sent_before": at - PAUSE,
        },
    )
    return await cursor.fetchone() is not None


def make_code(random_bytes: RandomBytes) -> str:
    """Return six random digits."""
    return f"{int.from_bytes(random_bytes(8), 'big') % 1_000_000:06d}"


def hash_code(salt: bytes, code: str) -> bytes:
    """A million codes are soon tried by whoever has the table: five minutes and five tries are what protects."""
    return sha256(salt + code.encode()).digest()


async def confirm_code(
    pool: Pool, email: str, code: str, *, at: datetime, before: Callable[[UUID], Awaitable[None]] | None = None
) -> UUID:
    """Verify the address and return the user's id. Raises CodeRefused, also for an unknown address, and UnfitEmail.

    `before` is done for a right code before it is used up: when it fails, the same code serves again.
    """
    normalised = normalise_email(email)
    user_id = await check_code(pool, normalised, code, CodePurpose.VERIFY_EMAIL, at=at)
    if before is not None:
        await before(user_id)
    async with pool.connection() as connection, connection.transaction():
        await verify_email(connection, user_id, at)
        await use_code(connection, user_id, CodePurpose.VERIFY_EMAIL)
    return user_id


async def check_code(pool: Pool, email: str, code: str, purpose: CodePurpose, *, at: datetime) -> UUID:
    """Return whose code this is; `use_code` has to follow. Raises CodeRefused, also for an unknown address.

    The try is counted and committed before the code is looked at, so that parallel guesses share the five.
    """
    if not FORM.fullmatch(code):
        raise CodeRefused
    async with pool.connection() as connection:
        cursor = await connection.execute(SQL.take_try, {"email": email, "purpose": purpose, "at": at})
        taken = await cursor.fetchone()
        if taken is None and await _is_expired(connection, email, purpose, at):
            raise CodeExpired
    if taken is None or not hmac.compare_digest(hash_code(taken[1], code), taken[2]):
        raise CodeRefused
    return taken[0]


async def _is_expired(connection: Connection, email: str, purpose: CodePurpose, at: datetime) -> bool:
    """Only the counters differ: whoever typed it gets the same answer."""
    cursor = await connection.execute(SQL.find_expired, {"email": email, "purpose": purpose, "at": at})
    return await cursor.fetchone() is not None


async def use_code(connection: Connection, user_id: UUID, purpose: CodePurpose) -> None:
    """End a code that was checked; of two who did at once, one gets it. Call inside a transaction. Raises CodeRefused.

    What the code allows is done in the same transaction.
    """
    cursor = await connection.execute(SQL.delete_code, {"user_id": user_id, "purpose": purpose})
    if await cursor.fetchone() is None:
        raise CodeRefused
