"""A backup of the pepper: opens with its passphrase alone, is proven on stored keys, overwrites nothing."""

import asyncio
from random import Random

import psycopg
import pytest

from database.connect import open_pool
from tests.conftest import Database
from tests.identity.conftest import Desk, desk  # noqa: F401 - a fixture
from vault.pepper import Pepper
from vault.pepper_backup import (
    BackupIncomplete,
    BackupLocked,
    BackupUnreadable,
    UnfitPassphrase,
    make_backup,
    open_backup,
    prove_backup,
)
from vault.secret import Secret

PASSPHRASE = "twelve words are better than one"
FILE = b"escrow-pepper-v1\n1 " + b"A" * 43 + b"=\n"


@pytest.fixture(scope="module")
def backup() -> bytes:
    return make_backup(FILE, PASSPHRASE, Random(5).randbytes)


def test_a_backup_opens_with_its_passphrase_and_shows_nothing_without(backup: bytes):
    assert open_backup(backup, PASSPHRASE) == FILE
    assert b"A" * 16 not in backup
    with pytest.raises(BackupLocked):
        open_backup(backup, PASSPHRASE + " ")


def test_a_new_backup_wants_twelve_characters_and_an_older_one_of_eight_still_opens(monkeypatch: pytest.MonkeyPatch):
    assert open_backup(make_backup(FILE, "p" * 12, Random(5).randbytes), "p" * 12) == FILE
    with pytest.raises(UnfitPassphrase):
        make_backup(FILE, "p" * 11, Random(5).randbytes)
    monkeypatch.setattr("vault.pepper_backup.SHORTEST_PASSPHRASE", 8)
    older = make_backup(FILE, "p" * 8, Random(5).randbytes)
    monkeypatch.undo()
    assert open_backup(older, "p" * 8) == FILE


@pytest.mark.parametrize("place", range(0, 240, 12))
def test_a_backup_with_one_changed_character_opens_nothing(backup: bytes, place: int):
    changed = bytearray(backup)
    changed[place % len(backup)] ^= 0x01
    with pytest.raises((BackupUnreadable, BackupLocked)):
        open_backup(bytes(changed), PASSPHRASE)


@pytest.mark.parametrize(
    "content", [b"", b"\n\n\n", FILE, b"escrow-pepper-backup-v1\nargon2id 999999999 999 99 AAAA\nAAAA\n", b"\xff" * 99]
)
def test_what_is_no_backup_is_refused_before_any_work(content: bytes):
    with pytest.raises(BackupUnreadable):
        open_backup(content, PASSPHRASE)


def test_a_backup_is_proven_on_the_keys_that_are_stored(desk: Desk, database: Database):  # noqa: F811
    async def prove(pepper: Pepper) -> int:
        async with open_pool(database.app_dsn, max_size=1) as pool, pool.connection() as connection:
            return await prove_backup(connection, pepper)

    right = Pepper({1: Secret(Random(1).randbytes(32))})
    desk.run(desk.create)
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("INSERT INTO pepper_versions (version, proof) VALUES (1, %s)", (right.prove(1),))
    assert asyncio.run(prove(right)) == 1
    for wrong in (Pepper({1: Secret(bytes(32))}), Pepper({2: right.keys[1]})):
        with pytest.raises(BackupIncomplete):
            asyncio.run(prove(wrong))
    with psycopg.connect(database.owner_dsn) as connection:
        other = Pepper({1: Secret(bytes(32))})
        connection.execute("UPDATE pepper_versions SET proof = %s", (other.prove(1),))
    with pytest.raises(BackupIncomplete):
        asyncio.run(prove(other))
