"""Whoever has a second factor keeps one, also when two are removed at once; one that serves nobody may go."""

import asyncio
from collections.abc import Awaitable
from uuid import UUID

import pytest

from database.connect import Pool
from identity import second_factor
from identity.second_factor import LastSecondFactor, get_second_factor, remove_key
from identity.security_key import store_security_key
from identity.user import User
from identity.webauthn import Registered
from tests.identity.conftest import Desk
from tests.waiting import is_blocked_or_over, until


async def add_keys(desk: Desk, pool: Pool, user: User, number: int) -> list[UUID]:
    made: list[UUID] = []
    async with pool.connection() as connection, connection.transaction():
        for name in map(str, range(number)):
            new = Registered(credential_id=name.encode(), credential=name.encode(), sign_count=1)
            key = await store_security_key(
                connection, user.id, name, new, at=desk.at, random_bytes=desk.random.randbytes
            )
            made.append(key.id)
    return made


async def remove(desk: Desk, pool: Pool, user: User, key_id: UUID) -> bool:
    try:
        async with pool.connection() as connection, connection.transaction():
            await remove_key(connection, user.id, key_id, at=desk.at)
    except LastSecondFactor:
        return False
    return True


async def count_keys(pool: Pool, user: User) -> int:
    async with pool.connection() as connection:
        return (await get_second_factor(connection, user.id)).security_keys


def remove_two_at_once(desk: Desk) -> tuple[bool, int]:
    """Whether the second of two keys could be removed before the commit of the first, and how many are left."""

    async def scenario(pool: Pool) -> tuple[bool, int]:
        user = await desk.create(pool)
        first, second = await add_keys(desk, pool, user, 2)
        async with pool.connection() as connection, connection.transaction():
            await remove_key(connection, user.id, first, at=desk.at)
            other = asyncio.create_task(remove(desk, pool, user, second))
            await until(lambda: is_blocked_or_over(pool, other))
        return await other, await count_keys(pool, user)

    return desk.run(scenario)


@pytest.mark.guarantee("G19", faults="two security keys are removed at once, the only second factors", runs="1")
def test_of_two_keys_that_are_removed_at_once_one_stays(desk: Desk) -> None:
    assert remove_two_at_once(desk) == (False, 1)


@pytest.mark.guarantee("G19", planted="two removals of security keys do not wait for each other")
def test_removals_that_do_not_wait_are_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def go_on(*_given: object) -> Awaitable[None]:
        return asyncio.sleep(0)

    monkeypatch.setattr(second_factor, "take_turn", go_on)
    assert remove_two_at_once(desk) == (True, 0)


def test_a_copied_key_can_be_removed_when_it_is_all_there_is_and_when_another_serves(desk: Desk) -> None:
    async def scenario(pool: Pool) -> None:
        user = await desk.create(pool)
        copied, serving = await add_keys(desk, pool, user, 2)
        async with pool.connection() as connection:
            await connection.execute("UPDATE security_keys SET copied_at = now() WHERE id = %s", (copied,))
        assert not await remove(desk, pool, user, serving)
        assert await remove(desk, pool, user, copied)
        async with pool.connection() as connection:
            await connection.execute("UPDATE security_keys SET copied_at = now()")
        assert await remove(desk, pool, user, serving), "it serves nobody, so nothing is lost with it"

    desk.run(scenario)
