"""Users: one per address, with roles, a password and a key pair."""

import asyncio

import psycopg
import pytest

from database.connect import Pool
from domain.actor import Role
from domain.errors import NotFound
from domain.ids import uuid7
from identity.authenticator import Authenticator
from identity.email import UnfitEmail, normalise_email
from identity.keypair import get_key_pair
from identity.password import get_password
from identity.role import UnfitRole, change_roles
from identity.session import NotSignedIn, SignInRefused
from identity.user import (
    EmailTaken,
    NewUser,
    UnfitName,
    UnfitPhone,
    User,
    find_user,
    get_user,
    register,
    verify_email,
)
from tests.conftest import Database
from tests.identity.conftest import NOON, PASSWORD, Desk, disable
from vault.keypair import WrongPassword, get_public_key
from vault.password import UnfitPassword


def test_a_registered_user_is_unverified_and_buys_and_sells(desk: Desk):
    async def scenario(pool: Pool) -> User:
        new = NewUser(email=" Amina@Example.COM ", display_name="Amina", legal_name="Amina Otieno", phone="+254 700 1")
        return await register(pool, desk.locksmith, new, PASSWORD, at=NOON, random_bytes=desk.random.randbytes)

    user = desk.run(scenario)
    assert user.email == "amina@example.com"
    assert user.roles == {Role.BUYER, Role.SELLER}
    assert (user.verified_at, user.disabled_at, user.created_at) == (None, None, NOON)
    assert user.id.version == 7


@pytest.mark.parametrize("roles", [frozenset({Role.ADMIN}), frozenset({Role.BUYER, Role.SUPER_ADMIN}), frozenset()])
def test_nobody_registers_as_staff(desk: Desk, roles: frozenset[Role]):
    async def scenario(pool: Pool) -> None:
        new = NewUser(email="a@example.com", display_name="A", legal_name="A", roles=roles)
        await register(pool, desk.locksmith, new, PASSWORD, at=NOON, random_bytes=desk.random.randbytes)

    with pytest.raises(UnfitRole):
        desk.run(scenario)


def test_an_address_is_taken_in_any_spelling_also_at_once(desk: Desk):
    async def scenario(pool: Pool) -> list[User | BaseException]:
        spellings = ["amina@example.com", "AMINA@example.com", "amina@EXAMPLE.com", "\uff41mina@example.com"]
        return await asyncio.gather(*(desk.create(pool, email) for email in spellings), return_exceptions=True)

    outcomes = desk.run(scenario)
    assert len([outcome for outcome in outcomes if isinstance(outcome, User)]) == 1
    assert len([outcome for outcome in outcomes if isinstance(outcome, EmailTaken)]) == 3


def test_a_taken_address_leaves_nothing_behind(desk: Desk, database: Database):
    async def scenario(pool: Pool) -> None:
        await desk.create(pool)
        with pytest.raises(EmailTaken):
            await desk.create(pool)

    desk.run(scenario)
    with psycopg.connect(database.owner_dsn) as connection:
        for query in ("SELECT count(*) FROM users", "SELECT count(*) FROM user_keys"):
            assert connection.execute(query).fetchone() == (1,)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "a",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a b@c",
        "a\n@b",
        "a\0@b",
        "\ud800@b",
        "x" * 65 + "@b",
        "a@" + "b" * 260,
        "a\u200b@b",
    ],
)
def test_what_is_no_address_is_refused_without_an_echo(email: str):
    with pytest.raises(UnfitEmail) as refused:
        normalise_email(email)
    assert "b" * 20 not in repr(refused.value)


def test_an_address_with_look_alikes_is_accepted_and_flagged(desk: Desk):
    plain = desk.run(lambda pool: desk.create(pool, "amina@example.com"))
    odd = desk.run(lambda pool: desk.create(pool, "\u0430mina@example.com"))
    assert (plain.email_is_unusual, odd.email_is_unusual) == (False, True)


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\0b", "a\nb", "\ud800"])
def test_an_unfit_name_is_refused(desk: Desk, name: str):
    with pytest.raises(UnfitName):
        desk.run(lambda pool: desk.create(pool, legal_name=name))


@pytest.mark.parametrize("phone", ["", "call me", "1" * 33, "\0"])
def test_an_unfit_phone_is_refused(desk: Desk, phone: str):
    with pytest.raises(UnfitPhone):
        desk.run(lambda pool: desk.create(pool, phone=phone))


def test_a_weak_password_is_refused(desk: Desk):
    async def scenario(pool: Pool) -> None:
        new = NewUser(email="a@example.com", display_name="A", legal_name="A")
        await register(pool, desk.locksmith, new, "short", at=NOON, random_bytes=desk.random.randbytes)

    with pytest.raises(UnfitPassword):
        desk.run(scenario)


def test_the_password_opens_the_private_key_of_the_stored_pair(desk: Desk):
    user = desk.run(desk.create)
    stored = desk.ask(lambda connection: get_password(connection, user.id))
    pair = desk.ask(lambda connection: get_key_pair(connection, user.id))
    private_key = asyncio.run(desk.locksmith.open_private_key(PASSWORD, stored, pair))
    assert get_public_key(private_key).raw == pair.public_key
    assert get_public_key(private_key).fingerprint == pair.fingerprint
    with pytest.raises(WrongPassword):
        asyncio.run(desk.locksmith.open_private_key("another password", stored, pair))


def test_nothing_personal_or_secret_shows_in_repr(desk: Desk):
    user = desk.run(lambda pool: desk.create(pool, phone="+254700"))
    stored = desk.ask(lambda connection: get_password(connection, user.id))
    pair = desk.ask(lambda connection: get_key_pair(connection, user.id))
    shown = f"{user!r}{stored!r}{pair!r}{NewUser(email='amina@x', display_name='Amina', legal_name='Otieno')!r}"
    for secret in ("amina", "Amina", "Otieno", "254700", "argon2id", repr(stored.salt), repr(pair.key_commitment)):
        assert secret not in shown


def test_verifying_stands_from_the_first_time(desk: Desk):
    user = desk.run(desk.create)
    desk.ask(lambda connection: verify_email(connection, user.id, NOON))
    desk.wait(hours=1)
    desk.ask(lambda connection: verify_email(connection, user.id, desk.at))
    found = desk.ask(lambda connection: find_user(connection, "AMINA@example.com"))
    assert found is not None
    assert found.verified_at == NOON


def test_a_disabled_user_neither_signs_in_nor_goes_on(desk: Desk):
    async def scenario(pool: Pool) -> None:
        user, authenticator = await desk.create(pool), Authenticator(pool, desk.clock)
        tokens = await desk.sign_in(pool)
        await authenticator.authenticate(tokens.access_token)
        async with pool.connection() as connection:
            await disable(connection, user.id, desk.at)
        authenticator.forget(user.id)
        with pytest.raises(NotSignedIn):
            await authenticator.authenticate(tokens.access_token)
        with pytest.raises(SignInRefused):
            await desk.sign_in(pool)

    desk.run(scenario)


def test_roles_are_granted_and_revoked_and_the_change_is_told(desk: Desk):
    user = desk.run(desk.create)
    change = desk.ask(
        lambda connection: change_roles(
            connection, user.id, grant={Role.ADMIN, Role.BUYER}, revoke={Role.SELLER}, at=desk.at
        )
    )
    assert (change.granted, change.revoked) == ({Role.ADMIN}, {Role.SELLER})
    assert desk.ask(lambda connection: get_user(connection, user.id)).roles == {Role.ADMIN, Role.BUYER}


def test_the_role_of_the_system_is_nobodys(desk: Desk):
    user = desk.run(desk.create)
    with pytest.raises(UnfitRole):
        desk.ask(lambda c: change_roles(c, user.id, grant={Role.SYSTEM}, revoke=set(), at=desk.at))


def test_an_unknown_user_is_not_found(desk: Desk):
    nobody = uuid7(NOON, desk.random.randbytes)
    for question in (
        lambda c: get_user(c, nobody),
        lambda c: get_password(c, nobody),
        lambda c: get_key_pair(c, nobody),
        lambda c: change_roles(c, nobody, grant={Role.ADMIN}, revoke=set(), at=NOON),
    ):
        with pytest.raises(NotFound):
            desk.ask(question)
