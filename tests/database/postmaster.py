"""Which process of a server is which, and the account that they run under."""

from pathlib import Path

from database.account import choose_account
from database.facts import read_facts
from database.postgres import EmbeddedServer


def server_identity() -> dict[str, int]:
    """A process of the same account is what confuses PostgreSQL."""
    return dict(choose_account().identity)


def find_data_dir(home: Path) -> Path:
    return read_facts(home).embedded.root / "data"


def find_postmaster(server: EmbeddedServer) -> int:
    return find_postmaster_in(find_data_dir(server.home))


def find_postmaster_in(data_dir: Path) -> int:
    try:
        return int((data_dir / "postmaster.pid").read_text().splitlines()[0])
    except (FileNotFoundError, IndexError):
        return 0


def find_parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
