"""Devices that have signed in before: each has its own tries, so a flood of guesses does not keep its owner out."""

from datetime import datetime
from uuid import UUID

from database.connect import Connection
from database.queries import load
from domain.ids import RandomBytes
from identity.token import DEVICE, hash_token, make_token

SQL = load("identity", "known_device.sql")
MOST_DEVICES = 20


async def remember_device(connection: Connection, user_id: UUID, *, at: datetime, random_bytes: RandomBytes) -> str:
    """Return a token for a device on which somebody has just signed in; the newest twenty count."""
    token = make_token(DEVICE, random_bytes)
    row = {"token_hash": hash_token(DEVICE, token), "user_id": user_id, "at": at, "most": MOST_DEVICES}
    await connection.execute(SQL.insert_device, row)
    await connection.execute(SQL.delete_older_devices, row)
    return token


async def has_known_device(connection: Connection, user_id: UUID) -> bool:
    """Whether this user has signed in anywhere before, as far as that is kept."""
    return await (await connection.execute(SQL.has_device, (user_id,))).fetchone() == (True,)


async def is_known_device(connection: Connection, user_id: UUID, token: str) -> bool:
    """Whether this user has signed in on the device with this token."""
    token_hash = hash_token(DEVICE, token)
    if token_hash is None:
        return False
    cursor = await connection.execute(SQL.find_device, {"token_hash": token_hash, "user_id": user_id})
    return await cursor.fetchone() is not None
