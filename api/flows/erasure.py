"""What erases people who asked for it: here they ask, the worker does it."""

from datetime import datetime, timedelta
from uuid import UUID

from api.dependencies import Dependencies
from api.files.stored_file import erase_files_of
from reactions.erasure import Eraser


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
