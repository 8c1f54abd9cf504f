"""What `escrow vault` does with the pepper and its backups."""

import asyncio
import os
from pathlib import Path

from cli.database import running_server
from cli.failure import NotReady
from cli.output import print_json, print_table, say
from database.connect import open_pool, resolve_dsn
from database.queries import load
from database.settings import Settings
from vault.pepper import Pepper, get_pepper_path, load_pepper, write_private_file
from vault.pepper_backup import make_backup, open_backup, prove_backup, read_backup

SQL = load("vault", "pepper_backup.sql")


class FileInTheWay(NotReady):
    """There is a file of this name already; nothing is ever written over a pepper or its backup."""

    code = "file_in_the_way"


class FileUnreadable(NotReady):
    """This file cannot be read or written."""

    code = "file_unreadable"


def show_status(*, as_json: bool) -> None:
    """Print how many keys each version of the pepper wraps."""
    settings = Settings()
    with running_server(settings):
        rows = asyncio.run(_count_keys(settings))
    shown = [{"pepper_version": version, "keys": keys} for version, keys in rows]
    if as_json:
        print_json({"pepper_file": str(get_pepper_path(settings)), "versions": shown})
    else:
        print_table(shown, ["pepper_version", "keys"])


async def _count_keys(settings: Settings) -> list[tuple[int, int]]:
    async with open_pool(resolve_dsn(settings, "app"), max_size=1, autocommit=True) as pool, pool.connection() as link:
        return await (await link.execute(SQL.count_keys)).fetchall()


def back_up(file: Path, passphrase: str, *, as_json: bool) -> None:
    """Write a backup of the pepper in use, and read it again before saying that it is good."""
    settings = Settings()
    path = get_pepper_path(settings)
    load_pepper(path)
    _write(file, make_backup(path.read_bytes(), passphrase, os.urandom))
    check_backup(file, passphrase, as_json=as_json)


def check_backup(file: Path, passphrase: str, *, as_json: bool) -> None:
    """Open what is stored with the pepper in the backup. Raises BackupIncomplete and what reading it raises."""
    settings = Settings()
    pepper = read_backup(_read(file), passphrase)
    with running_server(settings):
        versions = asyncio.run(_prove(settings, pepper))
    _tell(file, versions, as_json=as_json)


def restore_backup(file: Path, passphrase: str, *, as_json: bool) -> None:
    """Put the pepper file back, if it opens what is stored."""
    settings = Settings()
    backup = _read(file)
    pepper = read_backup(backup, passphrase)
    with running_server(settings):
        versions = asyncio.run(_prove(settings, pepper))
    _write(get_pepper_path(settings), open_backup(backup, passphrase))
    _tell(file, versions, as_json=as_json)


async def _prove(settings: Settings, pepper: Pepper) -> int:
    async with open_pool(resolve_dsn(settings, "app"), max_size=1, autocommit=True) as pool, pool.connection() as link:
        return await prove_backup(link, pepper)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise FileUnreadable(file=str(file), problem=problem.strerror) from None


def _write(file: Path, content: bytes) -> None:
    try:
        write_private_file(file, content)
    except FileExistsError:
        raise FileInTheWay(file=str(file)) from None
    except OSError as problem:
        raise FileUnreadable(file=str(file), problem=problem.strerror) from None


def _tell(file: Path, versions: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"backup": str(file), "opens_versions": versions})
    else:
        say(f"{file} opens what is stored here: {versions} version(s) of the pepper")
