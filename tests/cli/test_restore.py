"""The backup and the restore of the documentation, step by step as they are printed, and what came back is verified.

It is restored onto a server of one's own. The steps for the embedded server are not tried here: they want a second home
under `/srv` and a terminal of their own.
"""

from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest

from database.facts import DATABASE_ROLES, read_facts
from database.postgres import EmbeddedServer
from tests.database.conftest import home, own_server
from tests.escrow_command import environment_of
from tests.pages import DOCS, ROOT, blocks, paste, programs, shell_of
from tests.running_demo import Demo

__all__ = ["home", "own_server"]
PAGE = DOCS / "how-to" / "restore.md"
DUMP, DUMP_BY_ADDRESS = blocks(PAGE, "sh", "Back up, daily")
MAKE, MAKE_ROLES, RESTORE, RESTORE_OR_NOTHING, VERIFY, DESTROY_AGAIN, PUT_THE_BRAKE_ON = blocks(PAGE, "sh", "Restore")
(NEWEST,) = blocks(PAGE, "sql", "Back up, daily")
NOTED = "120934"
DUMPED = "backup_20241216.sql"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the operator stands: the command is there, and nothing else."""
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


@pytest.fixture
def shell(own_server: EmbeddedServer, folder: Path) -> Mapping[str, str]:
    """The shell of an operator on a new server of his own, who may enter it without a password."""
    facts = read_facts(own_server.home).embedded
    assert facts is not None
    access = facts.root / "data" / "pg_hba.conf"
    access.write_text("local all all trust\n")
    with psycopg.connect(own_server.superuser_dsn(), autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("DROP DATABASE escrow")
        for role in DATABASE_ROLES:
            connection.execute(f"DROP ROLE escrow_{role}")
    return {**newest(environment_of(folder / "new")), "PGHOST": str(facts.socket_dir)}


def newest(environment: Mapping[str, str]) -> Mapping[str, str]:
    """With the programs of the server's own version first, as the page wants them."""
    return shell_of({**environment, "PATH": f"{programs()}:{environment['PATH']}"})


def back_up(demo: Demo, folder: Path) -> int:
    """Dump the demo, and note the newest position with it."""
    paste(newest(demo.environment), folder / "dump.sh", DUMP_BY_ADDRESS, f"mv backup_*.sql {DUMPED}\n", cwd=folder)
    with psycopg.connect(demo.facts["dsn"]["auditor"]) as connection:  # type: ignore[index]
        row = connection.execute(NEWEST).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return row[0]


def test_a_backup_comes_back_whole_and_a_lost_tail_is_found(
    demo: Demo, own_server: EmbeddedServer, shell: Mapping[str, str], folder: Path
) -> None:
    head = back_up(demo, folder)
    (folder / "new").mkdir()
    (folder / "new" / "pepper").write_bytes((demo.home / "pepper").read_bytes())
    (folder / "new" / "pepper").chmod(0o600)
    assert NOTED in VERIFY
    again = "dropdb -U postgres --force escrow_prod\n" + MAKE.splitlines()[1] + "\n"
    both_ways = [MAKE, MAKE_ROLES, RESTORE_OR_NOTHING, again, MAKE_ROLES, f"{RESTORE.strip()} 2> errors\n"]
    shown = paste(
        shell, folder / "restore.sh", *both_ways, VERIFY.replace(NOTED, str(head)), DESTROY_AGAIN, PUT_THE_BRAKE_ON,
        f".venv/bin/escrow replay verify --expected-head {10**9} || echo exit code $?\n", cwd=folder,
    )  # fmt: skip
    assert "exit code 3" in shown
    assert (folder / "errors").read_text() == ""
    paste(shell, folder / "dump.sh", DUMP, cwd=folder)
    assert len(list(folder.glob("backup_*.sql"))) == 2
    with psycopg.connect(own_server.superuser_dsn("escrow_prod")) as connection:
        connection.execute("SET ROLE escrow_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM escrow_events")
