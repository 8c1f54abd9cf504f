"""The embedded PostgreSQL: ours alone, on a Unix socket, alive exactly as long as its owner."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import psycopg

from database.account import ENVIRONMENT, choose_account
from database.binaries import PostgresBinaries
from database.clock import read_clock
from database.cluster import create_cluster, write_configuration
from database.errors import ServerDidNotStart, ServerNotRunning
from database.facts import (
    DatabaseRole,
    EmbeddedFacts,
    is_owner_alive,
    make_password,
    make_passwords,
    read_facts,
    read_ticks,
    write_facts,
)
from database.place import Place, choose_socket_dir, find_place, settle_orphan
from database.roles import name_of, provision_database, provision_roles
from database.timeouts import PATIENT_CONNECT_SECONDS

DATABASE = "escrow"
PORT = 5432
SUPERVISOR = Path(__file__).with_name("supervisor.py")
START_SECONDS = 30.0
RECOVERY_SECONDS = 3600.0
SETTLED_SECONDS = 1.0
PAUSE_SECONDS = 0.5


class EmbeddedServer:
    """One server per ESCROW_HOME. The first process to start it owns it; others find it running and just connect.

    `with EmbeddedServer(home, binaries) as server:` starts and stops it. When the owner is killed the supervisor stops
    the server; when the server or the supervisor is killed it is started again at once.
    """

    def __init__(self, home: Path, binaries: PostgresBinaries) -> None:
        """Nothing happens until `start`."""
        self.home = home
        self._binaries = binaries
        self._facts: EmbeddedFacts | None = None
        self._lock: int | None = None
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._guard = threading.Lock()

    def start(self) -> Self:
        """Own the server, or attach to the one whose owner is alive. ServerDidNotStart says where the log is."""
        place = find_place(self.home, self._binaries, choose_account())
        self._lock = self._take_or_attach(place)
        if self._lock is not None:
            try:
                self._start_as_owner(place)
            except BaseException:
                self.stop()
                raise
        return self

    def stop(self) -> None:
        """Let the server finish its checkpoint and leave; an attached process only lets go."""
        with self._guard:
            self._stopping.set()
            supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            _say_stop(supervisor)
        if self._lock is not None:
            self._forget_owner()
            os.close(self._lock)
            self._lock = None

    def dsn(self, role: DatabaseRole = "app", dbname: str = DATABASE) -> str:
        """The libpq URL for a role; it holds the role's password."""
        return make_dsn(self._known_facts(), name_of(role), self._known_facts().passwords.of(role), dbname)

    def superuser_dsn(self, dbname: str = "postgres") -> str:
        """For creating and dropping databases; nothing in the product works as superuser otherwise."""
        return make_dsn(self._known_facts(), "postgres", self._known_facts().superuser_password, dbname)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _forget_owner(self) -> None:
        """Our process goes on, but no longer as the owner: nobody is to wait for this server."""
        known = read_facts(self.home)
        if known.embedded is not None:
            gone = known.embedded.model_copy(update={"owner_pid": None, "owner_ticks": None})
            write_facts(self.home, known.model_copy(update={"embedded": gone}))

    def _known_facts(self) -> EmbeddedFacts:
        if self._facts is None:
            raise ServerNotRunning(home=str(self.home))
        return self._facts

    def _take_or_attach(self, place: Place) -> int | None:
        """The lock, or None once attached. An owner that is just going down, or coming up, is waited for."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if (lock := _try_lock(place.lock_file)) is not None:
                return lock
            facts = read_facts(place.home).embedded
            if facts is not None and is_owner_alive(facts) and is_answering(facts):
                self._facts = facts
                return None
            time.sleep(0.05)
        raise ServerDidNotStart(
            reason="another process holds its lock and does not get it running", log=str(place.log_file)
        )

    def _start_as_owner(self, place: Place) -> None:
        known = read_facts(place.home)
        if known.embedded is None:
            settle_orphan(place)
        before = known.embedded or _make_facts(place)
        # Written before the cluster exists: a crash in between must not leave data whose password nobody knows.
        write_facts(place.home, known.model_copy(update={"embedded": before}))
        socket_dir = choose_socket_dir(place, before.socket_dir)
        create_cluster(place, before.superuser_password, socket_dir)
        write_configuration(place, socket_dir)
        self._facts = self._describe_start(before, place, socket_dir)
        self._stopping.clear()
        self._supervisor = self._start_supervisor(place)
        threading.Thread(target=self._keep_supervised, args=(place,), daemon=True, name="postgres-supervisor").start()
        self._wait_until_ready(place)
        self._provision()
        write_facts(place.home, read_facts(place.home).model_copy(update={"embedded": self._facts}))

    def _describe_start(self, before: EmbeddedFacts, place: Place, socket_dir: Path) -> EmbeddedFacts:
        return EmbeddedFacts(
            root=place.root,
            passwords=before.passwords,
            superuser_password=before.superuser_password,
            socket_dir=socket_dir,
            bin_dir=place.binaries.bin_dir,
            version=place.binaries.version,
            source=place.binaries.source,
            account=place.account.name,
            started_at=read_clock().isoformat(),
            owner_pid=os.getpid(),
            owner_ticks=read_ticks(os.getpid()),
        )

    def _start_supervisor(self, place: Place) -> subprocess.Popen[bytes]:
        """It inherits the lock, so that nobody starts a second server while the first is still going down."""
        order = {
            "postgres": str(place.binaries.bin_dir / "postgres"),
            "data_dir": str(place.data_dir.resolve()),
            "log_file": str(place.log_file),
            "owner_pid": os.getpid(),
            "uid": None if place.account.is_ours else place.account.uid,
            "gid": None if place.account.is_ours else place.account.gid,
            "environment": ENVIRONMENT,
        }
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(SUPERVISOR), json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            pass_fds=() if self._lock is None else (self._lock,),
        )

    def _keep_supervised(self, place: Place) -> None:
        """A killed supervisor takes the server with it; start both again, one that cannot live only now and then."""
        while (supervisor := self._supervisor) is not None:
            began = time.monotonic()
            supervisor.wait()
            if time.monotonic() - began < SETTLED_SECONDS:
                self._stopping.wait(PAUSE_SECONDS)
            with self._guard:
                if not self._stopping.is_set():
                    self._supervisor = self._start_supervisor(place)

    def _wait_until_ready(self, place: Place) -> None:
        """Recovery after a crash may take long and is waited for; a server that says nothing is not."""
        began = time.monotonic()
        while True:
            try:
                psycopg.connect(self.superuser_dsn(), connect_timeout=PATIENT_CONNECT_SECONDS).close()
            except psycopg.OperationalError as error:
                limit = RECOVERY_SECONDS if "starting up" in str(error) or "recovery" in str(error) else START_SECONDS
                if time.monotonic() - began > limit:
                    raise ServerDidNotStart(log=str(place.log_file)) from error
                time.sleep(0.02)
            else:
                return

    def _provision(self) -> None:
        with psycopg.connect(self.superuser_dsn(), autocommit=True) as connection:
            provision_roles(connection, self._known_facts().passwords)
            provision_database(connection, DATABASE)


def _make_facts(place: Place) -> EmbeddedFacts:
    return EmbeddedFacts(root=place.root, passwords=make_passwords(), superuser_password=make_password())


def make_dsn(facts: EmbeddedFacts, user: str, password: str, dbname: str) -> str:
    """A libpq URL over the Unix socket."""
    query = urlencode({"host": str(facts.socket_dir), "port": str(PORT)}, quote_via=quote)
    return f"postgresql://{user}:{quote(password, safe='')}@/{quote(dbname, safe='')}?{query}"


def is_answering(facts: EmbeddedFacts) -> bool:
    """Whether the server accepts the application's connection now."""
    dsn = make_dsn(facts, name_of("app"), facts.passwords.app, DATABASE)
    try:
        psycopg.connect(dsn, connect_timeout=PATIENT_CONNECT_SECONDS).close()
    except psycopg.OperationalError:
        return False
    return True


def find_embedded_dsn(home: Path, role: DatabaseRole) -> str:
    """The URL of the server that another process runs for this home; ServerNotRunning when there is none."""
    facts = read_facts(home)
    if facts.embedded is None or not is_owner_alive(facts.embedded):
        raise ServerNotRunning(home=str(home))
    return make_dsn(facts.embedded, name_of(role), facts.embedded.passwords.of(role), DATABASE)


def _try_lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _say_stop(supervisor: subprocess.Popen[bytes]) -> None:
    """The byte asks for patience; the end of the pipe alone would mean that we died."""
    if supervisor.stdin is None:
        return
    try:
        supervisor.stdin.write(b"s")
        supervisor.stdin.close()
    except BrokenPipeError:
        return
    finally:
        supervisor.wait()
