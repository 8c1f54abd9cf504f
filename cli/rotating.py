"""What `escrow vault pepper rotate` and `forget` do."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from cli.database import running_server
from cli.output import print_json, say
from database.connect import open_pool, resolve_dsn
from database.settings import Settings
from vault.pepper import get_pepper_path, prepare_pepper
from vault.pepper_rotation import begin_rotation, forget_retired, only_rotation, rewrap_all


def rotate_pepper(*, only_prepare: bool, as_json: bool) -> None:
    """Carry a rotation through, or on. Raises RotationRunning, RotationUnfinished, PepperError."""
    settings = Settings()
    path = get_pepper_path(settings)
    with running_server(settings):
        version, rows = asyncio.run(_rotate(settings, path, only_prepare=only_prepare))
    if as_json:
        print_json({"pepper_file": str(path), "version": version, "rows": rows, "finished": not only_prepare})
    elif only_prepare:
        say(f"{path} has version {version}: copy it to every host, then run this without --prepare")
    else:
        say(f"{rows} row(s) wrapped with version {version}; nothing uses an older one. Back the pepper up anew now.")


async def _rotate(settings: Settings, path: Path, *, only_prepare: bool) -> tuple[int, int]:
    async with open_pool(resolve_dsn(settings, "app"), max_size=1, autocommit=True) as pool, pool.connection() as link:
        await prepare_pepper(link, path, os.urandom)
        async with only_rotation(link):
            pepper = await begin_rotation(link, path, os.urandom)
            rows = 0 if only_prepare else await rewrap_all(link, pepper, os.urandom, _tell)
    return pepper.current, rows


def _tell(rows: int) -> None:
    if rows:
        say(f"{rows} row(s) so far")


def forget_versions(*, dry_run: bool, as_json: bool) -> None:
    """Take retired versions out of the file. Raises RotationRunning, PepperError."""
    settings = Settings()
    path = get_pepper_path(settings)
    with running_server(settings):
        gone = asyncio.run(_forget(settings, path, dry_run=dry_run))
    if as_json:
        print_json({"pepper_file": str(path), "forgotten": list(gone), "dry_run": dry_run})
    else:
        say(f"{len(gone)} version(s) {'would be' if dry_run else 'are'} taken out of {path}")


async def _forget(settings: Settings, path: Path, *, dry_run: bool) -> Sequence[int]:
    dsn = resolve_dsn(settings, "app")
    async with open_pool(dsn, max_size=1, autocommit=True) as pool, pool.connection() as link, only_rotation(link):
        return await forget_retired(link, path, dry_run=dry_run)
