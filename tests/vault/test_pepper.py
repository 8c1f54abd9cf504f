"""The pepper is a private file; without it nothing starts, and it is never made anew over existing keys."""

import asyncio
import os
import stat
from pathlib import Path
from random import Random

import psycopg
import pytest

from database.settings import Settings
from tests.conftest import Database
from tests.vault.tampering import GrowingPepper, flip_each_byte
from vault import pepper as peppers
from vault.pepper import (
    Pepper,
    PepperError,
    PepperExposed,
    PepperMissing,
    PepperUnreadable,
    PepperUnwritable,
    PepperWrong,
    create_pepper,
    get_pepper_path,
    list_pepper_versions,
    load_pepper,
    prepare_pepper,
    record_pepper_version,
)
from vault.pepper_rotation import begin_rotation
from vault.secret import Secret


def prepare(dsn: str, path: Path, seed: int = 1) -> Pepper:
    async def run() -> Pepper:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            return await prepare_pepper(connection, path, Random(seed).randbytes)

    return asyncio.run(run())


def test_a_new_pepper_is_private_and_comes_back(tmp_path: Path):
    created = create_pepper(tmp_path / "pepper", Random(1).randbytes)
    assert stat.S_IMODE((tmp_path / "pepper").stat().st_mode) == 0o600
    assert load_pepper(tmp_path / "pepper").get_key(1) == created.get_key(1)
    assert len(created.get_key(1)) == 32
    assert list(tmp_path.iterdir()) == [tmp_path / "pepper"]


def test_an_existing_file_is_never_overwritten(tmp_path: Path):
    create_pepper(tmp_path / "pepper", Random(1).randbytes)
    before = (tmp_path / "pepper").read_bytes()
    with pytest.raises(FileExistsError):
        create_pepper(tmp_path / "pepper", Random(2).randbytes)
    assert (tmp_path / "pepper").read_bytes() == before
    assert list(tmp_path.iterdir()) == [tmp_path / "pepper"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o606, 0o604, 0o700 | 0o001, 0o444])
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int):
    path = tmp_path / "pepper"
    create_pepper(path, Random(1).randbytes)
    path.chmod(mode)
    with pytest.raises(PepperExposed) as refused:
        load_pepper(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_file_is_accepted(tmp_path: Path, mode: int):
    create_pepper(tmp_path / "pepper", Random(1).randbytes)
    (tmp_path / "pepper").chmod(mode)
    assert load_pepper(tmp_path / "pepper").current == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_file_of_another_user_is_refused(tmp_path: Path):
    path = tmp_path / "pepper"
    create_pepper(path, Random(1).randbytes)
    os.chown(path, 65534, 65534)
    with pytest.raises(PepperExposed):
        load_pepper(path)


def test_a_folder_a_pipe_and_a_dangling_link_are_refused_without_waiting(tmp_path: Path):
    (tmp_path / "folder").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, error in (("folder", PepperExposed), ("pipe", PepperExposed), ("link", PepperMissing)):
        with pytest.raises(error) as refused:
            load_pepper(tmp_path / name)
        assert name in str(refused.value)


GOOD = "1 " + "A" * 43 + "="


@pytest.mark.parametrize(
    "content",
    [
        "",
        "escrow-pepper-v1\n",
        GOOD,
        f"escrow-pepper-v2\n{GOOD}\n",
        f"escrow-pepper-v1\n{GOOD}\n{GOOD}\n",
        f"escrow-pepper-v1\n{GOOD} \n",
        f"escrow-pepper-v1\n0{GOOD[1:]}\n",
        "escrow-pepper-v1\n1 AAAA\n",
        f"escrow-pepper-v1\n{GOOD}\n\n",
        f"escrow-pepper-v1\n{GOOD}\ngarbage\n",
        "escrow-pepper-v1\n1 " + "\N{ARABIC-INDIC DIGIT ONE}" * 43 + "=\n",
    ],
)
def test_a_file_in_another_form_is_refused_without_showing_it(tmp_path: Path, content: str):
    path = tmp_path / "pepper"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(PepperUnreadable) as refused:
        load_pepper(path)
    assert str(path) in str(refused.value)
    assert "AAAA" not in str(refused.value)


def test_a_flip_of_any_byte_gives_no_pepper_or_another_one(tmp_path: Path):
    path = tmp_path / "pepper"
    original = create_pepper(path, Random(1).randbytes)
    for changed in flip_each_byte(path.read_bytes()):
        path.write_bytes(changed)
        try:
            found = load_pepper(path)
        except PepperUnreadable:
            continue
        assert found.current != 1 or found.prove(1) != original.prove(1)


def test_two_versions_stand_beside_each_other_and_the_newest_wraps(tmp_path: Path):
    path = tmp_path / "pepper"
    path.write_text(f"escrow-pepper-v1\n{GOOD}\n2 {'B' * 42}A=\n")
    path.chmod(0o600)
    pepper = load_pepper(path)
    assert (sorted(pepper.keys), pepper.current) == ([1, 2], 2)


def test_a_proof_recognises_a_pepper_and_is_not_the_pepper():
    first, second = (create(seed) for seed in (1, 2))
    assert first.prove(1) != second.prove(1)
    assert first.prove(1) != first.get_key(1).reveal()


def create(seed: int) -> Pepper:
    return Pepper({1: Secret(Random(seed).randbytes(32))})


def test_the_first_start_makes_the_pepper_and_the_second_finds_it(tmp_path: Path, database: Database):
    path = tmp_path / "pepper"
    first = prepare(database.app_dsn, path, seed=1)
    second = prepare(database.app_dsn, path, seed=2)
    assert first.get_key(1) == second.get_key(1)


def test_a_version_is_recorded_with_its_own_proof_in_the_middle_of_a_rotation(database: Database):
    pepper = GrowingPepper(Secret(bytes(32)), Secret(bytes([1]) * 32))

    async def record() -> list[tuple[int, bytes]]:
        async with await psycopg.AsyncConnection.connect(database.app_dsn) as connection:
            await record_pepper_version(connection, pepper)
            return await list_pepper_versions(connection)

    assert asyncio.run(record()) == [(1, pepper.prove(1))]


def test_a_rotation_that_begins_during_a_start_does_not_stop_it(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "pepper"

    async def record_and_rotate(connection: psycopg.AsyncConnection, pepper: Pepper) -> None:
        await record_pepper_version(connection, pepper)
        async with await psycopg.AsyncConnection.connect(database.app_dsn, autocommit=True) as other:
            await begin_rotation(other, path, Random(9).randbytes)

    prepare(database.app_dsn, path)
    monkeypatch.setattr(peppers, "record_pepper_version", record_and_rotate)
    assert prepare(database.app_dsn, path).current == 2


@pytest.mark.guarantee("G18", "G28", faults="the pepper is gone")
def test_a_missing_pepper_stops_the_start_and_names_the_file(tmp_path: Path, database: Database):
    path = tmp_path / "pepper"
    prepare(database.app_dsn, path)
    path.unlink()
    with pytest.raises(PepperMissing) as refused:
        prepare(database.app_dsn, path)
    assert str(path) in str(refused.value)
    assert not path.exists()


def test_a_pepper_is_not_made_anew_over_keys_even_when_its_proof_is_gone(tmp_path: Path, database: Database):
    path = tmp_path / "pepper"
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE user_keys DROP CONSTRAINT user_keys_user_id_fkey")
        connection.execute(
            "INSERT INTO user_keys (user_id, key_version, suite, public_key, fingerprint, key_commitment,"
            " pepper_version, wrapped_private_key, created_at)"
            " VALUES (gen_random_uuid(), 1, 'x', '', repeat('0', 64), decode(repeat('00', 32), 'hex'), 1, '', now())"
        )
    with pytest.raises(PepperMissing):
        prepare(database.app_dsn, path)
    assert not path.exists()


def test_a_wrong_pepper_stops_the_start_and_leaves_no_trace(tmp_path: Path, database: Database):
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    prepare(database.app_dsn, right)
    create_pepper(wrong, Random(8).randbytes)
    with pytest.raises(PepperWrong) as refused:
        prepare(database.app_dsn, wrong)
    assert str(wrong) in str(refused.value)
    only_new = tmp_path / "only-new"
    only_new.write_text(f"escrow-pepper-v1\n2 {'B' * 42}A=\n")
    only_new.chmod(0o600)
    with pytest.raises(PepperWrong):
        prepare(database.app_dsn, only_new)
    with psycopg.connect(database.owner_dsn) as connection:
        assert connection.execute("SELECT count(*) FROM pepper_versions").fetchone() == (1,)
    assert prepare(database.app_dsn, right)


async def start_each(dsn: str, paths: list[Path]) -> list[Pepper | PepperError]:
    async def start(path: Path, seed: int) -> Pepper | PepperError:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            try:
                return await prepare_pepper(connection, path, Random(seed).randbytes)
            except PepperError as refused:
                return refused

    return await asyncio.gather(*(start(path, seed) for seed, path in enumerate(paths)))


def test_programs_of_one_home_that_start_at_once_share_one_pepper(tmp_path: Path, database: Database):
    path = tmp_path / "pepper"
    found = asyncio.run(start_each(database.app_dsn, [path] * 6))
    assert [pepper.get_key(1) for pepper in found if isinstance(pepper, Pepper)] == [load_pepper(path).get_key(1)] * 6


def test_of_two_homes_that_start_at_once_on_one_database_only_one_runs(tmp_path: Path, database: Database):
    found = asyncio.run(start_each(database.app_dsn, [tmp_path / "one", tmp_path / "two", tmp_path / "three"]))
    assert len([pepper for pepper in found if isinstance(pepper, Pepper)]) == 1


def test_a_pepper_without_a_folder_is_an_error_that_names_it(tmp_path: Path, database: Database):
    with pytest.raises(PepperUnwritable) as refused:
        prepare(database.app_dsn, tmp_path / "nowhere" / "pepper")
    assert "nowhere" in str(refused.value)


def test_the_path_comes_from_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ESCROW_HOME", str(tmp_path))
    assert get_pepper_path(Settings()) == tmp_path / "pepper"
    monkeypatch.setenv("ESCROW_PEPPER_FILE", str(tmp_path / "elsewhere"))
    assert get_pepper_path(Settings()) == tmp_path / "elsewhere"
