"""The pepper: the root secret that stands in a file and never in the database, wrapped around every private key.

The file holds a line `escrow-pepper-v1` and a line `version base64` for each version; during a rotation there are two.
"""

import base64
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from database.connect import Connection
from database.private_file import write_private_file
from database.queries import load
from database.settings import Settings
from domain.errors import DetailedError
from domain.ids import RandomBytes
from vault.sealing import KEY_BYTES, context
from vault.secret import Secret

SQL = load("vault", "pepper.sql")
HEADER = "escrow-pepper-v1"
LINE = re.compile(r"([1-9][0-9]{0,8}) ([A-Za-z0-9+/]{43}=)", re.ASCII)
LARGEST_FILE = 64 * 1024


class PepperError(DetailedError):
    """The pepper of the vault cannot be used."""

    code = "pepper_error"


class PepperMissing(PepperError):
    """The pepper file is not there, but keys are wrapped with it. Restore the file from its backup: a new pepper would
    open nothing."""

    code = "pepper_missing"


class PepperWrong(PepperError):
    """This pepper file is not the one that the keys in this database are wrapped with. Restore the right one."""

    code = "pepper_wrong"


class PepperUnreadable(PepperError):
    """The pepper file is not in the form that this program writes."""

    code = "pepper_unreadable"


class PepperUnwritable(PepperError):
    """The pepper file cannot be made; its folder must exist and belong to the user who runs the program."""

    code = "pepper_unwritable"


class PepperExposed(PepperError):
    """The pepper file must be a plain file of the user who runs the program, readable by nobody else (mode 0600)."""

    code = "pepper_exposed"


class PepperVersionUnknown(PepperError):
    """A key is wrapped with a version of the pepper that the pepper file does not hold."""

    code = "pepper_version_unknown"


@dataclass(frozen=True, slots=True)
class Pepper:
    """Every version in the file; new keys are wrapped with the highest, `current`."""

    keys: Mapping[int, Secret] = field(repr=False)

    @property
    def current(self) -> int:
        """The version that new wrappings use; the next look may find a newer one, so a wrapping takes one look."""
        return max(self.keys)

    def get_key(self, version: int) -> Secret:
        """The 32 bytes of one version. Raises PepperVersionUnknown."""
        if version not in self.keys:
            raise PepperVersionUnknown(version=version)
        return self.keys[version]

    def prove(self, version: int) -> bytes:
        """A value that only this pepper gives and that gives nothing away, to recognise it by in the database."""
        return self._derive("pepper-proof", version)

    def derive_shared_key(self) -> bytes:
        """A key for what is no secret of the vault, the same wherever this pepper is; it gives nothing of it away."""
        return self._derive("shared-key", self.current)

    def _derive(self, purpose: str, version: int) -> bytes:
        hkdf = HKDF(SHA256(), KEY_BYTES, salt=None, info=context(purpose, version))
        return hkdf.derive(self.get_key(version).reveal())


class FilePepper(Pepper):
    """The pepper as its file has it at any moment: a version that is added while the program runs is used at once.

    Versions once read are kept, whatever becomes of the file.
    """

    __slots__ = ("_path", "_stamp", "_turn")
    _turn: Lock
    _path: Path
    _stamp: tuple[int, int, int] | None

    def __init__(self, path: Path) -> None:
        """Read the file. Raises what `load_pepper` raises."""
        self._keep("_turn", Lock())
        stamp = _stamp_of(path)
        super().__init__(load_pepper(path).keys)
        self._keep("_path", path)
        self._keep("_stamp", stamp)

    @property
    def current(self) -> int:
        """The highest version that stands in the file now."""
        self._refresh()
        return max(self.keys)

    def get_key(self, version: int) -> Secret:
        """The 32 bytes of one version. Raises PepperVersionUnknown."""
        if version not in self.keys:
            self._refresh()
        return super().get_key(version)

    def _refresh(self) -> None:
        """One thread at a time: of two that read, the slower would forget what the quicker one has found."""
        with self._turn:
            self._read_again()

    def _read_again(self) -> None:
        stamp = _stamp_of(self._path)
        if stamp is None or stamp == self._stamp:
            return
        try:
            added = load_pepper(self._path).keys
        except PepperError:
            return  # whoever changed it finds out at the next start; what was read is still right
        self._keep("keys", {**added, **self.keys})
        self._keep("_stamp", stamp)

    def _keep(self, name: str, value: object) -> None:
        """Nobody else may change a pepper: the class is frozen."""
        object.__setattr__(self, name, value)


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def get_pepper_path(settings: Settings) -> Path:
    """ESCROW_PEPPER_FILE, else `pepper` in ESCROW_HOME."""
    return settings.escrow_pepper_file or settings.escrow_home / "pepper"


def load_pepper(path: Path) -> Pepper:
    """Read and check the file. Raises PepperMissing, PepperExposed or PepperUnreadable, each naming `path`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise PepperMissing(file=str(path)) from None
    except OSError as problem:
        raise PepperUnreadable(file=str(path), problem=problem.strerror) from None
    try:
        # Looked at through the open descriptor: the name could stand for another file a moment later.
        _refuse_exposed(path, os.fstat(descriptor))
        return parse_pepper(os.read(descriptor, LARGEST_FILE), str(path))
    finally:
        os.close(descriptor)


def _refuse_exposed(path: Path, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    # 0440 of root is how systemd shows a credential to a service: the group bits are the mask of its access list.
    is_private = mode & 0o077 == 0 or (mode == 0o440 and status.st_uid == 0)  # noqa: PLR2004
    if not (stat.S_ISREG(status.st_mode) and is_private and status.st_uid in {0, os.geteuid()}):
        raise PepperExposed(file=str(path), mode=f"{mode:04o}", owner=status.st_uid)


def parse_pepper(content: bytes, name: str = "") -> Pepper:
    """Read the content of a pepper file. Raises PepperUnreadable, naming the file."""
    header, *lines = content.decode("ascii", errors="replace").removesuffix("\n").split("\n")
    keys = {version: key for version, key in map(_parse_line, lines) if key is not None}
    # Exactly as it is written: a file that was touched by hand or by chance is not to be trusted with anything.
    if header != HEADER or not keys or len(keys) != len(lines) or not content.endswith(b"\n"):
        raise PepperUnreadable(file=name)
    return Pepper(keys)


def _parse_line(line: str) -> tuple[int, Secret | None]:
    match = LINE.fullmatch(line)
    if match is None:
        return 0, None
    key = base64.b64decode(match[2])
    is_canonical = base64.b64encode(key).decode() == match[2]
    return int(match[1]), Secret(key) if is_canonical else None


def create_pepper(path: Path, random_bytes: RandomBytes) -> Pepper:
    """Write version 1 with mode 0600 and return it. Raises FileExistsError rather than touch a file that is there."""
    pepper = Pepper({1: Secret(random_bytes(KEY_BYTES))})
    write_private_file(path, format_pepper(pepper))
    return pepper


def format_pepper(pepper: Pepper) -> bytes:
    """Return the content of a pepper file."""
    lines = [f"{version} {base64.b64encode(key.reveal()).decode()}" for version, key in sorted(pepper.keys.items())]
    return "\n".join([HEADER, *lines, ""]).encode()


async def prepare_pepper(connection: Connection, path: Path, random_bytes: RandomBytes) -> Pepper:
    """Return the pepper for this database; make one only where no key was ever wrapped. Call it before serving.

    Raises PepperMissing, PepperWrong, PepperExposed, PepperUnreadable or PepperUnwritable, each naming the file.
    """
    async with connection.transaction():
        if not await _is_needed(connection):
            _create_once(path, random_bytes)
        pepper = FilePepper(path)
        # Recorded before it is compared: of two programs that start at once with different files, one finds out here,
        # and its record goes back with the transaction.
        await record_pepper_version(connection, pepper)
        await _refuse_wrong(connection, path, pepper)
    return pepper


async def _is_needed(connection: Connection) -> bool:
    cursor = await connection.execute(SQL.is_pepper_needed)
    return await cursor.fetchone() != (False,)


def _create_once(path: Path, random_bytes: RandomBytes) -> None:
    if os.path.lexists(path):
        return
    try:
        create_pepper(path, random_bytes)
    except FileExistsError:
        return  # another program of this installation was quicker; its file is the one to load
    except OSError as problem:
        raise PepperUnwritable(file=str(path), problem=problem.strerror) from None


async def _refuse_wrong(connection: Connection, path: Path, pepper: Pepper) -> None:
    for version, proof in await list_pepper_versions(connection):
        if not _is_proven(pepper, version, proof):
            raise PepperWrong(file=str(path), version=version)


def _is_proven(pepper: Pepper, version: int, proof: bytes) -> bool:
    """Asked for its key, a pepper of a file looks again for a version that was added since it was read."""
    try:
        return pepper.prove(version) == proof
    except PepperVersionUnknown:
        return False


async def record_pepper_version(connection: Connection, pepper: Pepper) -> None:
    """Remember how to recognise the current version; what was recorded first stands."""
    version = pepper.current
    await connection.execute(SQL.record_pepper_version, (version, pepper.prove(version)))


async def list_pepper_versions(connection: Connection) -> list[tuple[int, bytes]]:
    """Every version that something may be wrapped with, and what `Pepper.prove` said of it."""
    return await (await connection.execute(SQL.list_pepper_versions)).fetchall()


async def count_use(connection: Connection) -> list[tuple[int, int, int, int]]:
    """Each version with how many private keys, recovery keys and secrets of authenticator apps it wraps."""
    return await (await connection.execute(SQL.count_use)).fetchall()
