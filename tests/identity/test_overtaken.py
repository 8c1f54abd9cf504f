"""A password that is changed while somebody signs in with it lets nobody in, and what only costs more does."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from database.connect import Pool
from identity import password, password_change, password_reset, sign_in
from identity.keypair import get_key_pair
from identity.known_device import is_known_device
from identity.session import SignInRefused, Tokens
from identity.user import User, verify_email
from tests.identity.conftest import PASSWORD, Desk, disable
from tests.identity.locksmiths import TODAY, make_locksmith
from tests.identity.mailbox import Mailbox
from tests.identity.signing_in import attempt
from tests.waiting import is_blocked_or_over, until
from vault.gate import Gate
from vault.locksmith import Locksmith

NEW = "a much better password"
LIVING = "SELECT id FROM sessions WHERE revoked_at IS NULL"

Replace = Callable[[Desk, Pool, User, Tokens], Coroutine[None, None, None]]


async def change(desk: Desk, pool: Pool, user: User, tokens: Tokens) -> None:
    """By somebody who is signed in and stays so."""
    await password_change.change_password(
        pool, desk.locksmith, user.id, PASSWORD, NEW, session_id=tokens.session_id, at=desk.at
    )


async def reset(desk: Desk, pool: Pool, user: User, _tokens: Tokens) -> None:
    """By somebody with the mailbox."""
    mailbox = Mailbox()

    async def prove(_connection: object) -> None:
        """There is no second factor."""

    async with pool.connection() as connection:
        await verify_email(connection, user.id, desk.at)
    await password_reset.send_reset(pool, user.email or "", mailbox.send, at=desk.at, random_bytes=os.urandom)
    async with pool.connection() as connection:
        key_pair = await get_key_pair(connection, user.id)
    made = await desk.locksmith.enrol(user.id, NEW, key_version=key_pair.key_version + 1)
    await password_reset.finish_reset(pool, mailbox.codes[-1], key_pair, made, prove, at=desk.at)


def interrupt(desk: Desk, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Awaitable[None]]) -> None:
    """Let something happen once a password was looked at and found right, and before there is a session."""
    look = desk.locksmith.admits
    begun: list[bool] = []

    async def admits(*given: object) -> bool:
        admitted = await look(*given)  # type: ignore[arg-type]
        if not begun:
            begun.append(True)
            await meanwhile()
        return admitted

    monkeypatch.setattr(desk.locksmith, "admits", admits)


async def living(pool: Pool) -> list[object]:
    async with pool.connection() as connection:
        return [row[0] for row in await (await connection.execute(LIVING)).fetchall()]


def sign_in_during(desk: Desk, replace: Replace, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The sessions after the password was replaced between its check and the session; the owner's is the first."""

    async def scenario(pool: Pool) -> list[object]:
        user, tokens = await desk.create(pool), await desk.sign_in(pool)
        interrupt(desk, monkeypatch, lambda: replace(desk, pool, user, tokens))
        with pytest.raises(SignInRefused):
            await desk.sign_in(pool)
        await desk.sign_in(pool, password=NEW)
        return await living(pool)

    return desk.run(scenario)


@pytest.mark.parametrize(("replace", "sessions"), [(change, 2), (reset, 1)])
def test_a_password_that_was_replaced_since_it_was_checked_lets_nobody_in(
    desk: Desk, replace: Replace, sessions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(sign_in_during(desk, replace, monkeypatch)) == sessions


def sign_in_before_the_commit(
    desk: Desk, replace: Replace, monkeypatch: pytest.MonkeyPatch
) -> tuple[Tokens | BaseException, int]:
    """What becomes of a sign-in with the old password while the new one is written, and how many sessions there are."""
    module = password_change if replace is change else password_reset
    written, may_commit = asyncio.Event(), asyncio.Event()

    async def pause(*_given: object, **_facts: object) -> None:
        written.set()
        await may_commit.wait()

    async def scenario(pool: Pool) -> tuple[Tokens | BaseException, int]:
        user, tokens = await desk.create(pool), await desk.sign_in(pool)
        monkeypatch.setattr(module, "tell_user", pause)
        replacing = asyncio.create_task(replace(desk, pool, user, tokens))
        await written.wait()
        signing_in = asyncio.create_task(desk.sign_in(pool))
        await until(lambda: is_blocked_or_over(pool, signing_in))
        may_commit.set()
        await replacing
        (outcome,) = await asyncio.gather(signing_in, return_exceptions=True)
        return outcome, len(await living(pool))

    return desk.run(scenario)


@pytest.mark.guarantee("G19", faults="a sign-in with the old password while it is changed or reset", runs="2")
@pytest.mark.parametrize(("replace", "sessions"), [(change, 1), (reset, 0)])
def test_a_sign_in_waits_for_the_password_that_is_being_replaced(
    desk: Desk, replace: Replace, sessions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome, number = sign_in_before_the_commit(desk, replace, monkeypatch)
    assert (type(outcome), number) == (SignInRefused, sessions)


@pytest.mark.guarantee("G19", planted="a sign-in does not wait for the change of the password that is being made")
def test_a_sign_in_that_does_not_wait_is_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def go_on(*_given: object) -> None:
        """Nobody waits."""

    monkeypatch.setattr(password, "take_turn", go_on)
    assert isinstance(sign_in_before_the_commit(desk, change, monkeypatch)[0], Tokens)


def test_a_password_that_was_reset_before_the_device_was_remembered_leaves_no_device_behind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(pool: Pool) -> None:
        user, tokens = await desk.create(pool), await desk.sign_in(pool)

        async def be_overtaken(*_given: object, **_facts: object) -> None:
            await reset(desk, pool, user, tokens)

        monkeypatch.setattr(sign_in, "raise_cost", be_overtaken)
        with pytest.raises(SignInRefused):
            await attempt(desk, pool, PASSWORD)
        async with pool.connection() as connection:
            assert await (await connection.execute("SELECT count(*) FROM known_devices")).fetchone() == (0,)
        assert await living(pool) == []

    desk.run(scenario)


def test_a_cost_that_was_raised_since_the_check_keeps_nobody_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(pool: Pool) -> None:
        user, gate = await desk.create(pool), Gate()
        later: Locksmith = make_locksmith(gate, TODAY)

        async def raise_cost() -> None:
            assert await password_change.raise_cost(pool, later, user.id, PASSWORD, at=desk.at)

        interrupt(desk, monkeypatch, raise_cost)
        await desk.sign_in(pool)
        gate.close()

    desk.run(scenario)


def test_a_reset_waits_for_a_cost_that_is_being_raised_and_neither_ends_the_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(pool: Pool) -> None:
        (user, tokens), gate = (await desk.create(pool), await desk.sign_in(pool)), Gate()
        begun, rewrap = asyncio.Event(), password_change.rewrap_key_pair

        async def rewrap_late(*given: Any) -> None:
            begun.set()
            await until(lambda: is_blocked_or_over(pool, resetting))
            await rewrap(*given)

        async def reset_meanwhile() -> None:
            await begun.wait()
            await reset(desk, pool, user, tokens)

        monkeypatch.setattr(password_change, "rewrap_key_pair", rewrap_late)
        resetting = asyncio.create_task(reset_meanwhile())
        later: Locksmith = make_locksmith(gate, TODAY)
        assert await password_change.raise_cost(pool, later, user.id, PASSWORD, at=desk.at)
        await resetting
        await attempt(desk, pool, NEW)
        gate.close()

    desk.run(scenario)


def test_a_device_is_a_stranger_after_the_password_was_changed(desk: Desk) -> None:
    async def scenario(pool: Pool) -> None:
        user, tokens = await desk.create(pool), await desk.sign_in(pool)
        device = (await attempt(desk, pool, PASSWORD)).device_token
        await change(desk, pool, user, tokens)
        async with pool.connection() as connection:
            assert not await is_known_device(connection, user.id, device)

    desk.run(scenario)


def test_somebody_who_was_disabled_since_the_check_is_not_let_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(pool: Pool) -> None:
        user = await desk.create(pool)

        async def lock() -> None:
            async with pool.connection() as connection, connection.transaction():
                await disable(connection, user.id, desk.at)

        interrupt(desk, monkeypatch, lock)
        with pytest.raises(SignInRefused):
            await desk.sign_in(pool)
        assert await living(pool) == []

    desk.run(scenario)
