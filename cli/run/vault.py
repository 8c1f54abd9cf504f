"""What `escrow vault` does with the pepper and its backups."""

import os
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

from cli.connection import run_as
from cli.errors import NotReady
from cli.operator import run_on_log
from cli.output import Cell, print_json, print_table, report
from database.connect import Pool
from database.private_file import write_private_file
from database.settings import Settings
from reactions.vault import reconcile_vault
from vault.pepper import Pepper, PepperUnreadable, count_use, get_pepper_path, load_pepper, parse_pepper
from vault.pepper_backup import BackupUnreadable, make_backup, open_backup, prove_backup
from vault.pepper_shares import NEEDED, SharesUnfit, is_share, join_shares, make_shares

COLUMNS: tuple[str, ...] = ("pepper_version", "keys", "recovery_keys", "app_secrets")

AskPassphrase = Callable[[], str]
"""Asks for the passphrase; shares of a backup have none."""


class FileInTheWay(NotReady):
    """There is a file of this name already; nothing is ever written over a pepper or its backup."""

    code = "file_in_the_way"


class FileUnreadable(NotReady):
    """This file cannot be read or written."""

    code = "file_unreadable"


def show_status(*, as_json: bool) -> None:
    """Print how many keys each version of the pepper wraps."""
    settings = Settings()
    rows = run_as("app", settings, _count_use)
    shown: list[dict[str, Cell]] = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    if as_json:
        print_json({"pepper_file": str(get_pepper_path(settings)), "versions": shown})
    else:
        print_table(shown, list(COLUMNS))


async def _count_use(pool: Pool) -> list[tuple[int, int, int, int]]:
    async with pool.connection() as link:
        return await count_use(link)


def reconcile_keys(*, as_json: bool) -> None:
    """Destroy again what the log says was destroyed, and say how much had come to life."""
    deposits, deliveries = run_on_log(Settings(), lambda pool, escrow: reconcile_vault(escrow, pool))
    sentence = f"keys to {deposits} deposit(s) and {deliveries} delivery(ies) had come to life and are destroyed again"
    report({"deposits": deposits, "deliveries": deliveries}, sentence, as_json=as_json)


def back_up(file: Path, passphrase: str, *, as_json: bool) -> None:
    """Write a backup of the pepper in use, and read it again before saying that it is good."""
    _write(file, make_backup(_read_pepper_file(), passphrase, os.urandom))
    check_backup([file], lambda: passphrase, as_json=as_json)


def back_up_in_shares(file: Path, *, as_json: bool) -> None:
    """Write three shares of the pepper in use, and join each two of them before saying that they are good."""
    shares = make_shares(_read_pepper_file(), os.urandom)
    files = [file.with_name(f"{file.name}.{number}") for number in range(1, len(shares) + 1)]
    for name in files:
        if os.path.lexists(name):
            raise FileInTheWay(file=str(name))
    for name, content in zip(files, shares, strict=True):
        _write(name, content)
    versions = [_open_and_prove(pair, _no_passphrase)[1] for pair in combinations(files, NEEDED)]
    sentence = f"any {NEEDED} of these open what is stored here: {', '.join(map(str, files))}"
    report({"shares": list(map(str, files)), "opens_versions": min(versions)}, sentence, as_json=as_json)


def _no_passphrase() -> str:
    raise AssertionError("shares have no passphrase")


def _read_pepper_file() -> bytes:
    path = get_pepper_path(Settings())
    load_pepper(path)
    return path.read_bytes()


def check_backup(files: Sequence[Path], ask: AskPassphrase, *, as_json: bool) -> None:
    """Open what is stored with the pepper in the backup. Raises BackupIncomplete and what reading it raises."""
    _, versions = _open_and_prove(files, ask)
    names = _names(files)
    sentence = f"{names} opens what is stored here: {versions} version(s) of the pepper"
    report({"backup": names, "opens_versions": versions}, sentence, as_json=as_json)


def restore_backup(files: Sequence[Path], ask: AskPassphrase, *, as_json: bool) -> None:
    """Put the pepper file back, if it opens what is stored. Raises FileInTheWay, and what `check_backup` raises."""
    content, versions = _open_and_prove(files, ask)
    path, names = get_pepper_path(Settings()), _names(files)
    _write(path, content)
    sentence = f"{path} is back from {names}, and opens what is stored here: {versions} version(s) of the pepper"
    report({"backup": names, "opens_versions": versions, "pepper_file": str(path)}, sentence, as_json=as_json)


def _names(files: Sequence[Path]) -> str:
    return " and ".join(map(str, files))


def _open_and_prove(files: Sequence[Path], ask: AskPassphrase) -> tuple[bytes, int]:
    content = _open(files, ask)
    try:
        pepper = parse_pepper(content)
    except PepperUnreadable:
        raise BackupUnreadable from None
    return content, run_as("app", Settings(), lambda pool: _prove(pool, pepper))


def _open(files: Sequence[Path], ask: AskPassphrase) -> bytes:
    contents = [_read(file) for file in files]
    if any(map(is_share, contents)):
        return join_shares(contents)
    if len(contents) != 1:
        raise SharesUnfit
    return open_backup(contents[0], ask())


async def _prove(pool: Pool, pepper: Pepper) -> int:
    async with pool.connection() as link:
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
