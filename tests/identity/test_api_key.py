"""Keys for programs: what they look like, what is kept of them, and when they end."""

import asyncio
from datetime import timedelta
from random import Random
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from database.connect import Pool
from identity.api_key import (
    MOST_KEYS,
    ApiKey,
    NewKey,
    Scope,
    TooManyKeys,
    create_key,
    delete_ended_keys,
    hash_key,
    list_keys,
    make_key,
    mode_of,
    revoke_keys,
)
from identity.authenticator import Authenticator
from identity.session import NotSignedIn
from identity.user import User
from tests.conftest import Database
from tests.identity.conftest import Desk, disable

NEW = NewKey(name="till", mode="test", scopes=frozenset({Scope.READ}), lasts=timedelta(days=90))


async def make(desk: Desk, pool: Pool, user: User, new: NewKey = NEW) -> tuple[ApiKey, str]:
    async with pool.connection() as connection, connection.transaction():
        return await create_key(connection, user.id, new, at=desk.at, random_bytes=desk.random.randbytes)


def test_a_key_says_what_it_is_and_its_mode():
    token = make_key("live", Random(1).randbytes)
    assert token.startswith("esk_live_")
    assert len(token) == 58
    assert mode_of(token) == "live"


@given(place=st.integers(0, 57), letter=st.sampled_from("0aZ_-é\0"))
def test_a_key_that_was_typed_wrongly_is_none(place: int, letter: str):
    token = make_key("test", Random(2).randbytes)
    wrong = token[:place] + letter + token[place + 1 :]
    assert wrong == token or (mode_of(wrong), hash_key(wrong)) == (None, None)
    assert hash_key(token + " ") is None
    assert hash_key(token.replace("test", "live", 1)) is None


def test_a_key_lets_its_scopes_in_until_it_ends(desk: Desk):
    async def scenario(pool: Pool) -> None:
        user = await desk.create(pool)
        key, token = await make(desk, pool, user)
        session = await Authenticator(pool, desk.clock).authenticate(token)
        assert (session.id, session.user_id, session.scopes) == (key.id, user.id, {Scope.READ})
        assert session.confirmed_at is None
        desk.wait(days=90)
        with pytest.raises(NotSignedIn):
            await Authenticator(pool, desk.clock).authenticate(token)

    desk.run(scenario)


def test_its_owner_is_told_of_a_new_key_and_of_none_that_was_not_made(desk: Desk, database: Database):
    async def scenario(pool: Pool) -> list[tuple[UUID, str]]:
        user = await desk.create(pool)
        made = [(await make(desk, pool, user))[0] for _ in range(MOST_KEYS)]
        with pytest.raises(TooManyKeys):
            await make(desk, pool, user)
        return [(user.id, key.ends_in) for key in made]

    made = desk.run(scenario)
    with psycopg.connect(database.owner_dsn) as connection:
        query = "SELECT user_id, facts ->> 'what' FROM notification_queue WHERE template = 'api_key_created'"
        assert sorted(connection.execute(query).fetchall()) == sorted(made)


def test_a_key_ends_with_its_user_and_when_all_are_revoked(desk: Desk):
    async def scenario(pool: Pool) -> None:
        amina, brian = await desk.create(pool), await desk.create(pool, "brian@example.com")
        tokens = [(await make(desk, pool, user))[1] for user in (amina, amina, brian)]
        async with pool.connection() as connection:
            assert await revoke_keys(connection, amina.id, desk.at) == 2
            assert await list_keys(connection, amina.id, desk.at) == []
        authenticator = Authenticator(pool, desk.clock)
        for token in tokens[:2]:
            with pytest.raises(NotSignedIn):
                await authenticator.authenticate(token)
        assert (await authenticator.authenticate(tokens[2])).user_id == brian.id
        async with pool.connection() as connection:
            await disable(connection, brian.id, desk.at)
        authenticator.forget(brian.id)
        with pytest.raises(NotSignedIn):
            await authenticator.authenticate(tokens[2])

    desk.run(scenario)


def test_use_is_noted_to_ten_minutes_and_not_with_every_request(desk: Desk):
    async def scenario(pool: Pool) -> None:
        user = await desk.create(pool)
        _, token = await make(desk, pool, user)
        noted = []
        for minutes in (0, 5, 5, 1, 60):
            desk.wait(minutes=minutes)
            await Authenticator(pool, desk.clock).authenticate(token)
            async with pool.connection() as connection:
                noted.append((await list_keys(connection, user.id, desk.at))[0].last_used_at)
        start = desk.at - timedelta(minutes=71)
        assert noted == [start + timedelta(minutes=minutes) for minutes in (0, 0, 0, 11, 71)]

    desk.run(scenario)


def test_two_at_once_do_not_both_become_the_twentieth(desk: Desk):
    async def scenario(pool: Pool) -> list[object]:
        user = await desk.create(pool)
        for _ in range(MOST_KEYS - 1):
            await make(desk, pool, user)
        return await asyncio.gather(*[make(desk, pool, user) for _ in range(4)], return_exceptions=True)

    outcomes = desk.run(scenario)
    assert [type(outcome) for outcome in outcomes].count(TooManyKeys) == 3


def test_only_a_hash_is_kept_and_ended_keys_go_away(desk: Desk, database: Database):
    async def scenario(pool: Pool) -> str:
        user = await desk.create(pool)
        _, token = await make(desk, pool, user)
        return token

    token = desk.run(scenario)
    with psycopg.connect(database.superuser_dsn) as connection:
        row = connection.execute("SELECT api_keys::text, key_hash FROM api_keys").fetchone()
        assert row is not None
        assert token[9:40] not in row[0]
        assert bytes(row[1]) == hash_key(token)
    assert desk.ask(lambda connection: delete_ended_keys(connection, desk.at + timedelta(days=90))) == 0
    assert desk.ask(lambda connection: delete_ended_keys(connection, desk.at + timedelta(days=91))) == 1
