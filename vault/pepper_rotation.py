"""Rotating the pepper while the system runs: a new version in the file, all rows wrapped anew, the old one retired.

Each step can be the last before a crash: the file is replaced whole, each row is changed by itself and only over what
was read, and the old version stays in the file until nothing has been wrapped with it. Running it again carries on.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString, NamedTuple
from uuid import UUID

from database.connect import Connection
from database.private_file import replace_private_file
from database.queries import load
from domain.errors import Refused
from domain.ids import RandomBytes
from vault.keypair import PEPPERED_KEY
from vault.locksmith import PEPPERED_SEED
from vault.pepper import (
    Pepper,
    PepperUnwritable,
    format_pepper,
    list_pepper_versions,
    load_pepper,
    record_pepper_version,
)
from vault.recovery_key import PEPPERED_RECOVERY
from vault.sealing import KEY_BYTES, Field, SealBroken, context, seal, unseal
from vault.secret import Secret

SQL = load("vault", "pepper_rotation.sql")
BATCH = 100
NO_ID = UUID(int=0)


class RotationRunning(Refused):
    """Somebody else rotates the pepper at this moment."""

    code = "rotation_running"


class RotationUnfinished(Refused):
    """Some rows could not be wrapped anew: they were damaged, or another program still wraps with the old version. The
    old version is kept; look at them, and run this again."""

    code = "rotation_unfinished"


class Row(NamedTuple):
    """Something that is wrapped with an older version; `number` tells several of one owner apart."""

    user_id: UUID
    number: int
    suite: str
    pepper_version: int
    blob: bytes


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rows: how they are found and changed, and what their outer layer is bound to."""

    find: LiteralString
    change: LiteralString
    purpose: str

    def bind(self, row: Row, version: int) -> bytes:
        """Return the context of the outer layer."""
        place: tuple[Field, ...] = (row.suite, row.user_id, row.number) if row.suite else (row.user_id,)
        return context(self.purpose, *place, version)


KINDS = (
    Kind(SQL.list_canary, SQL.rewrap_canary, PEPPERED_KEY),
    Kind(SQL.list_user_keys, SQL.rewrap_user_keys, PEPPERED_KEY),
    Kind(SQL.list_recovery_keys, SQL.rewrap_recovery_keys, PEPPERED_RECOVERY),
    Kind(SQL.list_app_secrets, SQL.rewrap_app_secrets, PEPPERED_SEED),
)

Tell = Callable[[int], None]
"""Hears how many rows were wrapped anew so far."""


@asynccontextmanager
async def only_rotation(connection: Connection) -> AsyncGenerator[None]:
    """Hold the lock on this connection, which commits by itself. Raises RotationRunning."""
    if await (await connection.execute(SQL.try_lock)).fetchone() != (True,):
        raise RotationRunning
    try:
        yield
    finally:
        await connection.execute(SQL.unlock)


async def begin_rotation(connection: Connection, path: Path, random_bytes: RandomBytes) -> Pepper:
    """Return the pepper with the version to change to; a new one unless a rotation is under way. Call it with the lock.

    Raises PepperUnwritable, and what `load_pepper` raises.
    """
    pepper = load_pepper(path)
    is_under_way = any(version < pepper.current for version, _ in await list_pepper_versions(connection))
    if not is_under_way:
        pepper = _add_version(path, pepper, random_bytes)
    await record_pepper_version(connection, pepper)
    return pepper


def _add_version(path: Path, pepper: Pepper, random_bytes: RandomBytes) -> Pepper:
    longer = Pepper({**pepper.keys, pepper.current + 1: Secret(random_bytes(KEY_BYTES))})
    _replace(path, longer)
    return longer


def _replace(path: Path, pepper: Pepper) -> None:
    try:
        replace_private_file(path, format_pepper(pepper))
    except OSError as problem:
        raise PepperUnwritable(file=str(path), problem=problem.strerror) from None


async def rewrap_all(connection: Connection, pepper: Pepper, random_bytes: RandomBytes, tell: Tell) -> int:
    """Wrap every row with the newest version and retire the older ones; return how many rows were changed.

    Raises RotationUnfinished; everything that could be done is done then.
    """
    total, changed = 0, -1
    while changed:
        changed = 0
        for kind in KINDS:
            async for number in _rewrap_kind(connection, kind, pepper, random_bytes):
                changed += number
                tell(total + changed)
        total += changed
    in_use = await (await connection.execute(SQL.retire_older, (pepper.current,))).fetchone()
    if in_use != (0,):
        left = await (await connection.execute(SQL.count_older, (pepper.current,))).fetchone()
        raise RotationUnfinished(rows=left[0] if left else 0)
    return total


async def _rewrap_kind(
    connection: Connection, kind: Kind, pepper: Pepper, random_bytes: RandomBytes
) -> AsyncGenerator[int]:
    after = NO_ID
    while True:
        facts = {"current": pepper.current, "after": after, "limit": BATCH}
        rows = [Row(*row) for row in await (await connection.execute(kind.find, facts)).fetchall()]
        if not rows:
            return
        yield sum([await _rewrap(connection, kind, row, pepper, random_bytes) for row in rows])
        after = rows[-1].user_id


async def _rewrap(connection: Connection, kind: Kind, row: Row, pepper: Pepper, random_bytes: RandomBytes) -> int:
    try:
        inner = unseal(pepper.get_key(row.pepper_version), row.blob, kind.bind(row, row.pepper_version))
    except SealBroken:
        return 0
    version = pepper.current
    blob = seal(pepper.get_key(version), inner, kind.bind(row, version), random_bytes)
    facts = {"user_id": row.user_id, "number": row.number, "old": row.blob, "version": version, "blob": blob}
    return (await connection.execute(kind.change, facts)).rowcount


async def forget_retired(connection: Connection, path: Path, *, dry_run: bool = False) -> Sequence[int]:
    """Take versions out of the file that nothing is wrapped with; return them. Call it with the lock.

    A backup of the database from before still needs them: they have to be in a backup of the pepper.
    """
    pepper = load_pepper(path)
    retired = {row[0] for row in await (await connection.execute(SQL.list_retired)).fetchall()}
    gone = sorted(retired & pepper.keys.keys() - {pepper.current})
    if gone and not dry_run:
        _replace(path, Pepper({version: key for version, key in pepper.keys.items() if version not in gone}))
    return gone
