"""Security keys: a second factor that signs for the one address it was registered at, and for no page that looks alike.

A challenge is kept here, belongs to one session and one purpose, lasts five minutes and is used up by the first answer,
right or wrong. A key counts its signatures; one that counts backwards was copied, and serves nobody from then on.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from psycopg.rows import class_row

from database.connect import Connection, Pool
from database.queries import load
from domain.errors import Forbidden, NotFound, Refused
from domain.ids import RandomBytes, uuid7
from identity.turn import take_turn
from identity.webauthn import (
    Json,
    Registered,
    SecurityKeyRefused,
    Site,
    ask_to_confirm,
    ask_to_register,
    read_confirmation,
)

SQL = load("identity", "security_key.sql")
LASTS = timedelta(minutes=5)
CHALLENGE_BYTES = 32
MOST_KEYS = 10


class SecurityKeyCopied(Forbidden):
    """This security key counts backwards: there is a copy of it, and neither serves any more. Use another factor."""

    code = "security_key_copied"


class SecurityKeyTaken(Refused):
    """This security key is registered already."""

    code = "security_key_taken"


class TooManySecurityKeys(Refused):
    """You have ten security keys; remove one first."""

    code = "too_many_security_keys"


class Purpose(StrEnum):
    """What a challenge is for; an answer to one for another purpose is refused."""

    REGISTER = "register"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityKey:
    """A row of `security_keys` as its owner sees it."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None
    copied_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose key it is, under which name he knows himself, and the session that asks."""

    session_id: UUID
    user_id: UUID
    account: str = field(repr=False)


async def begin_registration(
    connection: Connection, site: Site, holder: Holder, *, at: datetime, random_bytes: RandomBytes
) -> Json:
    """Return what a browser needs to register a key. Raises TooManySecurityKeys."""
    if len(await list_security_keys(connection, holder.user_id)) >= MOST_KEYS:
        raise TooManySecurityKeys
    known = await _list_credentials(connection, holder.user_id)
    challenge = await _challenge(connection, holder.session_id, Purpose.REGISTER, at, random_bytes)
    return ask_to_register(site, holder.user_id.bytes, holder.account, known, challenge)


async def store_security_key(
    connection: Connection, user_id: UUID, name: str, new: Registered, *, at: datetime, random_bytes: RandomBytes
) -> SecurityKey:
    """Keep a new key. Call inside a transaction. Raises SecurityKeyTaken, TooManySecurityKeys."""
    await take_turn(connection, user_id)
    if len(await list_security_keys(connection, user_id)) >= MOST_KEYS:
        raise TooManySecurityKeys
    row = {
        "id": uuid7(at, random_bytes),
        "user_id": user_id,
        "credential_id": new.credential_id,
        "credential": new.credential,
        "sign_count": new.sign_count,
        "name": name,
        "at": at,
    }
    cursor = connection.cursor(row_factory=class_row(SecurityKey))
    await cursor.execute(SQL.insert_security_key, row)
    made = await cursor.fetchone()
    if made is None:
        raise SecurityKeyTaken
    return made


async def begin_confirmation(
    connection: Connection, site: Site, session_id: UUID, user_id: UUID, *, at: datetime, random_bytes: RandomBytes
) -> Json:
    """Return what a browser needs to have a key sign. Raises NotFound for somebody without a key."""
    known = await _list_credentials(connection, user_id)
    if not known:
        raise NotFound
    challenge = await _challenge(connection, session_id, Purpose.CONFIRM, at, random_bytes)
    return ask_to_confirm(site, known, challenge)


async def take_security_key(
    pool: Pool, site: Site, session_id: UUID, user_id: UUID, answer: Json, *, at: datetime
) -> None:
    """Check what a key has signed, and count it. Raises SecurityKeyRefused, SecurityKeyCopied."""
    challenge = await take_challenge(pool, session_id, Purpose.CONFIRM, at=at)
    async with pool.connection() as connection:
        known = await _list_credentials(connection, user_id)
        credential_id, sign_count = read_confirmation(site, challenge, known, answer)
        row = {"credential_id": credential_id, "user_id": user_id, "sign_count": sign_count, "at": at}
        if await (await connection.execute(SQL.count_use, row)).fetchone() is not None:
            return
    # By itself, so that the refusal does not take it back.
    async with pool.connection() as connection:
        await connection.execute(SQL.mark_copied, row)
    raise SecurityKeyCopied


async def take_challenge(pool: Pool, session_id: UUID, purpose: Purpose, *, at: datetime) -> bytes:
    """Use up the challenge of a session, also when the answer turns out wrong. Raises SecurityKeyRefused."""
    async with pool.connection() as connection:
        cursor = await connection.execute(SQL.take_challenge, {"session_id": session_id, "purpose": purpose})
        row = await cursor.fetchone()
    if row is None or row[1] <= at:
        raise SecurityKeyRefused
    return bytes(row[0])


async def _challenge(
    connection: Connection, session_id: UUID, purpose: Purpose, at: datetime, random_bytes: RandomBytes
) -> bytes:
    challenge = random_bytes(CHALLENGE_BYTES)
    row = {"session_id": session_id, "purpose": purpose, "challenge": challenge, "expires_at": at + LASTS}
    await connection.execute(SQL.upsert_challenge, row)
    return challenge


async def _list_credentials(connection: Connection, user_id: UUID) -> list[bytes]:
    cursor = await connection.execute(SQL.list_credentials, (user_id,))
    return [bytes(row[0]) for row in await cursor.fetchall()]


async def list_security_keys(connection: Connection, user_id: UUID) -> list[SecurityKey]:
    """All keys of a user, oldest first, also those that were copied."""
    cursor = connection.cursor(row_factory=class_row(SecurityKey))
    await cursor.execute(SQL.list_security_keys, (user_id,))
    return await cursor.fetchall()


async def rename_security_key(connection: Connection, user_id: UUID, key_id: UUID, name: str) -> SecurityKey:
    """Give one of the user's own keys another name. Raises NotFound."""
    cursor = connection.cursor(row_factory=class_row(SecurityKey))
    await cursor.execute(SQL.rename_security_key, {"user_id": user_id, "key_id": key_id, "name": name})
    renamed = await cursor.fetchone()
    if renamed is None:
        raise NotFound
    return renamed


async def delete_security_key(connection: Connection, user_id: UUID, key_id: UUID) -> None:
    """Forget one of the user's own keys. Raises NotFound."""
    row = {"user_id": user_id, "key_id": key_id}
    if await (await connection.execute(SQL.delete_security_key, row)).fetchone() is None:
        raise NotFound


async def delete_security_keys(connection: Connection, user_id: UUID) -> None:
    """Forget all keys of a user."""
    await connection.execute(SQL.delete_security_keys, (user_id,))
