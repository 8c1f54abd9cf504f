"""The mark of how far the log was acted upon: kept by several processes, and missed where it is gone."""

import asyncio
from pathlib import Path

import pytest

from database.connect import Pool
from eventstore.log import get_head
from reactions.watermark import FILE, LogState, LogWentBack, Mark, Watermark, read_mark
from tests.conftest import Database
from tests.reactions.world import World, run


class SlowWatermark(Watermark):
    """A process that is held up after it has looked how far the log is."""

    def __init__(self, pool: Pool, home: Path) -> None:
        super().__init__(pool, home)
        self.looked, self.go_on = asyncio.Event(), asyncio.Event()

    async def look(self) -> tuple[Mark | None, LogState]:
        found = await super().look()
        self.looked.set()
        await self.go_on.wait()
        return found


def test_a_process_that_looked_earlier_does_not_take_the_mark_of_another_back(
    database: Database, tmp_path: Path
) -> None:
    """API and worker keep one mark: lowered, it would not notice that the log forgot what came between the two."""

    async def story(world: World) -> None:
        await world.open()
        slow = SlowWatermark(world.pool, tmp_path)
        permitted = asyncio.create_task(slow.permit())
        await slow.looked.wait()
        await world.open()
        await Watermark(world.pool, tmp_path).permit()
        newest = read_mark(tmp_path / FILE)
        assert newest is not None
        assert newest.position == await get_head(world.pool)
        slow.go_on.set()
        await permitted
        assert read_mark(tmp_path / FILE) == newest

    run(database.app_dsn, story)


@pytest.mark.parametrize("content", [None, "", "[]", '{"log": "x", "position": "y", "leaf": "z"}'])
def test_a_log_that_was_followed_elsewhere_is_compared_first(
    database: Database, tmp_path: Path, content: str | None
) -> None:
    async def story(world: World) -> None:
        await world.open()
        watermark = Watermark(world.pool, tmp_path)
        await watermark.permit()
        async with world.pool.connection() as connection:
            await connection.execute("INSERT INTO reaction_checkpoints VALUES ('reactions', 1, now())")
        await watermark.permit()
        (tmp_path / FILE).unlink() if content is None else (tmp_path / FILE).write_text(content)
        with pytest.raises(LogWentBack):
            await watermark.permit()

    run(database.app_dsn, story)
