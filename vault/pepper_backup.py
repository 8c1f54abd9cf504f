"""A copy of the pepper file that opens with a passphrase: for a place where the backups of the database are not.

Three lines: `escrow-pepper-backup-v1`; `argon2id`, memory in KiB, iterations, lanes and the salt; the sealed file. What
is binary is in base64.
"""

import base64
import binascii
import re

from database.connect import Connection
from database.queries import load
from domain.errors import Refused
from domain.ids import RandomBytes
from vault.keypair import open_outer_layer
from vault.password import RECOMMENDED, SALT_BYTES, Argon2Cost, UnfitPassword, UnsafeCost, derive_keys, normalise
from vault.pepper import Pepper, PepperError, PepperVersionUnknown, list_pepper_versions
from vault.sealing import SealBroken, context, seal, unseal
from vault.secret import Secret

SQL = load("vault", "pepper_backup.sql")
HEADER = "escrow-pepper-backup-v1"
COST = re.compile(r"argon2id ([0-9]{1,9}) ([0-9]{1,3}) ([0-9]{1,3}) ([A-Za-z0-9+/]+={0,2})", re.ASCII)
LINES = 3
SHORTEST_PASSPHRASE = 12
"""In characters: nothing but the work of Argon2id stands between whoever finds a backup and the pepper."""


class BackupUnreadable(PepperError):
    """This is no backup of a pepper, or it was damaged."""

    code = "pepper_backup_unreadable"


class UnfitPassphrase(UnfitPassword):
    """A passphrase of a backup has 12 characters or more."""

    code = "unfit_passphrase"


class BackupLocked(PepperError):
    """The passphrase does not open this backup, or the backup was damaged."""

    code = "pepper_backup_locked"


class BackupIncomplete(Refused):
    """This backup does not open what is stored in this database: make a new one while the pepper file is there."""

    code = "pepper_backup_incomplete"


def make_backup(pepper_file: bytes, passphrase: str, random_bytes: RandomBytes) -> bytes:
    """Return the sealed copy of a pepper file. Raises UnfitPassphrase for a short one; an older backup still opens."""
    if len(normalise(passphrase).reveal().decode()) < SHORTEST_PASSPHRASE:
        raise UnfitPassphrase
    cost, salt = RECOMMENDED.stretch, random_bytes(SALT_BYTES)
    key = derive_keys(passphrase, salt, cost).unlock_key
    sealed = seal(key, Secret(pepper_file), context("pepper-backup"), random_bytes)
    how = f"argon2id {cost.memory_kib} {cost.iterations} {cost.lanes} {base64.b64encode(salt).decode()}"
    return f"{HEADER}\n{how}\n{base64.b64encode(sealed).decode()}\n".encode()


def open_backup(backup: bytes, passphrase: str) -> bytes:
    """Return the pepper file in a backup. Raises BackupUnreadable, BackupLocked."""
    cost, salt, sealed = _read(backup)
    try:
        key = derive_keys(passphrase, salt, cost).unlock_key
    except UnsafeCost:
        raise BackupUnreadable from None
    try:
        return unseal(key, sealed, context("pepper-backup")).reveal()
    except SealBroken:
        raise BackupLocked from None


def _read(backup: bytes) -> tuple[Argon2Cost, bytes, bytes]:
    lines = backup.decode("ascii", errors="replace").split("\n")
    how = COST.fullmatch(lines[1]) if len(lines) == LINES + 1 and lines[0] == HEADER and not lines[3] else None
    if how is None:
        raise BackupUnreadable
    cost = Argon2Cost(memory_kib=int(how[1]), iterations=int(how[2]), lanes=int(how[3]))
    try:
        return cost, base64.b64decode(how[4], validate=True), base64.b64decode(lines[2], validate=True)
    except binascii.Error:
        raise BackupUnreadable from None


async def prove_backup(connection: Connection, pepper: Pepper) -> int:
    """Open the outer layer of one stored key of each version with this pepper; return how many versions there are.

    Raises BackupIncomplete when one is missing or does not open: what it opens is proven, not concluded from a name.
    """
    versions = await list_pepper_versions(connection)
    samples = await (await connection.execute(SQL.list_samples)).fetchall()
    try:
        if any(pepper.prove(version) != proof for version, proof in versions):
            raise BackupIncomplete
        for sample in samples:
            open_outer_layer(*sample, pepper=pepper)
    except (PepperVersionUnknown, SealBroken):
        raise BackupIncomplete from None
    return len(versions)
