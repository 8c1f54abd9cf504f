"""`ESCROW_HOME/postgres.json`: where the server is and the passwords of its roles. Readable by its owner only."""

import secrets
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from database.private_file import replace_private_file

DatabaseRole = Literal["owner", "app", "auditor"]
DATABASE_ROLES: tuple[DatabaseRole, ...] = ("owner", "app", "auditor")
FILE = "postgres.json"


class Passwords(BaseModel, frozen=True):
    """Made here once, never typed by anybody; left out of repr."""

    owner: str = Field(repr=False)
    app: str = Field(repr=False)
    auditor: str = Field(repr=False)

    def of(self, role: DatabaseRole) -> str:
        """The password of escrow_owner, escrow_app or escrow_auditor."""
        match role:
            case "owner":
                return self.owner
            case "app":
                return self.app
            case "auditor":
                return self.auditor


class EmbeddedFacts(BaseModel, frozen=True):
    """The server that we run. `root` may lie outside ESCROW_HOME: its account must be able to reach it."""

    root: Path
    passwords: Passwords
    superuser_password: str = Field(repr=False)
    socket_dir: Path | None = None
    bin_dir: Path | None = None
    version: str | None = None
    source: str | None = None
    account: str | None = None
    started_at: str | None = None
    owner_pid: int | None = None
    owner_ticks: int | None = None


class Facts(BaseModel, frozen=True):
    """Both kinds of server may have been used from one home; their passwords are kept apart."""

    embedded: EmbeddedFacts | None = None
    external: Passwords | None = None


def make_passwords() -> Passwords:
    """Fresh ones for the three roles."""
    return Passwords(owner=make_password(), app=make_password(), auditor=make_password())


def make_password() -> str:
    """192 random bits."""
    return secrets.token_urlsafe(24)


def read_facts(home: Path) -> Facts:
    """What is known about this home; empty when nothing is."""
    try:
        return Facts.model_validate_json((home / FILE).read_bytes())
    except FileNotFoundError:
        return Facts()


def write_facts(home: Path, facts: Facts) -> None:
    """Replace the file in one step, so that a reader never sees half of it."""
    replace_private_file(home / FILE, facts.model_dump_json(indent=2).encode() + b"\n")


def read_ticks(pid: int) -> int | None:
    """When the process started, in the kernel's ticks, which tells it from a later one; None when it is not there."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[19])


def is_owner_alive(facts: EmbeddedFacts) -> bool:
    """Whether the process that started the server still runs."""
    return facts.owner_pid is not None and read_ticks(facts.owner_pid) == facts.owner_ticks is not None
