"""API keys: what a program signs in with, made by a person for some of what he may do himself.

`esk_test_` or `esk_live_`, 32 random bytes, and six characters by which scanners, and we without asking the database,
tell a key from something that only looks like one. A key never confirms anybody: what wants a fresh second factor wants
a person.
"""

import base64
import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID
from zlib import crc32

from psycopg.rows import class_row

from database.connect import Connection
from database.queries import load
from domain.errors import NotFound, Refused
from domain.ids import RandomBytes, uuid7
from identity.notification import tell_user
from identity.turn import take_turn

SQL = load("identity", "api_key.sql")
FORM = re.compile(r"esk_(test|live)_([A-Za-z0-9_-]{43})([0-9A-Za-z]{6})", re.ASCII)
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY_BYTES = 32
CHECKSUM_LENGTH = 6
SHOWN_CHARACTERS = 4
MOST_KEYS = 20
USED_WITHIN = timedelta(minutes=10)


class Scope(StrEnum):
    """What a key is good for; `api.rights` says which routes want which."""

    READ = "read"
    TRADE = "trade"
    AUDIT = "audit"


class TooManyKeys(Refused):
    """You have twenty API keys; revoke one that is not needed first."""

    code = "too_many_api_keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that somebody asks for; `mode` is `test` or `live`, as the payment processor's."""

    name: str
    mode: str
    scopes: frozenset[Scope]
    lasts: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A row of `api_keys` as its owner sees it."""

    id: UUID
    name: str
    mode: str
    ends_in: str
    scope_names: list[str] = field(repr=False)
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


def make_key(mode: str, random_bytes: RandomBytes) -> str:
    """A new key; it is shown once and kept only as its hash."""
    body = base64.urlsafe_b64encode(random_bytes(KEY_BYTES)).decode().rstrip("=")
    return f"esk_{mode}_{body}{checksum_of(mode, body)}"


def checksum_of(mode: str, body: str) -> str:
    """CRC-32 of what stands before it, in six digits of base 62."""
    rest, text = crc32(f"esk_{mode}_{body}".encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(DIGITS))
        text = DIGITS[digit] + text
    return text


def mode_of(token: str) -> str | None:
    """`test` or `live`; None for what is no API key."""
    found = FORM.fullmatch(token)
    return found[1] if found and checksum_of(found[1], found[2]) == found[3] else None


def hash_key(token: str) -> bytes | None:
    """SHA-256 of the key's characters, by which it is stored and found; None for what is no API key.

    No salt and no slow hash: 256 random bits cannot be guessed, and the lookup is on every request's way.
    """
    return sha256(token.encode()).digest() if mode_of(token) else None


async def create_key(
    connection: Connection, user_id: UUID, new: NewKey, *, at: datetime, random_bytes: RandomBytes
) -> tuple[ApiKey, str]:
    """Make a key, tell its owner, and return it with its text, known only now. Call inside a transaction.

    Raises TooManyKeys.
    """
    # Two requests at once take turns, else both would be the twentieth.
    await take_turn(connection, user_id)
    if len(await list_keys(connection, user_id, at)) >= MOST_KEYS:
        raise TooManyKeys
    token = make_key(new.mode, random_bytes)
    row = {
        "id": uuid7(at, random_bytes),
        "user_id": user_id,
        "key_hash": hash_key(token),
        "mode": new.mode,
        "ends_in": token[-SHOWN_CHARACTERS:],
        "name": new.name,
        "scopes": _names(new.scopes),
        "at": at,
        "expires_at": at + new.lasts,
    }
    cursor = connection.cursor(row_factory=class_row(ApiKey))
    await cursor.execute(SQL.insert_key, row)
    made = await cursor.fetchone()
    assert made is not None
    await tell_user(connection, user_id, "api_key_created", at=at, what=made.ends_in, key=str(made.id))
    return made, token


def _names(scopes: AbstractSet[Scope]) -> list[str]:
    return sorted(scope.value for scope in scopes)


async def list_keys(connection: Connection, user_id: UUID, at: datetime) -> list[ApiKey]:
    """The keys of a user that are good at this moment, newest first."""
    cursor = connection.cursor(row_factory=class_row(ApiKey))
    await cursor.execute(SQL.list_keys, {"user_id": user_id, "at": at})
    return await cursor.fetchall()


async def revoke_key(connection: Connection, user_id: UUID, key_id: UUID, at: datetime) -> None:
    """End one of the user's own keys; `Authenticator.forget` the user after the commit. Raises NotFound."""
    row = {"user_id": user_id, "key_id": key_id, "at": at}
    if await (await connection.execute(SQL.revoke_key, row)).fetchone() is None:
        raise NotFound


async def revoke_keys(connection: Connection, user_id: UUID, at: datetime) -> int:
    """End all keys of a user and return how many; `Authenticator.forget` the user after the commit."""
    return (await connection.execute(SQL.revoke_keys, {"user_id": user_id, "at": at})).rowcount


async def note_use(connection: Connection, key_hashes: list[bytes], at: datetime) -> None:
    """Remember when keys were used, to ten minutes."""
    row = {"key_hashes": key_hashes, "at": at, "before": at - USED_WITHIN}
    await connection.execute(SQL.note_use, row)


async def delete_ended_keys(connection: Connection, before: datetime) -> int:
    """Delete keys that ended before a moment; return how many."""
    return (await connection.execute(SQL.delete_ended_keys, {"before": before})).rowcount
