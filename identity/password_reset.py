"""A new password for somebody who forgot the old one: a token by mail, and what the old password opened is lost.

Whoever has printed a recovery key keeps the key pair, and loses nothing. The mailbox alone is not enough where there is
a second factor: the caller has it proven in the same transaction.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from database.connect import Connection, Pool
from database.queries import load
from domain.errors import Forbidden
from domain.ids import RandomBytes
from identity.api_key import revoke_keys
from identity.email_code import SendCode
from identity.keypair import KeyPair, replace_key_pair, rewrap_key_pair
from identity.known_device import forget_devices
from identity.notification import tell_user
from identity.password import Enrolment, replace_password
from identity.recovery_key import delete_recovery_key
from identity.session import end_sessions
from identity.token import RESET, hash_token, make_token
from identity.turn import take_turn

SQL = load("identity", "password_reset.sql")
LASTS = timedelta(minutes=5)

Prove = Callable[[Connection], Awaitable[None]]
"""Takes the proof of the second factor, inside the transaction of the reset; raises when there is none."""


class ResetRefused(Forbidden):
    """This token is wrong, used up or older than five minutes; ask for a new one."""

    code = "reset_refused"


async def send_reset(pool: Pool, email: str, send: SendCode, *, at: datetime, random_bytes: RandomBytes) -> None:
    """Mail a token to a verified address; to anybody else nothing happens. Raises what `send` raises."""
    token = make_token(RESET, random_bytes)
    row = {"token_hash": hash_token(RESET, token), "email": email, "at": at, "expires_at": at + LASTS}
    async with pool.connection() as connection:
        found = await (await connection.execute(SQL.insert_reset, row)).fetchone()
    if found is not None:
        await send(email, token)


async def find_reset(connection: Connection, token: str, *, at: datetime) -> UUID:
    """Return whose token this is; it is not used up. Raises ResetRefused."""
    row = {"token_hash": hash_token(RESET, token), "at": at}
    found = await (await connection.execute(SQL.find_reset, row)).fetchone()
    if found is None:
        raise ResetRefused
    return found[0]


async def finish_reset(
    pool: Pool, token: str, key_pair: KeyPair, made: Enrolment, prove: Prove, *, at: datetime
) -> None:
    """Put the new password in force, end every session and every API key; `Authenticator.forget` the user afterwards.

    `key_pair` is what was there; when `made` has another key version the old one is retired. Raises ResetRefused, what
    `prove` raises, and VersionConflict when the keys were changed meanwhile: then nothing has happened.
    """
    async with pool.connection() as connection, connection.transaction():
        await take_turn(connection, key_pair.user_id)
        row = {"token_hash": hash_token(RESET, token), "at": at}
        used = await (await connection.execute(SQL.use_reset, row)).fetchone()
        if used is None or used[0] != key_pair.user_id:
            raise ResetRefused
        await prove(connection)
        await connection.execute(SQL.delete_resets, (key_pair.user_id,))
        await _replace(connection, key_pair, made, at)
        await delete_recovery_key(connection, key_pair.user_id)
        await forget_devices(connection, key_pair.user_id)
        await end_sessions(connection, key_pair.user_id, at, reason="password")
        await revoke_keys(connection, key_pair.user_id, at)
        await tell_user(connection, key_pair.user_id, "password_reset", at=at)


async def _replace(connection: Connection, key_pair: KeyPair, made: Enrolment, at: datetime) -> None:
    """Both rows or none, locked in the order of a change; a recovery key opened the key pair if it stays."""
    await replace_password(connection, key_pair.user_id, made.password, at, shown=None)
    if made.key_pair.key_version == key_pair.key_version:
        await rewrap_key_pair(connection, key_pair, made.key_pair)
    else:
        await replace_key_pair(connection, key_pair, made.key_pair, at)


async def delete_old_resets(pool: Pool, *, at: datetime) -> int:
    """Delete tokens that are of no use any more; return how many."""
    async with pool.connection() as connection:
        return (await connection.execute(SQL.delete_old_resets, (at,))).rowcount
