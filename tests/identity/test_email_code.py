"""Six digits by mail: five minutes, five tries, one a minute."""

import asyncio

import psycopg
import pytest

from database.connect import Pool
from identity.email_code import CodeRefused, confirm_code, resend_code, send_code
from identity.user import User, get_user
from tests.conftest import Database
from tests.identity.conftest import Desk
from tests.identity.mailbox import Mailbox

EMAIL = "amina@example.com"


async def create_with_code(desk: Desk, pool: Pool, mailbox: Mailbox) -> User:
    user = await desk.create(pool)
    assert await send_code(pool, user, mailbox.send, at=desk.at, random_bytes=desk.random.randbytes)
    return user


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_the_code_verifies_the_address_once(desk: Desk):
    async def scenario(pool: Pool) -> None:
        mailbox = Mailbox()
        user = await create_with_code(desk, pool, mailbox)
        assert await confirm_code(pool, "AMINA@example.com", mailbox.codes[0], at=desk.at) == user.id
        with pytest.raises(CodeRefused):
            await confirm_code(pool, EMAIL, mailbox.codes[0], at=desk.at)
        async with pool.connection() as connection:
            assert (await get_user(connection, user.id)).verified_at == desk.at

    desk.run(scenario)


def test_after_five_wrong_tries_the_right_code_is_refused(desk: Desk):
    async def scenario(pool: Pool) -> None:
        mailbox = Mailbox()
        await create_with_code(desk, pool, mailbox)
        for _ in range(5):
            with pytest.raises(CodeRefused):
                await confirm_code(pool, EMAIL, wrong(mailbox.codes[0]), at=desk.at)
        with pytest.raises(CodeRefused):
            await confirm_code(pool, EMAIL, mailbox.codes[0], at=desk.at)

    desk.run(scenario)


def test_parallel_guesses_share_the_five_tries(desk: Desk, database: Database):
    async def scenario(pool: Pool) -> None:
        mailbox = Mailbox()
        await create_with_code(desk, pool, mailbox)
        guesses = [confirm_code(pool, EMAIL, wrong(mailbox.codes[0]), at=desk.at) for _ in range(20)]
        outcomes = await asyncio.gather(*guesses, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {CodeRefused}
        with pytest.raises(CodeRefused):
            await confirm_code(pool, EMAIL, mailbox.codes[0], at=desk.at)

    desk.run(scenario)
    with psycopg.connect(database.owner_dsn) as connection:
        assert connection.execute("SELECT tries_left FROM email_codes").fetchone() == (0,)


def test_a_code_ends_after_five_minutes(desk: Desk):
    async def scenario(pool: Pool) -> None:
        mailbox = Mailbox()
        await create_with_code(desk, pool, mailbox)
        desk.wait(minutes=5)
        with pytest.raises(CodeRefused):
            await confirm_code(pool, EMAIL, mailbox.codes[0], at=desk.at)

    desk.run(scenario)


def test_a_new_code_ends_the_old_one_and_comes_once_a_minute(desk: Desk):
    async def scenario(pool: Pool) -> None:
        mailbox = Mailbox()
        user = await create_with_code(desk, pool, mailbox)
        await resend_code(pool, EMAIL, mailbox.send, at=desk.at, random_bytes=desk.random.randbytes)
        assert len(mailbox.codes) == 1
        desk.wait(minutes=1)
        await resend_code(pool, EMAIL, mailbox.send, at=desk.at, random_bytes=desk.random.randbytes)
        first, second = mailbox.codes
        assert first != second
        with pytest.raises(CodeRefused):
            await confirm_code(pool, EMAIL, first, at=desk.at)
        assert await confirm_code(pool, EMAIL, second, at=desk.at) == user.id

    desk.run(scenario)


def test_whether_an_address_is_known_stays_untold(desk: Desk):
    async def scenario(pool: Pool) -> None:
        mailbox = Mailbox()
        await resend_code(pool, EMAIL, mailbox.send, at=desk.at, random_bytes=desk.random.randbytes)
        assert mailbox.codes == []
        with pytest.raises(CodeRefused):
            await confirm_code(pool, EMAIL, "000000", at=desk.at)

    desk.run(scenario)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345\ud800", "١٢٣٤٥٦", "12345\n"])
def test_what_is_no_code_is_refused_and_costs_no_try(desk: Desk, code: str):
    async def scenario(pool: Pool) -> None:
        mailbox = Mailbox()
        user = await create_with_code(desk, pool, mailbox)
        for _ in range(6):
            with pytest.raises(CodeRefused):
                await confirm_code(pool, EMAIL, code, at=desk.at)
        assert await confirm_code(pool, EMAIL, mailbox.codes[0], at=desk.at) == user.id

    desk.run(scenario)
