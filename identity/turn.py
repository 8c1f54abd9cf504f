"""Changes to what one user signs in with, or is reached by, take turns."""

from uuid import UUID

from database.connect import Connection
from database.queries import load

SQL = load("identity", "turn.sql")


async def take_turn(connection: Connection, user_id: UUID) -> None:
    """Wait until nobody else is changing something of this user, and keep others waiting until the transaction ends.

    Call it before any other row of the user is locked, so that no two wait for each other. What is read afterwards, in
    a statement of its own, is what the one before has left.
    """
    await connection.execute(SQL.lock_user, (user_id,))
