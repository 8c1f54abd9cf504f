"""The embedded server lives exactly as long as its owner, and no kill leaves anything behind or loses a commit."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from database.errors import ServerDidNotStart, ServerNotRunning
from database.facts import read_facts
from database.postgres import EmbeddedServer, find_embedded_dsn
from database.supervisor import list_servers
from tests.conftest import embedded
from tests.database.postmaster import find_data_dir, find_parent, find_postmaster, find_postmaster_in, server_identity
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
OWN = """
import sys, time
from pathlib import Path
from database.binaries import find_server
from database.postgres import EmbeddedServer
from database.settings import Settings
EmbeddedServer(Path(sys.argv[1]), find_server(Settings())).start()
print("ready", flush=True)
time.sleep(600)
"""


def test_a_killed_server_is_started_again_and_keeps_what_was_committed(own_server: EmbeddedServer) -> None:
    execute(own_server.dsn("owner"), "CREATE TABLE kept AS SELECT 1 AS x")
    victim = find_postmaster(own_server)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: is_answering(own_server) and find_postmaster(own_server) != victim)
    assert execute(own_server.dsn("owner"), "SELECT x FROM kept") == (1,)


def test_a_killed_supervisor_and_its_server_are_started_again(own_server: EmbeddedServer) -> None:
    victim = find_postmaster(own_server)
    os.kill(find_parent(victim), signal.SIGKILL)
    wait_until(lambda: is_answering(own_server) and find_postmaster(own_server) != victim)


def test_a_supervisor_that_cannot_live_is_not_started_again_without_end(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, starts = tmp_path / "dies.py", tmp_path / "starts"
    script.write_text(f"with open({str(starts)!r}, 'a') as file: file.write('x')")
    monkeypatch.setattr("database.postgres.SUPERVISOR", script)
    monkeypatch.setattr("database.postgres.START_SECONDS", 2.0)
    with pytest.raises(ServerDidNotStart):
        embedded(home).start()
    assert 1 <= len(starts.read_text()) <= 6


def test_a_killed_owner_leaves_no_process_and_the_next_start_recovers(home: Path) -> None:
    with start_owner(home) as owner:
        execute(find_embedded_dsn(home, "owner"), "CREATE TABLE kept AS SELECT 1 AS x")
        data_dir = find_data_dir(home)
        supervisor = find_parent(find_postmaster_in(data_dir))
        owner.kill()
    wait_until(lambda: not list_servers(data_dir) and not Path(f"/proc/{supervisor}").exists())
    with pytest.raises(ServerNotRunning):
        find_embedded_dsn(home, "app")
    with embedded(home) as server:
        assert execute(server.dsn("owner"), "SELECT x FROM kept") == (1,)


def test_killing_everything_at_once_leaves_no_process_and_loses_nothing(home: Path) -> None:
    with start_owner(home) as owner:
        execute(find_embedded_dsn(home, "owner"), "CREATE TABLE kept AS SELECT 1 AS x")
        data_dir = find_data_dir(home)
        postmaster = find_postmaster_in(data_dir)
        for victim in (owner.pid, find_parent(postmaster), postmaster):
            os.kill(victim, signal.SIGKILL)
    with embedded(home) as server:
        assert execute(server.dsn("owner"), "SELECT x FROM kept") == (1,)
    assert list_servers(data_dir) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_terminated_owner_shuts_the_server_down_cleanly(home: Path, number: signal.Signals) -> None:
    with start_owner(home) as owner:
        data_dir = find_data_dir(home)
        owner.send_signal(number)
    wait_until(lambda: not list_servers(data_dir))
    assert "database system is shut down" in (home / "postgres.log").read_text().splitlines()[-1]


def test_a_second_owner_attaches_and_its_leaving_stops_nothing(own_server: EmbeddedServer, home: Path) -> None:
    with embedded(home) as second:
        assert second.dsn("app") == own_server.dsn("app")
        assert len(list_postmasters(home)) == 1
    assert is_answering(own_server)


def test_two_processes_that_start_at_once_share_one_server(home: Path) -> None:
    with start_owner(home), start_owner(home):
        wait_until(lambda: execute(find_embedded_dsn(home, "app"), "SELECT 1") == (1,))
        assert len(list_postmasters(home)) == 1


def list_postmasters(home: Path) -> list[int]:
    """The servers that no server started; one of their children may end while we look."""
    found: list[int] = []
    for pid in list_servers(find_data_dir(home)):
        with suppress(FileNotFoundError, ProcessLookupError):
            if find_parent(pid) not in list_all(home):
                found.append(pid)
    return found


def test_a_stale_pid_file_with_a_strangers_number_does_not_stop_the_start(home: Path) -> None:
    with embedded(home) as server:
        data_dir = find_data_dir(home)
    stranger = subprocess.Popen(["/bin/sleep", "60"], **server_identity())
    (data_dir / "postmaster.pid").write_text(f"{stranger.pid}\n{data_dir}\n0\n5432\n\n\n\n")
    try:
        with embedded(home) as server:
            assert is_answering(server)
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.weakness("W34")
@pytest.mark.parametrize("name", [f"{'d' * 100}/{'e' * 100}", 'a, b\'s \\ "home" %s é'])
def test_a_home_with_a_long_or_strange_path_works(home: Path, name: str) -> None:
    deep = home / name
    with embedded(deep) as server:
        socket_dir = read_facts(deep).embedded.socket_dir
        assert is_answering(server)
        assert socket_dir.stat().st_mode & 0o777 == 0o700
    with embedded(deep):
        assert read_facts(deep).embedded.socket_dir == socket_dir
    socket_dir.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server under another account")
def test_a_home_out_of_the_servers_reach_keeps_its_data_elsewhere(home: Path) -> None:
    home.chmod(0o700)
    with embedded(home) as server:
        root = read_facts(home).embedded.root
        execute(server.dsn("owner"), "CREATE TABLE kept AS SELECT 1 AS x")
    assert root.is_relative_to("/var/lib/escrow")
    home.chmod(0o755)
    with embedded(home) as server:
        assert read_facts(home).embedded.root == root
        assert execute(server.dsn("owner"), "SELECT x FROM kept") == (1,)


def test_the_server_listens_on_a_private_socket_only(own_server: EmbeddedServer, home: Path) -> None:
    assert execute(own_server.superuser_dsn(), "SHOW listen_addresses") == ("",)
    assert (find_data_dir(home).stat().st_mode & 0o777, (home / "postgres.json").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )


def test_a_wrong_password_is_refused(own_server: EmbeddedServer) -> None:
    right = own_server.dsn("app")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        execute(right.replace("escrow_app:", "escrow_app:x"), "SELECT 1")


def test_no_statement_value_or_password_reaches_the_log(own_server: EmbeddedServer, home: Path) -> None:
    dsn = own_server.dsn("owner")
    execute(dsn, "CREATE TABLE secrets (x text PRIMARY KEY)")
    for _ in range(2):
        with psycopg.connect(dsn) as connection, suppress(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO secrets (x) VALUES (%s) -- canary", ("canary",))
    with pytest.raises(psycopg.errors.SyntaxError):
        execute(dsn, "SELEKT 'canary'")
    log = (home / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "canary" not in log
    assert read_facts(home).embedded.passwords.owner not in log


def start_owner(home: Path) -> subprocess.Popen[str]:
    """Another process that owns (or attaches to) the server; ready when this returns, waited for on leaving."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    owner = Owner([sys.executable, "-c", OWN, str(home)], stdout=subprocess.PIPE, text=True, env=environment)
    assert owner.stdout.readline() == "ready\n"
    return owner


class Owner(subprocess.Popen[str]):
    """Never outlives its test."""

    def __exit__(self, *details: object) -> None:
        if not any(details) and self.poll() is None:
            time.sleep(0.05)
        self.terminate()
        super().__exit__(*details)


def execute(dsn: str, statement: str) -> tuple[object, ...] | None:
    """Run one statement and commit; its first row."""
    with psycopg.connect(dsn) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone() if cursor.description else None


def is_answering(server: EmbeddedServer) -> bool:
    try:
        return execute(server.dsn("app"), "SELECT 1") == (1,)
    except psycopg.OperationalError:
        return False


def list_all(home: Path) -> list[int]:
    return list_servers(find_data_dir(home))
