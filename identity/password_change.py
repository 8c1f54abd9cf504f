"""A new password for somebody who knows the old one: the same key pair, wrapped anew, so nothing is lost."""

from datetime import datetime
from uuid import UUID

import structlog
from psycopg import Error

from database.connect import Connection, Pool
from database.queries import load
from domain.errors import EscrowError
from identity.keypair import KeyPair, get_key_pair, rewrap_key_pair
from identity.known_device import forget_devices
from identity.notification import tell_user
from identity.password import Enrolment, Locksmith, Password, get_password, replace_password
from identity.password_guess import counting_guesses
from identity.turn import take_turn

SQL = load("identity", "password_change.sql")
logger = structlog.get_logger("identity")


async def change_password(
    pool: Pool,
    locksmith: Locksmith,
    user_id: UUID,
    password: str,
    new_password: str,
    *,
    session_id: UUID,
    at: datetime,
) -> None:
    """Replace the password, end every session but this one and know no device any more: the one before may have been
    somebody else's. `Authenticator.forget` the user afterwards.

    Raises what `Locksmith.rewrap` raises, TooManyTries, and VersionConflict when somebody else changed it at the same
    moment.
    """
    async with pool.connection() as connection:
        stored, key_pair = await get_password(connection, user_id), await get_key_pair(connection, user_id)
    # No connection is held while Argon2 works.
    async with counting_guesses(pool, user_id, at=at):
        changed = await locksmith.rewrap(password, new_password, stored, key_pair)
    async with pool.connection() as connection, connection.transaction():
        await take_turn(connection, user_id)
        await _replace(connection, stored, key_pair, changed, at)
        row = {"user_id": user_id, "session_id": session_id, "at": at}
        await connection.execute(SQL.revoke_other_sessions, row)
        await forget_devices(connection, user_id)
        await tell_user(connection, user_id, "password_changed", at=at)


async def raise_cost(pool: Pool, locksmith: Locksmith, user_id: UUID, password: str, *, at: datetime) -> bool:
    """Make the records of a password that has just been right anew, if they cost less than those of today.

    Password and sessions stay as they are. What stands in the way (another sign-in does it at this moment, the queue is
    full, the password is too short for today, the rows are held) leaves everything as it was: the next sign-in tries
    again.
    """
    try:
        async with pool.connection() as connection:
            stored, key_pair = await get_password(connection, user_id), await get_key_pair(connection, user_id)
        if not locksmith.is_outdated(stored):
            return False
        raised = await locksmith.rewrap(password, password, stored, key_pair)
        async with pool.connection() as connection, connection.transaction():
            await _replace(connection, stored, key_pair, raised, at)
    except (EscrowError, Error) as error:
        reason = error.code if isinstance(error, EscrowError) else type(error).__name__
        logger.warning("cost_not_raised", user_id=str(user_id), error=reason)
        return False
    return True


async def _replace(
    connection: Connection, stored: Password, key_pair: KeyPair, changed: Enrolment, at: datetime
) -> None:
    """Both rows or none, and only over what the old password was checked against."""
    await replace_password(connection, stored.user_id, changed.password, at, shown=stored)
    await rewrap_key_pair(connection, key_pair, changed.key_pair)
