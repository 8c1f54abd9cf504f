"""A number is verified by a code that was sent to it, and by none that was on its way to another."""

import asyncio

import pytest

from database.connect import Pool
from identity import phone
from identity.email_code import CodeRefused
from identity.phone import Phone, confirm_phone, get_phone, send_phone_code, set_phone
from identity.user import User
from tests.identity.conftest import Desk
from tests.identity.mailbox import Mailbox
from tests.waiting import is_blocked_or_over, until

MINE, OTHER = "+254700000001", "+254700000002"


async def choose(desk: Desk, pool: Pool, user: User, number: str) -> None:
    async with pool.connection() as connection, connection.transaction():
        await set_phone(connection, user.id, number, at=desk.at)


async def send(desk: Desk, pool: Pool, user: User, mailbox: Mailbox) -> bool:
    return await send_phone_code(pool, user.id, mailbox.send, at=desk.at, random_bytes=desk.random.randbytes)


async def look(pool: Pool, user: User) -> Phone:
    async with pool.connection() as connection:
        return await get_phone(connection, user.id)


def test_a_code_for_a_number_that_was_replaced_meanwhile_is_neither_kept_nor_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = phone.count_try

    async def scenario(pool: Pool) -> None:
        user, mailbox = await desk.create(pool), Mailbox()
        await choose(desk, pool, user, MINE)

        async def count_and_replace(*given: object, **facts: object) -> None:
            await count(*given, **facts)  # type: ignore[arg-type]
            await choose(desk, pool, user, OTHER)

        with monkeypatch.context() as patch:
            patch.setattr(phone, "count_try", count_and_replace)
            assert not await send(desk, pool, user, mailbox)
        assert mailbox.codes == []
        assert await send(desk, pool, user, mailbox), "the one for the new number does not have to wait"
        await confirm_phone(pool, user.id, mailbox.codes[0], at=desk.at)
        assert await look(pool, user) == Phone(number=OTHER, verified_at=desk.at)

    desk.run(scenario)


@pytest.mark.parametrize("step", ["send", "confirm"])
def test_a_code_waits_for_the_number_that_is_being_set(desk: Desk, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written, may_commit = asyncio.Event(), asyncio.Event()

    async def pause(*_given: object, **_facts: object) -> None:
        written.set()
        await may_commit.wait()

    async def go_on(pool: Pool, user: User, mailbox: Mailbox) -> bool:
        if step == "send":
            return await send(desk, pool, user, mailbox)
        try:
            await confirm_phone(pool, user.id, mailbox.codes[0], at=desk.at)
        except CodeRefused:
            return False
        return True

    async def scenario(pool: Pool) -> None:
        user, mailbox = await desk.create(pool), Mailbox()
        await choose(desk, pool, user, MINE)
        assert await send(desk, pool, user, mailbox)
        desk.wait(minutes=2)
        monkeypatch.setattr(phone, "tell_user", pause)
        setting = asyncio.create_task(choose(desk, pool, user, OTHER))
        await written.wait()
        going_on = asyncio.create_task(go_on(pool, user, mailbox))
        await until(lambda: is_blocked_or_over(pool, going_on))
        may_commit.set()
        assert not (await asyncio.gather(going_on, setting))[0]
        assert len(mailbox.codes) == 1
        with pytest.raises(CodeRefused):
            await confirm_phone(pool, user.id, mailbox.codes[0], at=desk.at)
        assert await look(pool, user) == Phone(number=OTHER, verified_at=None)

    desk.run(scenario)


def test_two_who_set_and_confirm_at_once_do_not_wait_for_each_other(desk: Desk) -> None:
    async def scenario(pool: Pool) -> None:
        user, mailbox = await desk.create(pool), Mailbox()
        for number in (MINE, OTHER) * 4:
            await choose(desk, pool, user, number)
            assert await send(desk, pool, user, mailbox)
            other = OTHER if number == MINE else MINE
            outcomes = await asyncio.gather(
                choose(desk, pool, user, other),
                confirm_phone(pool, user.id, mailbox.codes[-1], at=desk.at),
                return_exceptions=True,
            )
            assert outcomes[0] is None
            assert outcomes[1] is None or isinstance(outcomes[1], CodeRefused)
            assert await look(pool, user) == Phone(number=other, verified_at=None)
            desk.wait(hours=1, minutes=10)

    desk.run(scenario)


def test_a_number_stands_in_no_repr() -> None:
    assert MINE not in repr(Phone(number=MINE, verified_at=None))
