"""Recovery codes: ten on paper, for whoever has lost the app; each serves once."""

import base64
import re
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from database.connect import Connection
from database.queries import load
from domain.ids import RandomBytes
from identity.turn import take_turn

SQL = load("identity", "recovery_code.sql")
NUMBER = 10
CODE_BYTES = 10
GROUP = 4
NOISE = re.compile(r"[\s-]")


async def make_recovery_codes(
    connection: Connection, user_id: UUID, *, at: datetime, random_bytes: RandomBytes
) -> tuple[str, ...]:
    """Replace all codes of a user; the new ones are shown once. Call inside a transaction."""
    await take_turn(connection, user_id)
    codes = tuple(_make(random_bytes) for _ in range(NUMBER))
    await connection.execute(SQL.delete_recovery_codes, (user_id,))
    rows = {"user_id": user_id, "hashes": [_hash(code) for code in codes], "at": at}
    await connection.execute(SQL.insert_recovery_codes, rows)
    return codes


def _make(random_bytes: RandomBytes) -> str:
    """80 random bits as four groups of four letters and digits."""
    text = base64.b32encode(random_bytes(CODE_BYTES)).decode().lower()
    return "-".join(text[place : place + GROUP] for place in range(0, len(text), GROUP))


def _hash(code: str) -> bytes:
    """No salt and no slow hash: 80 random bits are not guessed. Spaces, hyphens and case are how people type."""
    return sha256(NOISE.sub("", code).lower().encode()).digest()


async def take_recovery_code(connection: Connection, user_id: UUID, code: str, *, at: datetime) -> bool:
    """Whether this is an unused code of the user; from now on it is used."""
    row = {"user_id": user_id, "code_hash": _hash(code), "at": at}
    cursor = await connection.execute(SQL.use_recovery_code, row)
    return await cursor.fetchone() is not None


async def count_recovery_codes(connection: Connection, user_id: UUID) -> int:
    """How many are left."""
    cursor = await connection.execute(SQL.count_recovery_codes, (user_id,))
    row = await cursor.fetchone()
    return 0 if row is None else int(row[0])
