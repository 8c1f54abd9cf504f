"""What `escrow vault pepper rotate` and `forget` do."""

import os
from collections.abc import Sequence
from pathlib import Path

from cli.connection import run_as
from cli.output import report, say
from database.connect import Pool
from database.settings import Settings
from vault.pepper import get_pepper_path, prepare_pepper
from vault.pepper_rotation import begin_rotation, forget_retired, only_rotation, rewrap_all


def rotate_pepper(*, only_prepare: bool, as_json: bool) -> None:
    """Carry a rotation through, or on. Raises RotationRunning, RotationUnfinished, PepperError."""
    settings = Settings()
    path = get_pepper_path(settings)
    version, rows = run_as("app", settings, lambda pool: _rotate(pool, path, only_prepare=only_prepare))
    facts = {"pepper_file": str(path), "version": version, "rows": rows, "finished": not only_prepare}
    prepared = f"{path} has version {version}: copy it to every host, then run this without --prepare"
    done = f"{rows} row(s) wrapped with version {version}; nothing uses an older one. Back the pepper up anew now."
    report(facts, prepared if only_prepare else done, as_json=as_json)


async def _rotate(pool: Pool, path: Path, *, only_prepare: bool) -> tuple[int, int]:
    async with pool.connection() as link:
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
    gone = run_as("app", settings, lambda pool: _forget(pool, path, dry_run=dry_run))
    facts = {"pepper_file": str(path), "forgotten": list(gone), "dry_run": dry_run}
    report(facts, f"{len(gone)} version(s) {'would be' if dry_run else 'are'} taken out of {path}", as_json=as_json)


async def _forget(pool: Pool, path: Path, *, dry_run: bool) -> Sequence[int]:
    async with pool.connection() as link, only_rotation(link):
        return await forget_retired(link, path, dry_run=dry_run)
