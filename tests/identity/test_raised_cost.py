"""What a password is checked with becomes as costly as today when its owner signs in, and opens what it opened."""

import asyncio
from collections.abc import Generator
from random import Random

import pytest

from database.connect import Pool
from domain.errors import VersionConflict
from identity import password_change
from identity.keypair import get_key_pair
from identity.password import Password, get_password
from tests.identity.conftest import PASSWORD, Desk
from tests.identity.locksmiths import TODAY, make_locksmith
from tests.identity.signing_in import attempt
from vault.gate import Gate


@pytest.fixture
def later(desk: Desk) -> Generator[Desk]:
    """The same desk after the costs were raised."""
    gate = Gate()
    locksmith = make_locksmith(gate, TODAY)
    yield Desk(desk.dsn, locksmith, Random(8))
    gate.close()


async def look(desk: Desk, pool: Pool, email: str = "amina@example.com") -> tuple[Password, bytes]:
    """The record, and the private key that the password opens with it."""
    async with pool.connection() as connection:
        row = await (await connection.execute("SELECT id FROM users WHERE email = %s", (email,))).fetchone()
        assert row is not None
        stored, key_pair = await get_password(connection, row[0]), await get_key_pair(connection, row[0])
    return stored, (await desk.locksmith.open_private_key(PASSWORD, stored, key_pair)).reveal()


def test_a_sign_in_raises_the_cost_once_and_the_same_key_opens(desk: Desk, later: Desk) -> None:
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        before, key = await look(desk, pool)
        await attempt(desk, pool, PASSWORD)
        assert (await look(desk, pool))[0] == before
        await attempt(later, pool, PASSWORD)
        after, same = await look(later, pool)
        assert same == key
        assert (after.memory_kib, after.iterations) == (20 * 1024, 3)
        assert after.salt != before.salt
        await attempt(later, pool, PASSWORD)
        await attempt(desk, pool, PASSWORD)
        assert (await look(later, pool))[0] == after, "neither again, nor back to less"

    desk.run(scenario)


def test_sign_ins_at_once_are_all_let_in_and_one_raises_it(desk: Desk, later: Desk) -> None:
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        _, key = await look(desk, pool)
        await asyncio.gather(*[attempt(later, pool, PASSWORD) for _ in range(4)])
        after, same = await look(later, pool)
        assert (after.iterations, same) == (3, key)

    desk.run(scenario)


def test_what_is_interrupted_half_way_has_not_happened(
    desk: Desk, later: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = password_change._replace

    async def half(*given: object) -> None:
        await whole(*given)  # type: ignore[arg-type]
        raise VersionConflict

    monkeypatch.setattr(password_change, "_replace", half)

    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        before = await look(desk, pool)
        await attempt(later, pool, PASSWORD)
        assert await look(desk, pool) == before

    desk.run(scenario)


def test_a_row_that_somebody_holds_keeps_nobody_out(desk: Desk, later: Desk) -> None:
    """A backup or an operator holds it longer than a statement waits."""

    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        before = await look(desk, pool)
        async with pool.connection() as holder:
            await holder.execute("SELECT FROM user_passwords FOR UPDATE")
            await attempt(later, pool, PASSWORD)
        assert await look(desk, pool) == before

    desk.run(scenario)
