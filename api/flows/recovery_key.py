"""Making a recovery key: the private key is opened with the password and wrapped once more."""

from api.dependencies import Dependencies
from identity.authenticator import Session
from identity.keypair import get_key_pair
from identity.notification import tell_user
from identity.password import get_password
from identity.password_guess import counting_guesses
from identity.recovery_key import store_recovery_key
from identity.second_factor import CHANGED


async def make_recovery_key(dependencies: Dependencies, session: Session, password: str) -> str:
    """Return the new key as it is printed; the one before is worth nothing.

    Raises WrongPassword, TooManyTries, TooManySignIns.
    """
    async with dependencies.pool.connection() as connection:
        stored = await get_password(connection, session.user_id)
        key_pair = await get_key_pair(connection, session.user_id)
    at = dependencies.clock()
    async with counting_guesses(dependencies.pool, session.user_id, at=at):
        printed, record = await dependencies.locksmith.make_recovery_key(password, stored, key_pair)
    async with dependencies.pool.connection() as connection, connection.transaction():
        await store_recovery_key(connection, record, at)
        await tell_user(connection, session.user_id, CHANGED, at=at, what="recovery_key")
    return printed
