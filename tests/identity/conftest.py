"""A desk at which users are made and sign in: a real database, a real locksmith, a clock that stands still."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar
from uuid import UUID

import pytest

from database.connect import Connection, Pool, open_pool
from identity.session import Lifetimes, Tokens, end_sessions, login
from identity.user import NewUser, User, create_user
from tests.conftest import Database
from vault.gate import Gate
from vault.locksmith import Locksmith
from vault.password import FLOOR, PasswordCosts
from vault.pepper import Pepper
from vault.secret import Secret

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
COSTS = PasswordCosts(stretch=FLOOR, verifier=FLOOR)
"""The cheapest that the product accepts; there is no other floor for tests."""
LIFETIMES = Lifetimes()
T = TypeVar("T")


@dataclass
class Desk:
    """What the functions of identity are given."""

    dsn: str
    locksmith: Locksmith
    random: Random = field(default_factory=lambda: Random(7))
    at: datetime = NOON
    lifetimes: Lifetimes = LIFETIMES

    def clock(self) -> datetime:
        """The time that stands still."""
        return self.at

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.at += timedelta(**time)

    def run(self, scenario: Callable[[Pool], Awaitable[T]]) -> T:
        """Run `scenario` with a pool of the application's role."""

        async def within() -> T:
            async with open_pool(self.dsn, max_size=8) as pool:
                return await scenario(pool)

        return asyncio.run(within())

    def ask(self, question: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `question` in a transaction of the application's role."""

        async def within(pool: Pool) -> T:
            async with pool.connection() as connection:
                return await question(connection)

        return self.run(within)

    async def create(self, pool: Pool, email: str = "amina@example.com", **facts: str) -> User:
        """A user with a password."""
        names = {"display_name": "Amina", "legal_name": "Amina Otieno", **facts}
        new = NewUser(email=email, **names)
        return await create_user(pool, self.locksmith, new, PASSWORD, at=self.at, random_bytes=self.random.randbytes)

    async def sign_in(self, pool: Pool, email: str = "amina@example.com", password: str = PASSWORD) -> Tokens:
        """Sign in."""
        return await login(
            pool,
            self.locksmith,
            email,
            password,
            at=self.at,
            random_bytes=self.random.randbytes,
            lifetimes=self.lifetimes,
        )


async def disable(connection: Connection, user_id: UUID, at: datetime) -> None:
    """What an erasure does first: nobody signs in as this user."""
    await connection.execute("UPDATE users SET disabled_at = %s WHERE id = %s", (at, user_id))
    await end_sessions(connection, user_id, at, reason="disabled")


@pytest.fixture
def desk(database: Database) -> Generator[Desk]:
    """A fresh database and an empty queue."""
    gate = Gate()
    pepper = Pepper({1: Secret(Random(1).randbytes(32))})
    yield Desk(
        database.app_dsn,
        Locksmith(pepper=pepper, gate=gate, costs=COSTS, random_bytes=Random(2).randbytes),
    )
    gate.close()
