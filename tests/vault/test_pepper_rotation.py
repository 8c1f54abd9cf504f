"""A rotation of the pepper: everything opens before, during and after it, and it can be interrupted at every step."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from psycopg.errors import ObjectNotInPrerequisiteState

from database.connect import Connection, Pool, open_pool
from database.private_file import write_private_file
from identity.keypair import get_key_pair
from identity.password import get_password
from identity.recovery_key import find_recovery_key, store_recovery_key
from identity.second_factor import enrol_second_factor
from identity.user import NewUser, User, create_user
from tests.conftest import Database
from tests.killed import Killed
from vault.gate import Gate
from vault.locksmith import Locksmith
from vault.password import FLOOR, PasswordCosts
from vault.pepper import FilePepper, Pepper, PepperWrong, format_pepper, load_pepper, prepare_pepper
from vault.pepper_rotation import (
    RotationRunning,
    RotationUnfinished,
    begin_rotation,
    forget_retired,
    only_rotation,
    rewrap_all,
)
from vault.secret import Secret

T = TypeVar("T")
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
PASSWORD = "a password for rotations"


class House:
    """People with keys, a recovery key and an app, served by a program that has loaded the pepper before."""

    def __init__(self, pool: Pool, path: Path, locksmith: Locksmith) -> None:
        self.pool = pool
        self.path = path
        self.locksmith = locksmith
        self.people: list[User] = []
        self.papers: dict[object, str] = {}

    async def add(self, name: str) -> None:
        new = NewUser(email=f"{name}@example.com", display_name=name, legal_name=name)
        user = await create_user(self.pool, self.locksmith, new, PASSWORD, at=NOW, random_bytes=os.urandom)
        async with self.pool.connection() as link:
            stored, pair = await get_password(link, user.id), await get_key_pair(link, user.id)
            paper, record = await self.locksmith.make_recovery_key(PASSWORD, stored, pair)
            await store_recovery_key(link, record, NOW)
            await enrol_second_factor(link, self.locksmith, user.id, at=NOW, random_bytes=os.urandom)
        self.people.append(user)
        self.papers[user.id] = paper

    async def opens(self) -> None:
        """All that each person has: the private key, by password and by paper, and the app's secret."""
        for user in self.people:
            async with self.pool.connection() as link:
                stored, pair = await get_password(link, user.id), await get_key_pair(link, user.id)
                paper = await find_recovery_key(link, user.id)
                query = "SELECT pepper_version, sealed_secret FROM totp_secrets WHERE user_id = %s"
                version, sealed = await (await link.execute(query, (user.id,))).fetchone()
            assert await self.locksmith.open_private_key(PASSWORD, stored, pair)
            assert paper is not None
            assert await self.locksmith.recover(self.papers[user.id], PASSWORD, paper, pair)
            assert self.locksmith.open_seed(user.id, version, bytes(sealed))

    async def versions(self) -> set[int]:
        async with self.pool.connection() as link:
            return {row[0] for row in await (await link.execute("SELECT pepper_version FROM pepper_use")).fetchall()}

    async def rotate(self, tell: Callable[[int], None] = lambda _: None) -> int:
        async with self.pool.connection() as link, only_rotation(link):
            return await rewrap_all(link, await begin_rotation(link, self.path, os.urandom), os.urandom, tell)


def in_house(database: Database, path: Path, story: Callable[[House], Awaitable[T]], people: int = 3) -> T:
    async def run() -> T:
        gate = Gate()
        async with open_pool(database.app_dsn, max_size=4, autocommit=True) as pool:
            async with pool.connection() as link:
                pepper = await prepare_pepper(link, path, os.urandom)
            costs = PasswordCosts(stretch=FLOOR, verifier=FLOOR)
            house = House(pool, path, Locksmith(pepper=pepper, gate=gate, costs=costs, random_bytes=os.urandom))
            for number in range(people):
                await house.add(f"person{number}")
            try:
                return await story(house)
            finally:
                gate.close()

    return asyncio.run(run())


def test_everything_opens_in_a_program_that_ran_all_the_time(database: Database, tmp_path: Path):
    async def story(house: House) -> None:
        assert await house.rotate() == 9
        await house.opens()
        await house.add("newcomer")
        assert await house.versions() == {2}
        assert await house.rotate() == 12
        await house.opens()
        assert await house.versions() == {3}
        async with house.pool.connection() as link, only_rotation(link):
            assert await forget_retired(link, house.path) == [1, 2]
        assert set(load_pepper(house.path).keys) == {3}
        async with house.pool.connection() as link:
            await prepare_pepper(link, house.path, os.urandom)

    in_house(database, tmp_path / "pepper", story)


@pytest.mark.parametrize("after", range(4))
def test_it_is_carried_on_wherever_it_was_interrupted(
    database: Database, tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch
):
    async def story(house: House) -> None:
        batches = 0

        def die(_rows: int) -> None:
            nonlocal batches
            batches += 1
            if batches == after:
                raise Killed

        if after == 0:
            monkeypatch.setattr("vault.pepper_rotation.record_pepper_version", die_before_recording)
        with pytest.raises(Killed):
            await house.rotate(die)
        monkeypatch.undo()
        assert set(load_pepper(house.path).keys) == {1, 2}
        await house.opens()
        await house.rotate()
        await house.opens()
        assert await house.versions() == {2}
        assert set(load_pepper(house.path).keys) == {1, 2}

    in_house(database, tmp_path / "pepper", story)


async def die_before_recording(_connection: Connection, _pepper: Pepper) -> None:
    """The new version stands in the file, and the database knows nothing of it."""
    raise Killed


def test_two_rotations_at_once_are_one(database: Database, tmp_path: Path):
    async def story(house: House) -> None:
        async with house.pool.connection() as link, only_rotation(link):
            with pytest.raises(RotationRunning):
                await house.rotate()
        await house.rotate()

    in_house(database, tmp_path / "pepper", story, people=1)


def test_a_row_that_does_not_open_keeps_the_old_version_alive(database: Database, tmp_path: Path):
    async def story(house: House) -> None:
        with psycopg.connect(database.superuser_dsn) as link:
            link.execute("UPDATE totp_secrets SET sealed_secret = sealed_secret || 'x'")
        with pytest.raises(RotationUnfinished) as refused:
            await house.rotate()
        assert refused.value.facts == {"rows": 1}
        assert await house.versions() == {1, 2}
        async with house.pool.connection() as link, only_rotation(link):
            assert await forget_retired(link, house.path) == []

    in_house(database, tmp_path / "pepper", story, people=1)


def test_nothing_is_wrapped_with_a_retired_version(database: Database, tmp_path: Path):
    async def story(house: House) -> None:
        await house.rotate()
        async with house.pool.connection() as link:
            with pytest.raises(ObjectNotInPrerequisiteState):
                await link.execute("UPDATE user_keys SET pepper_version = 1")

    in_house(database, tmp_path / "pepper", story, people=1)


def test_a_file_without_a_version_that_is_used_is_refused_at_the_start(database: Database, tmp_path: Path):
    path = tmp_path / "pepper"

    async def story(house: House) -> None:
        old = path.read_bytes()
        await house.rotate()
        path.unlink()
        write_private_file(path, old)
        async with house.pool.connection() as link:
            with pytest.raises(PepperWrong):
                await prepare_pepper(link, path, os.urandom)

    in_house(database, path, story, people=1)


def test_two_threads_that_read_a_changed_file_at_once_forget_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "pepper"

    def write(*versions: int) -> None:
        path.unlink(missing_ok=True)
        keys = {version: Secret(bytes([version]) * 32) for version in versions}
        write_private_file(path, format_pepper(Pepper(keys)))

    write(1)
    pepper, keep = FilePepper(path), FilePepper._keep
    has_kept = threading.Event()

    def dawdle(self: FilePepper, name: str, value: object) -> None:
        if threading.current_thread() is slow and name == "keys":
            write(1, 2, 3)
            quick.start()
            has_kept.wait(0.3)
        elif threading.current_thread() is quick and name == "_stamp":
            has_kept.set()
            slow.join()
        keep(self, name, value)

    slow = threading.Thread(target=lambda: pepper.current)
    quick = threading.Thread(target=lambda: pepper.current)
    monkeypatch.setattr(FilePepper, "_keep", dawdle)
    write(1, 2)
    slow.start()
    slow.join()
    quick.join()
    assert pepper.get_key(3)


def test_a_file_that_is_spoilt_under_a_running_program_does_not_stop_it(database: Database, tmp_path: Path):
    async def story(house: House) -> None:
        pepper = FilePepper(house.path)
        house.path.write_bytes(b"spoilt")
        assert pepper.current == 1
        assert pepper.get_key(1)

    in_house(database, tmp_path / "pepper", story, people=0)
