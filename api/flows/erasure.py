"""What erases people who asked for it: here they ask, the worker does it."""

from datetime import datetime, timedelta
from uuid import UUID

from api.dependencies import Dependencies
from api.files.stored_file import erase_files_of
from domain.errors import NotFound
from identity.erasure import find_erasure, withdraw_erasure
from reactions.erasure import Eraser, Standing


def eraser_of(dependencies: Dependencies) -> Eraser:
    """Return it."""

    async def erase_files(user_id: UUID, at: datetime) -> None:
        await erase_files_of(dependencies.pool, dependencies.objects, user_id, at)

    return Eraser(
        pool=dependencies.pool,
        clock=dependencies.clock,
        retention=timedelta(days=dependencies.settings.escrow_retention_days),
        erase_files=erase_files,
    )


async def show_erasure(dependencies: Dependencies, user_id: UUID) -> Standing:
    """Return what somebody's erasure waits for. Raises NotFound where none was asked for."""
    async with dependencies.pool.connection() as connection:
        if await find_erasure(connection, user_id) is None:
            raise NotFound
    return await eraser_of(dependencies).look(user_id)


async def take_back(dependencies: Dependencies, user_id: UUID) -> None:
    """Take the request back. Raises NotFound where there is none, or it has begun."""
    async with dependencies.pool.connection() as connection:
        if not await withdraw_erasure(connection, user_id):
            raise NotFound
