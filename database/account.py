"""The operating-system account of the server: PostgreSQL refuses to run as root, so root lends it another one."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from database.errors import ServerDidNotStart

CANDIDATES = ("postgres", "nobody")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class Identity(TypedDict, total=False):
    """The arguments of `subprocess` that change the account; empty to stay as we are."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A uid and gid with an entry in passwd, which initdb insists on."""

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether no change of account is needed."""
        return self.uid == os.geteuid()

    @property
    def identity(self) -> Identity:
        """For subprocess calls."""
        return {} if self.is_ours else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> Path:
        """Give `path` to the server."""
        if not self.is_ours:
            os.chown(path, self.uid, self.gid)
        return path

    def own_open(self, descriptor: int) -> None:
        """Give an open file to the server: a name may be a link by now, where its account has a hand."""
        if not self.is_ours:
            os.fchown(descriptor, self.uid, self.gid)

    def can_run(self, program: Path) -> bool:
        """Tried, not computed: parents, ACLs and mount options count too."""
        return self._succeeds([str(program), "--version"])

    def can_enter(self, folder: Path) -> bool:
        """Whether every folder on the way lets the server through."""
        return self._succeeds(["/usr/bin/test", "-x", str(folder)])

    def _succeeds(self, command: list[str]) -> bool:
        try:
            done = subprocess.run(command, cwd="/", env=ENVIRONMENT, capture_output=True, check=False, **self.identity)
        except OSError:
            return False
        return done.returncode == 0


def choose_account() -> Account:
    """Ourselves, or for root `postgres` where there is one, else `nobody`."""
    if os.geteuid() != 0:
        return Account(str(os.geteuid()), os.geteuid(), os.getegid())
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise ServerDidNotStart(reason="root needs an account named postgres or nobody to run the server")
