"""Sessions: opaque tokens, hashed at rest, replaced on refresh, ended by reuse and logout."""

import asyncio
import time

import psycopg
import pytest

from database.connect import Pool
from database.errors import DatabaseUnavailable
from domain.actor import Role
from identity.authenticator import Authenticator, Session
from identity.role import change_roles
from identity.session import (
    NotSignedIn,
    SignInRefused,
    Tokens,
    delete_ended_sessions,
    logout,
    refresh,
)
from tests.conftest import Database
from tests.identity.conftest import PASSWORD, Desk
from tests.waiting import count_blocked, until


async def renew(desk: Desk, pool: Pool, token: str) -> Tokens:
    return await refresh(pool, token, at=desk.at, random_bytes=desk.random.randbytes, lifetimes=desk.lifetimes)


async def is_signed_in(desk: Desk, pool: Pool, token: str) -> bool:
    try:
        await Authenticator(pool, desk.clock).authenticate(token)
    except NotSignedIn:
        return False
    return True


def test_a_session_says_who_it_is_and_what_they_may_do(desk: Desk):
    async def scenario(pool: Pool) -> None:
        user, tokens = await desk.create(pool), await desk.sign_in(pool, " AMINA@example.com")
        session = await Authenticator(pool, desk.clock).authenticate(tokens.access_token)
        assert session == Session(
            id=tokens.session_id,
            user_id=user.id,
            roles=frozenset({Role.BUYER, Role.SELLER}),
            is_verified=False,
            expires_at=tokens.access_expires_at,
        )

    desk.run(scenario)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("amina@example.com", "another password"),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("amina@example.com", " "),
    ],
)
def test_wrong_password_and_unknown_user_are_refused_alike(desk: Desk, email: str, password: str):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        with pytest.raises(SignInRefused) as refused:
            await desk.sign_in(pool, email, password)
        assert (refused.value.status, dict(refused.value.facts)) == (401, {})

    desk.run(scenario)


def test_an_unknown_user_takes_as_long_as_a_wrong_password(desk: Desk):
    async def scenario(pool: Pool) -> tuple[float, float]:
        await desk.create(pool)
        await desk.sign_in(pool)
        return await fastest(pool, "amina@example.com"), await fastest(pool, "nobody@example.com")

    async def fastest(pool: Pool, email: str) -> float:
        times: list[float] = []
        for _ in range(6):
            started = time.process_time()
            with pytest.raises(SignInRefused):
                await desk.sign_in(pool, email, "a wrong password")
            times.append(time.process_time() - started)
        return min(times)

    known, unknown = desk.run(scenario)
    assert 0.6 < unknown / known < 1.6


def test_tokens_are_kept_as_hashes_only(desk: Desk, database: Database):
    async def scenario(pool: Pool) -> Tokens:
        await desk.create(pool)
        return await desk.sign_in(pool)

    tokens = desk.run(scenario)
    assert tokens.access_token.startswith("esc_")
    assert tokens.access_token not in repr(tokens)
    assert tokens.refresh_token not in repr(tokens)
    with psycopg.connect(database.owner_dsn) as connection:
        for query in ("SELECT a::text FROM access_tokens AS a", "SELECT r::text FROM refresh_tokens AS r"):
            kept = str(connection.execute(query).fetchall())
            assert tokens.access_token[4:] not in kept
            assert tokens.refresh_token[4:] not in kept


@pytest.mark.parametrize(
    "token", ["", "esc_", "esc_" + "A" * 43, "esc_" + "A" * 42, "esc_" + "é" * 43, "x" * 10_000, "\ud800"]
)
def test_what_is_no_token_is_refused(desk: Desk, token: str):
    assert not desk.run(lambda pool: is_signed_in(desk, pool, token))


def test_a_refresh_token_is_no_access_token_and_the_other_way_round(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        tokens = await desk.sign_in(pool)
        assert not await is_signed_in(desk, pool, tokens.refresh_token)
        assert not await is_signed_in(desk, pool, "esc_" + tokens.refresh_token[4:])
        with pytest.raises(NotSignedIn):
            await renew(desk, pool, "esr_" + tokens.access_token[4:])

    desk.run(scenario)


def test_an_access_token_lasts_fifteen_minutes(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        tokens = await desk.sign_in(pool)
        desk.wait(minutes=14, seconds=59)
        assert await is_signed_in(desk, pool, tokens.access_token)
        desk.wait(seconds=1)
        assert not await is_signed_in(desk, pool, tokens.access_token)

    desk.run(scenario)


def test_an_expired_token_is_not_remembered_either(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        tokens = await desk.sign_in(pool)
        authenticator = Authenticator(pool, desk.clock, monotonic=lambda: 0.0)
        desk.wait(minutes=14, seconds=59)
        await authenticator.authenticate(tokens.access_token)
        desk.wait(seconds=1)
        with pytest.raises(NotSignedIn):
            await authenticator.authenticate(tokens.access_token)

    desk.run(scenario)


def test_a_refresh_gives_new_tokens_and_ends_the_old_ones(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        first = await desk.sign_in(pool)
        second = await renew(desk, pool, first.refresh_token)
        assert second.session_id == first.session_id
        assert not await is_signed_in(desk, pool, first.access_token)
        assert await is_signed_in(desk, pool, second.access_token)

    desk.run(scenario)


def test_showing_a_used_refresh_token_ends_the_whole_family(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        other = await desk.sign_in(pool)
        first = await desk.sign_in(pool)
        second = await renew(desk, pool, first.refresh_token)
        third = await renew(desk, pool, second.refresh_token)
        desk.wait(seconds=2)
        with pytest.raises(NotSignedIn):
            await renew(desk, pool, first.refresh_token)
        assert await is_signed_in(desk, pool, third.access_token)
        desk.wait(seconds=1)
        with pytest.raises(NotSignedIn):
            await renew(desk, pool, first.refresh_token)
        assert not await is_signed_in(desk, pool, third.access_token)
        with pytest.raises(NotSignedIn):
            await renew(desk, pool, third.refresh_token)
        assert await is_signed_in(desk, pool, other.access_token)

    desk.run(scenario)


def test_concurrent_refreshes_give_one_successor(desk: Desk, database: Database):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        for _ in range(10):
            tokens = await desk.sign_in(pool)
            outcomes = await asyncio.gather(
                *(renew(desk, pool, tokens.refresh_token) for _ in range(20)), return_exceptions=True
            )
            assert len([outcome for outcome in outcomes if isinstance(outcome, Tokens)]) == 1
            assert len([outcome for outcome in outcomes if isinstance(outcome, NotSignedIn)]) == 19

    desk.run(scenario)
    with psycopg.connect(database.owner_dsn) as connection:
        assert connection.execute("SELECT count(*) FROM refresh_tokens").fetchone() == (20,)


def test_a_twin_request_that_was_merely_slower_does_not_end_the_session(desk: Desk, database: Database):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        tokens = await desk.sign_in(pool)
        with psycopg.connect(database.owner_dsn) as blocker:
            blocker.execute("SELECT FROM refresh_tokens FOR UPDATE")
            twins = [asyncio.create_task(renew(desk, pool, tokens.refresh_token)) for _ in range(2)]
            await until(lambda: count_blocked(pool), lambda blocked: blocked == len(twins))
            blocker.rollback()
        outcomes = await asyncio.gather(*twins, return_exceptions=True)
        (winner,) = [outcome for outcome in outcomes if isinstance(outcome, Tokens)]
        assert await is_signed_in(desk, pool, winner.access_token)

    desk.run(scenario)


def test_a_refresh_token_ends_after_thirty_days_and_a_session_after_ninety(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        idle, busy = await desk.sign_in(pool), await desk.sign_in(pool)
        for _ in range(3):
            desk.wait(days=29)
            busy = await renew(desk, pool, busy.refresh_token)
        with pytest.raises(NotSignedIn):
            await renew(desk, pool, idle.refresh_token)
        desk.wait(days=3)
        with pytest.raises(NotSignedIn):
            await renew(desk, pool, busy.refresh_token)

    desk.run(scenario)


def test_logout_ends_the_session_and_only_that(desk: Desk):
    async def scenario(pool: Pool) -> None:
        user = await desk.create(pool)
        mine, other = await desk.sign_in(pool), await desk.sign_in(pool)
        authenticator = Authenticator(pool, desk.clock)
        await authenticator.authenticate(mine.access_token)
        for _ in range(2):
            async with pool.connection() as connection:
                await logout(connection, mine.session_id, desk.at)
        authenticator.forget(user.id)
        with pytest.raises(NotSignedIn):
            await authenticator.authenticate(mine.access_token)
        with pytest.raises(NotSignedIn):
            await renew(desk, pool, mine.refresh_token)
        assert await is_signed_in(desk, pool, other.access_token)

    desk.run(scenario)


def test_a_change_of_roles_is_seen_at_the_next_request(desk: Desk):
    async def scenario(pool: Pool) -> None:
        user, tokens = await desk.create(pool), await desk.sign_in(pool)
        authenticator = Authenticator(pool, desk.clock)
        assert Role.ADMIN not in (await authenticator.authenticate(tokens.access_token)).roles
        async with pool.connection() as connection:
            await change_roles(connection, user.id, grant={Role.ADMIN}, revoke=set(), at=desk.at)
        authenticator.forget(user.id)
        session = await authenticator.authenticate(tokens.access_token)
        assert (Role.ADMIN in session.roles, session.withheld) == (False, {Role.ADMIN})
        for method, is_staff in (("mailed_code", False), ("recovery_code", True), ("totp", True)):
            async with pool.connection() as connection:
                row = (desk.at, method, tokens.session_id)
                await connection.execute("UPDATE sessions SET confirmed_at = %s, confirmed_by = %s WHERE id = %s", row)
            authenticator.forget(user.id)
            assert (Role.ADMIN in (await authenticator.authenticate(tokens.access_token)).roles) is is_staff, method

    desk.run(scenario)


def test_a_session_is_remembered_for_one_second_at_most(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        tokens, now = await desk.sign_in(pool), 0.0
        authenticator = Authenticator(pool, desk.clock, monotonic=lambda: now)
        await authenticator.authenticate(tokens.access_token)
        async with pool.connection() as connection:
            await logout(connection, tokens.session_id, desk.at)
        now = 0.99
        await authenticator.authenticate(tokens.access_token)
        now = 1.0
        with pytest.raises(NotSignedIn):
            await authenticator.authenticate(tokens.access_token)

    desk.run(scenario)


def test_an_answer_serves_for_one_more_request_and_no_further(desk: Desk):
    async def scenario(pool: Pool) -> list[bool]:
        await desk.create(pool)
        tokens = await desk.sign_in(pool)
        here = Authenticator(pool, desk.clock, monotonic=lambda: 0.0)
        await here.authenticate(tokens.access_token)
        async with pool.connection() as connection:
            await logout(connection, tokens.session_id, desk.at)
        answers = await asyncio.gather(
            *[here.authenticate(tokens.access_token) for _ in range(6)], return_exceptions=True
        )
        return [isinstance(answer, Session) for answer in answers]

    assert desk.run(scenario) == [True, False, False, False, False, False]


def test_every_other_request_is_answered_from_memory(desk: Desk):
    async def scenario(pool: Pool) -> int:
        await desk.create(pool)
        tokens = await desk.sign_in(pool)
        authenticator = Authenticator(pool, desk.clock)
        before = pool.get_stats()["requests_num"]
        for _ in range(20):
            await authenticator.authenticate(tokens.access_token)
        return pool.get_stats()["requests_num"] - before

    assert desk.run(scenario) == 10


def test_an_answer_that_was_on_its_way_during_forget_is_not_remembered(desk: Desk):
    async def scenario(pool: Pool) -> None:
        user, tokens = await desk.create(pool), await desk.sign_in(pool)
        authenticator = Authenticator(pool, desk.clock, monotonic=lambda: 0.0)
        asking = asyncio.create_task(authenticator.authenticate(tokens.access_token))
        await asyncio.sleep(0)  # asks
        await asyncio.sleep(0)  # the statement is on its way
        authenticator.forget(user.id)
        await asking
        async with pool.connection() as connection:
            await logout(connection, tokens.session_id, desk.at)
        with pytest.raises(NotSignedIn):
            await authenticator.authenticate(tokens.access_token)

    desk.run(scenario)


def test_a_herd_is_answered_with_a_statement_or_two(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        tokens = [await desk.sign_in(pool) for _ in range(20)]
        authenticator = Authenticator(pool, desk.clock)
        before = pool.get_stats()["requests_num"]
        unknown = authenticator.authenticate("esc_" + "A" * 43)
        known = [authenticator.authenticate(each.access_token) for each in tokens]
        *sessions, refused = await asyncio.gather(*known, unknown, return_exceptions=True)
        assert [session.id for session in sessions if isinstance(session, Session)] == [t.session_id for t in tokens]
        assert isinstance(refused, NotSignedIn)
        assert pool.get_stats()["requests_num"] - before <= 2

    desk.run(scenario)


def test_everybody_who_waits_hears_that_the_database_is_away(desk: Desk):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        tokens = [await desk.sign_in(pool) for _ in range(3)]
        authenticator = Authenticator(pool, desk.clock)
        await pool.close()
        asked = [authenticator.authenticate(each.access_token) for each in tokens]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(answer) for answer in answers] == [DatabaseUnavailable] * 3

    desk.run(scenario)


def test_ended_sessions_are_deleted_with_their_tokens(desk: Desk, database: Database):
    async def scenario(pool: Pool) -> int:
        await desk.create(pool)
        await desk.sign_in(pool)
        desk.wait(days=91)
        kept = await desk.sign_in(pool)
        async with pool.connection() as connection:
            deleted = await delete_ended_sessions(connection, desk.at)
        assert await is_signed_in(desk, pool, kept.access_token)
        return deleted

    assert desk.run(scenario) == 1
    with psycopg.connect(database.owner_dsn) as connection:
        assert connection.execute("SELECT count(*) FROM refresh_tokens").fetchone() == (1,)
