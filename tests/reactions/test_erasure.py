"""Erasing goes on for as long as the worker does: what cannot be done now is tried again."""

import asyncio
import os
from datetime import datetime, timedelta
from uuid import UUID

from database.connect import open_pool
from gateways.objects import StorageUnavailable
from identity.erasure import find_erasure, request_erasure, withdraw_erasure
from identity.session import Lifetimes, is_going_on, start_session
from identity.user import get_user
from reactions.erasure import Eraser
from tests.conftest import Database
from tests.reactions.working import fold
from tests.reactions.world import World, run


class Rounds:
    """Counts the pauses of an eraser, and takes none; after so many it ends."""

    def __init__(self, most: int) -> None:
        self._left = most

    async def sleep(self, _seconds: float) -> None:
        self._left -= 1
        if not self._left:
            raise asyncio.CancelledError


def test_a_database_that_is_away_does_not_end_it(database: Database) -> None:
    async def story(world: World) -> None:
        pool = open_pool(database.app_dsn, max_size=1)  # nobody opens it
        eraser = Eraser(pool=pool, clock=world.clock, retention=timedelta(0), erase_files=forget, sleep=Rounds(3).sleep)
        assert await ended(eraser) == "cancelled"

    run(database.app_dsn, story)


def test_files_that_cannot_be_deleted_hold_up_nobody_else(database: Database) -> None:
    async def story(world: World) -> None:
        first, second = world.buyer.id, world.seller.id

        async def erase_files(user_id: UUID, _at: datetime) -> None:
            if user_id == first:
                raise StorageUnavailable

        await ask_for_erasure(world, first, second)
        fold(database)
        eraser = Eraser(
            pool=world.pool, clock=world.clock, retention=timedelta(0), erase_files=erase_files, sleep=Rounds(9).sleep
        )
        assert await ended(eraser) == "cancelled"
        async with world.pool.connection() as connection:
            found = [await find_erasure(connection, user_id) for user_id in (first, second)]
        assert [erasure is not None and erasure.erased_at is not None for erasure in found] == [False, True]

    run(database.app_dsn, story)


def test_who_takes_the_request_back_while_others_are_erased_keeps_everything(database: Database) -> None:
    async def story(world: World) -> None:
        first, second, emptied = world.buyer.id, world.seller.id, list[UUID]()
        await ask_for_erasure(world, first, second)

        async def withdraw(_seconds: float) -> None:
            async with world.pool.connection() as connection:
                await withdraw_erasure(connection, second)

        async def erase_files(user_id: UUID, _at: datetime) -> None:
            emptied.append(user_id)

        fold(database)
        async with world.pool.connection() as connection, connection.transaction():
            tokens = await start_session(
                connection, second, at=world.at, random_bytes=os.urandom, lifetimes=Lifetimes()
            )
        eraser = Eraser(
            pool=world.pool, clock=world.clock, retention=timedelta(0), erase_files=erase_files, sleep=withdraw
        )
        assert await eraser.erase_all() == emptied == [first]
        async with world.pool.connection() as connection:
            assert (await get_user(connection, second)).email is not None
            assert await is_going_on(connection, tokens.session_id)

    run(database.app_dsn, story)


async def ask_for_erasure(world: World, *user_ids: UUID) -> None:
    """One after the other."""
    async with world.pool.connection() as connection:
        for user_id in user_ids:
            await request_erasure(connection, user_id, world.at)
            world.wait(seconds=1)


async def forget(_user_id: UUID, _at: datetime) -> None:
    """There are no files."""


async def ended(eraser: Eraser) -> str:
    """How an eraser that runs for ever came to its end."""
    try:
        await eraser.run()
    except asyncio.CancelledError:
        return "cancelled"
    return "returned"
