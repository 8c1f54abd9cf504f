"""Devices that have signed in before: each has its own tries, so a flood of guesses does not keep its owner out.

Half of a token vouches for the other half and for the account, so that it is told from a made-up one without asking the
database, which is what a flood must not reach.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from database.connect import Connection
from database.queries import load
from domain.ids import RandomBytes
from identity.token import DEVICE, TOKEN_BYTES, hash_token, make_token, read_token

SQL = load("identity", "known_device.sql")
MOST_DEVICES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """What makes and checks the half that vouches: a secret key, and the address of the account as it is looked up."""

    key: bytes = field(repr=False)
    account: str = field(repr=False)

    def make_body(self, random_bytes: RandomBytes) -> bytes:
        """Return 16 random bytes and 16 that vouch for them."""
        secret = random_bytes(TOKEN_BYTES // 2)
        return secret + self._vouch(secret)

    def covers(self, token: str) -> bool:
        """Whether the token was made here for this account; it may have been forgotten since."""
        body = read_token(DEVICE, token)
        if body is None:
            return False
        secret, vouched = body[: TOKEN_BYTES // 2], body[TOKEN_BYTES // 2 :]
        return hmac.compare_digest(self._vouch(secret), vouched)

    def _vouch(self, secret: bytes) -> bytes:
        message = b"known-device\n" + secret + self.account.encode(errors="surrogatepass")
        return hmac.digest(self.key, message, sha256)[: TOKEN_BYTES // 2]


async def remember_device(
    connection: Connection, user_id: UUID, voucher: Voucher, *, at: datetime, random_bytes: RandomBytes
) -> str:
    """Return a token for a device on which somebody has just signed in; the newest twenty count."""
    token = make_token(DEVICE, lambda _size: voucher.make_body(random_bytes))
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


async def forget_devices(connection: Connection, user_id: UUID) -> None:
    """Make strangers again of all devices of a user."""
    await connection.execute(SQL.forget_devices, (user_id,))
