"""Signing in under attack: few passwords are looked at, and whoever has been here before gets in."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from database.connect import Pool
from identity import sign_in as signing_in
from identity.housekeeping import clear_away
from identity.mail_ask import Asker
from identity.session import SignInRefused
from identity.sign_in import Caller
from identity.tries import TooManyTries
from tests.conftest import Database
from tests.identity.conftest import PASSWORD, Desk
from tests.identity.signing_in import KEY, attempt, check_looked_at, guess


@pytest.mark.guarantee("G19", faults="guesses from 200 addresses for ten minutes", runs="300 guesses")
def test_ten_minutes_of_guesses_from_200_addresses_cost_few_evaluations(desk: Desk):
    """Ten thousand guesses are spread over 600 seconds; here every 4th second, with as many as were looked at."""

    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        device = (await attempt(desk, pool, PASSWORD)).device_token
        evaluated = 0
        for second in range(0, 600, 4):
            outcomes = [await guess(desk, pool, second * 3 + n) for n in range(2)]
            evaluated += outcomes.count("sign_in_refused")
            desk.wait(seconds=4)
        assert 10 <= evaluated <= 40
        await attempt(desk, pool, PASSWORD, device=device)
        with pytest.raises(TooManyTries):
            await attempt(desk, pool, PASSWORD)

    desk.run(scenario)


def test_parallel_guesses_share_the_five(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        check_looked_at(await asyncio.gather(*[guess(desk, pool, n) for n in range(60)]), free=5)

    desk.run(scenario)


def test_the_right_password_ends_the_count_and_the_pause_ends_by_itself(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        for _ in range(3):
            for n in range(4):
                assert await guess(desk, pool, n) == "sign_in_refused"
            await attempt(desk, pool, PASSWORD)
        outcomes = [await guess(desk, pool, n) for n in range(6)]
        assert outcomes == ["sign_in_refused"] * 5 + ["too_many_tries"]
        desk.wait(seconds=5)
        await attempt(desk, pool, PASSWORD)

    desk.run(scenario)


def test_somebody_unknown_is_counted_like_somebody_known(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        known = [await guess(desk, pool, n) for n in range(7)]
        unknown = [await guess(desk, pool, n, "nobody@example.com") for n in range(7)]
        assert known == unknown

    desk.run(scenario)


def test_one_address_that_tries_many_accounts_is_slowed_and_honest_ones_are_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    """Fifty passwords are free for an address; here five, since looking at each takes its time."""
    assert signing_in.BY_ADDRESS.free == 50
    monkeypatch.setattr(signing_in, "BY_ADDRESS", replace(signing_in.BY_ADDRESS, free=5))

    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        for _ in range(6):
            await attempt(desk, pool, PASSWORD, "127.0.2.1")
        outcomes: list[str] = []
        for n in range(10):
            try:
                await attempt(desk, pool, "guess", "127.0.3.1", email=f"user{n}@example.com")
            except (SignInRefused, TooManyTries) as refusal:
                outcomes.append(refusal.code)
        assert outcomes == ["sign_in_refused"] * 5 + ["too_many_tries"] * 5
        await attempt(desk, pool, PASSWORD, "127.0.2.1")

    desk.run(scenario)


def test_a_request_that_read_its_clock_earlier_is_not_refused(desk: Desk):
    """Two people behind one address: the later reading may be written first."""

    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        await guess(desk, pool, 1)
        desk.at -= timedelta(milliseconds=3)
        await attempt(desk, pool, PASSWORD, "127.0.1.1")

    desk.run(scenario)


def test_a_clock_set_back_locks_nobody_out(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        outcomes = [await guess(desk, pool, n) for n in range(6)]
        assert outcomes[-1] == "too_many_tries"
        desk.at -= timedelta(days=8)
        await attempt(desk, pool, PASSWORD)

    desk.run(scenario)


def test_a_device_token_of_somebody_else_is_no_help(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        await desk.create(pool, "brian@example.com")
        foreign = (await attempt(desk, pool, PASSWORD, email="brian@example.com")).device_token
        for n in range(5):
            assert await guess(desk, pool, n) == "sign_in_refused"
        with pytest.raises(TooManyTries) as refusal:
            await attempt(desk, pool, PASSWORD, device=foreign)
        assert refusal.value.facts == {"retry_after_seconds": 5}

    desk.run(scenario)


def test_what_is_kept_tells_no_address_and_goes_away(desk: Desk, database: Database):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        for _ in range(25):
            await attempt(desk, pool, PASSWORD)
        await guess(desk, pool, 1)
        with psycopg.connect(database.superuser_dsn) as connection:
            rows = connection.execute("SELECT encode(bucket, 'escape') FROM tries").fetchall()
            assert len(rows) == 3
            assert not any("127.0" in text or "amina" in text for (text,) in rows)
            assert connection.execute("SELECT count(*) FROM known_devices").fetchone() == (20,)
        desk.at += timedelta(hours=2)
        assert await clear_away(pool, desk.clock) == (0, 0, 3)
        desk.at += timedelta(days=121)
        assert await clear_away(pool, desk.clock) == (25, 0, 0)

    desk.run(scenario)


def test_from_where_somebody_asks_and_by_which_key_it_is_counted_stands_in_no_repr() -> None:
    shown = repr([Caller(address="127.0.4.1", device_token="esd_1", key=KEY), Asker(address="127.0.4.1", key=KEY)])
    assert not [secret for secret in ("127.0.4.1", "esd_1", KEY.decode()) if secret in shown]
