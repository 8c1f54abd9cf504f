"""Roles that the command line gives: nothing is in force that the log does not have, whenever the program dies."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cli.operator import escrow_of
from cli.run.user import apply_roles, enrol, give_second_factor
from cli.wiring import open_locksmith
from database.connect import Pool, open_pool
from database.settings import Settings
from domain.actor import Role
from domain.user import User
from eventstore.appender import Appender
from eventstore.escrow import Escrow
from identity.user import NewUser
from tests.conftest import Database
from tests.killed import Killed
from vault.locksmith import Locksmith

EMAIL = "ops@example.com"
PASSWORD = "correct horse battery staple"
IN_FORCE = "SELECT role FROM user_roles ORDER BY role"
VERIFIED = "SELECT count(*) FROM users WHERE verified_at IS NOT NULL"


class DyingAppender(Appender):
    """The program ends in the moment of the append; nothing is written."""

    async def append(self, *_args: Any, **_options: Any) -> Any:
        raise Killed


@dataclass
class Enrolment:
    pool: Pool
    escrow: Escrow
    locksmith: Locksmith
    dying: Escrow

    async def enrol(self, escrow: Escrow, *roles: Role) -> Any:
        new = NewUser(email=EMAIL, display_name="Ops", legal_name="Ops", roles=frozenset(roles))
        return await enrol(self.pool, self.locksmith, escrow, new, PASSWORD)


@asynccontextmanager
async def open_enrolment(database: Database) -> AsyncGenerator[Enrolment]:
    async with (
        open_pool(database.app_dsn, max_size=2, autocommit=True) as pool,
        Appender(database.app_dsn) as appender,
        DyingAppender(database.app_dsn) as dying,
        open_locksmith(pool, Settings()) as locksmith,
    ):
        yield Enrolment(pool, escrow_of(pool, appender), locksmith, escrow_of(pool, dying))


@pytest.fixture
def tell(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    monkeypatch.setenv("ESCROW_HOME", str(tmp_path))
    monkeypatch.delenv("ESCROW_PEPPER_FILE", raising=False)

    def run(story: Callable[[Enrolment], Awaitable[None]]) -> None:
        async def work() -> None:
            async with open_enrolment(database) as enrolment:
                await story(enrolment)

        asyncio.run(work())

    return run


def read(database: Database, query: Any) -> list[Any]:
    with psycopg.connect(database.owner_dsn) as connection:
        return [row[0] for row in connection.execute(query)]


def test_a_second_factor_is_not_replaced_while_the_sessions_of_before_live_on(
    database: Database, tell: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(*_args: Any, **_options: Any) -> None:
        raise Killed

    async def story(enrolment: Enrolment) -> None:
        user = await enrolment.enrol(enrolment.escrow, Role.ADMIN)
        monkeypatch.setattr("cli.run.user.end_sessions", die)
        with pytest.raises(Killed):
            await give_second_factor(enrolment.pool, enrolment.locksmith, user.id)
        assert read(database, "SELECT count(*) FROM recovery_codes") == [0]

    tell(story)


def test_a_user_whose_roles_did_not_reach_the_log_has_none_and_is_not_verified(
    database: Database, tell: Callable[..., None]
) -> None:
    async def story(enrolment: Enrolment) -> None:
        with pytest.raises(Killed):
            await enrolment.enrol(enrolment.dying, Role.SUPER_ADMIN)
        assert (read(database, IN_FORCE), read(database, VERIFIED)) == ([], [0])
        user_id = await apply_roles(enrolment.pool, enrolment.escrow, EMAIL, frozenset({Role.AUDITOR}))
        assert (await enrolment.escrow.get(User, user_id)).roles == {Role.AUDITOR}
        assert read(database, IN_FORCE) == ["auditor"]

    tell(story)


def test_a_change_that_did_not_reach_the_log_grants_nothing_and_the_same_again_completes_it(
    database: Database, tell: Callable[..., None]
) -> None:
    async def story(enrolment: Enrolment) -> None:
        user = await enrolment.enrol(enrolment.escrow, Role.SUPER_ADMIN, Role.ADMIN)
        assert (user.roles, read(database, VERIFIED)) == ({Role.SUPER_ADMIN, Role.ADMIN}, [1])
        wanted = frozenset({Role.ADMIN, Role.AUDITOR})
        with pytest.raises(Killed):
            await apply_roles(enrolment.pool, enrolment.dying, EMAIL, wanted)
        assert read(database, IN_FORCE) == ["admin"]
        for _ in range(2):
            await apply_roles(enrolment.pool, enrolment.escrow, EMAIL, wanted)
            assert (await enrolment.escrow.get(User, user.id)).roles == wanted
            assert read(database, IN_FORCE) == ["admin", "auditor"]

    tell(story)
