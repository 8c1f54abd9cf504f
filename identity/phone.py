"""Phone numbers: set by their owner, and verified by six digits that are sent there.

A code proves the number. It is no second factor: numbers are moved to other cards by whoever persuades a shop.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from database.connect import Connection, Pool
from database.queries import load
from domain.errors import Refused
from domain.ids import RandomBytes
from identity.email_code import (
    FORM,
    LASTS,
    PAUSE,
    SALT_BYTES,
    TRIES,
    CodeExpired,
    CodeRefused,
    SendCode,
    hash_code,
    make_code,
)
from identity.notification import tell_user
from identity.tries import Allowance, bucket_of, count_try
from identity.turn import take_turn
from identity.user import UnfitPhone

SQL = load("identity", "phone.sql")
E164 = re.compile(r"\+[1-9][0-9]{7,14}")
"""ITU-T E.164: a plus sign, the country, at most 15 digits."""
FILLING = str.maketrans("", "", " ()-")
BY_ACCOUNT = Allowance(free=5, first_pause=timedelta(minutes=5), longest_pause=timedelta(hours=12))
"""Every message costs money: whoever asks for many waits."""


class NoPhone(Refused):
    """There is no phone number to verify: set one first."""

    code = "no_phone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A number as it was set, and since when it is known to be the user's."""

    number: str | None = field(repr=False)
    verified_at: datetime | None


def normalise_phone(text: str) -> str:
    """Return the number in the form of E.164, such as +254700000001. Raises UnfitPhone."""
    number = text.translate(FILLING)
    if not E164.fullmatch(number):
        raise UnfitPhone
    return number


async def get_phone(connection: Connection, user_id: UUID) -> Phone:
    """Return the number of a user, which may be none."""
    cursor = connection.cursor(row_factory=class_row(Phone))
    await cursor.execute(SQL.get_phone, (user_id,))
    return await cursor.fetchone() or Phone(number=None, verified_at=None)


async def set_phone(connection: Connection, user_id: UUID, text: str, *, at: datetime) -> None:
    """Set a number, unverified, and end the code for the one before; the same number again changes nothing.

    Call inside a transaction. Raises UnfitPhone.
    """
    number = normalise_phone(text)
    await take_turn(connection, user_id)
    if (await get_phone(connection, user_id)).number == number:
        return
    await connection.execute(SQL.delete_code, (user_id,))
    await connection.execute(SQL.set_phone, {"user_id": user_id, "phone": number})
    await tell_user(connection, user_id, "phone_changed", at=at)


async def send_phone_code(
    pool: Pool, user_id: UUID, send: SendCode, *, at: datetime, random_bytes: RandomBytes
) -> bool:
    """Send a new code, which ends the one before; False within a minute of the last, and for a verified number.

    Also False when the number is changed meanwhile: the code would go to the old one and prove the new one. Raises
    NoPhone, UnfitPhone for a number that is not in the form of E.164, TooManyTries, and what `send` raises.
    """
    async with pool.connection() as connection:
        phone = await get_phone(connection, user_id)
    if phone.number is None:
        raise NoPhone
    number = normalise_phone(phone.number)
    if phone.verified_at is not None:
        return False
    await count_try(pool, bucket_of(b"", "phone-code", str(user_id)), BY_ACCOUNT, at=at)
    code, salt = make_code(random_bytes), random_bytes(SALT_BYTES)
    row = {
        "user_id": user_id,
        "salt": salt,
        "code_hash": hash_code(salt, code),
        "at": at,
        "expires_at": at + LASTS,
        "tries": TRIES,
        "sent_before": at - PAUSE,
    }
    if not await _store(pool, user_id, phone, row):
        return False
    await send(number, code)
    return True


async def _store(pool: Pool, user_id: UUID, phone: Phone, row: Mapping[str, object]) -> bool:
    """Whether the code is kept, because the number is still the one that it will be sent to."""
    async with pool.connection() as connection, connection.transaction():
        await take_turn(connection, user_id)
        if await get_phone(connection, user_id) != phone:
            return False
        return await (await connection.execute(SQL.upsert_code, row)).fetchone() is not None


async def confirm_phone(pool: Pool, user_id: UUID, code: str, *, at: datetime) -> None:
    """Verify the number that the code was sent to. Raises CodeRefused.

    The try is counted and committed before the code is looked at, so that parallel guesses share the five.
    """
    if not FORM.fullmatch(code):
        raise CodeRefused
    async with pool.connection() as connection:
        taken = await (await connection.execute(SQL.take_try, {"user_id": user_id, "at": at})).fetchone()
        if taken is None and await _is_expired(connection, user_id, at):
            raise CodeExpired
    if taken is None or not hmac.compare_digest(hash_code(taken[0], code), taken[1]):
        raise CodeRefused
    async with pool.connection() as connection, connection.transaction():
        await take_turn(connection, user_id)
        # Gone when the number was changed meanwhile: the code was sent to another one.
        if await (await connection.execute(SQL.use_code, (user_id, taken[1]))).fetchone() is None:
            raise CodeRefused
        await connection.execute(SQL.verify_phone, {"user_id": user_id, "at": at})


async def _is_expired(connection: Connection, user_id: UUID, at: datetime) -> bool:
    return await (await connection.execute(SQL.find_expired, {"user_id": user_id, "at": at})).fetchone() is not None
