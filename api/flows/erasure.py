"""What people may ask about the erasure of their data: here they ask, the worker does it."""

from uuid import UUID

from api.dependencies import Dependencies
from domain.errors import NotFound
from identity.erasure import find_erasure, withdraw_erasure
from reactions.erasure import Standing


async def show_erasure(dependencies: Dependencies, user_id: UUID) -> Standing:
    """Return what somebody's erasure waits for. Raises NotFound where none was asked for."""
    async with dependencies.pool.connection() as connection:
        if await find_erasure(connection, user_id) is None:
            raise NotFound
    return await dependencies.eraser.look(user_id)


async def take_back(dependencies: Dependencies, user_id: UUID) -> None:
    """Take the request back. Raises NotFound where there is none, or it has begun."""
    async with dependencies.pool.connection() as connection:
        if not await withdraw_erasure(connection, user_id):
            raise NotFound
