"""A full queue turns sign-ins away before the database hears of them, and known devices have places of their own."""

import os
from contextlib import ExitStack, nullcontext

import pytest

from database.connect import Pool
from identity.known_device import Voucher
from identity.sign_in import SignedIn
from identity.token import DEVICE, make_token
from identity.user import NewUser, register
from tests.identity.conftest import PASSWORD, Desk
from tests.identity.signing_in import EMAIL, KEY, attempt
from vault.door import KEPT, Door
from vault.gate import QUEUE, Gate, TooManySignIns, count_workers
from vault.locksmith import Locksmith

STRANGERS = count_workers() + QUEUE - KEPT


def connections_taken(pool: Pool) -> int:
    """How often anybody has asked for one."""
    return pool.get_stats().get("requests_num", 0)


async def is_turned_away(desk: Desk, pool: Pool, device: str | None = None) -> bool:
    """Whether a sign-in with the right password is; then the database was asked nothing."""
    before = connections_taken(pool)
    try:
        await attempt(desk, pool, PASSWORD, device=device)
    except TooManySignIns:
        assert connections_taken(pool) == before
        return True
    assert connections_taken(pool) > before
    return False


def fill(desk: Desk, stack: ExitStack) -> None:
    for _ in range(STRANGERS):
        stack.enter_context(desk.locksmith.enter(None))


def turned_away_at_a_full_door(desk: Desk) -> list[bool]:
    """Who is: a stranger, somebody with a made-up token, one with another's, a known device, and a stranger later."""

    async def scenario(pool: Pool) -> list[bool]:
        await desk.create(pool)
        await desk.create(pool, "brian@example.com")
        mine = (await attempt(desk, pool, PASSWORD)).device_token
        other: SignedIn = await attempt(desk, pool, PASSWORD, email="brian@example.com")
        devices = (None, make_token(DEVICE, os.urandom), other.device_token, "esd_", mine)
        with ExitStack() as stack:
            fill(desk, stack)
            outcomes = [await is_turned_away(desk, pool, device) for device in devices]
        return [*outcomes, await is_turned_away(desk, pool)]

    return desk.run(scenario)


@pytest.mark.guarantee("G19", faults="a full queue of sign-ins, and tokens that are made up or another's", runs="6")
def test_a_full_queue_turns_strangers_away_before_any_statement_and_known_devices_not(desk: Desk) -> None:
    assert turned_away_at_a_full_door(desk) == [True, True, True, True, False, False]


@pytest.mark.guarantee("G19", planted="nobody stands at the door, and the database is asked first")
def test_a_door_that_lets_everybody_in_is_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Locksmith, "enter", lambda *_: nullcontext())
    assert not any(turned_away_at_a_full_door(desk))


def test_whoever_registers_stands_in_the_same_queue_and_the_database_hears_of_nobody_too_many(desk: Desk) -> None:
    async def scenario(pool: Pool) -> None:
        new = NewUser(email=EMAIL, display_name="Amina", legal_name="Amina Otieno")
        with ExitStack() as stack:
            fill(desk, stack)
            with pytest.raises(TooManySignIns):
                await register(pool, desk.locksmith, new, PASSWORD, at=desk.at, random_bytes=os.urandom)
        assert connections_taken(pool) == 0
        await register(pool, desk.locksmith, new, PASSWORD, at=desk.at, random_bytes=os.urandom)
        assert not await is_turned_away(desk, pool)

    desk.run(scenario)


def test_a_known_device_that_is_not_vouched_for_any_more_gets_another_token_and_nobody_a_message(desk: Desk) -> None:
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        old = (await attempt(desk, pool, PASSWORD, key=b"o" * 32)).device_token
        new = (await attempt(desk, pool, PASSWORD, device=old)).device_token
        assert Voucher(key=KEY, account=EMAIL).covers(new)
        assert (await attempt(desk, pool, PASSWORD, device=new)).device_token == new
        async with pool.connection() as connection:
            told = await connection.execute("SELECT count(*) FROM notification_queue WHERE template = 'new_sign_in'")
            assert await told.fetchone() == (0,)

    desk.run(scenario)


def test_one_device_has_one_kept_place_and_all_of_them_five() -> None:
    door = Door(STRANGERS + KEPT)
    with ExitStack() as stack:
        for _ in range(STRANGERS):
            stack.enter_context(door.enter(None))
        stack.enter_context(door.enter(b"one"))
        with pytest.raises(TooManySignIns):
            stack.enter_context(door.enter(b"one"))
        for number in range(KEPT - 1):
            stack.enter_context(door.enter(bytes([number])))
        with pytest.raises(TooManySignIns):
            stack.enter_context(door.enter(b"the sixth"))
    with door.enter(None), door.enter(b"one"):
        pass


def test_a_place_is_free_again_when_a_sign_in_fails_and_a_small_gate_keeps_one_for_strangers() -> None:
    door = Door(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), door.enter(None):
            raise ZeroDivisionError
    gate = Gate(workers=2, queue=3)
    assert gate.places == 5
    gate.close()


@pytest.mark.parametrize("token", ["", "esd_", "esd_" + "_" * 43, "esr_" + "A" * 43, "esd_" + "é" * 43, "x" * 200])
def test_a_token_that_was_not_made_here_is_vouched_for_by_nobody(token: str) -> None:
    assert not Voucher(key=KEY, account=EMAIL).covers(token)


def test_a_token_is_vouched_for_under_its_key_and_its_account_alone() -> None:
    token = make_token(DEVICE, lambda _size: Voucher(key=KEY, account=EMAIL).make_body(os.urandom))
    assert Voucher(key=KEY, account=EMAIL).covers(token)
    assert not Voucher(key=KEY, account="brian@example.com").covers(token)
    assert not Voucher(key=bytes(32), account=EMAIL).covers(token)
    assert not Voucher(key=KEY, account="\ud800").covers(token)
