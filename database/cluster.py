"""Making a cluster and writing its configuration."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from database.account import ENVIRONMENT
from database.binaries import PostgresBinaries
from database.errors import BinariesUnusable, ServerDidNotStart
from database.place import Place, make_private

CONFIGURATION = """\
# Written at every start; what you want to change goes into custom.conf beside this file.
listen_addresses = ''
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
port = 5432
max_connections = 100
shared_buffers = 256MB
max_wal_size = 2GB
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
fsync = on
full_page_writes = on
synchronous_commit = on
password_encryption = scram-sha-256
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, ymd'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.simple'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] %q%u@%d '
# Statements and their values may hold what must never reach a log: neither the text, nor parameters, nor the DETAIL
# of a violated constraint.
log_statement = 'none'
log_min_duration_statement = -1
log_min_error_statement = 'panic'
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_error_verbosity = 'terse'
include_if_exists = 'custom.conf'
"""


def create_cluster(place: Place, superuser_password: str, socket_dir: Path) -> None:
    """Run initdb unless there is a cluster; under another name first, so that a crash leaves no half cluster."""
    if (place.data_dir / "PG_VERSION").exists():
        refuse_other_version(place.data_dir, place.binaries)
        return
    fresh = place.root / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    make_private(fresh, place.account)
    with _password_file(place, superuser_password, socket_dir) as password_file:
        _run_initdb(place, fresh, password_file)
    fresh.rename(place.data_dir)


def write_configuration(place: Place, socket_dir: Path) -> None:
    """Ours replaces what initdb wrote. It is written where the server's account has no hand: root follows links."""
    path = place.data_dir / "postgresql.conf"
    fresh = place.root / "postgresql.conf.new"
    fresh.write_text(CONFIGURATION.format(socket_dir=socket_dir), encoding="utf-8")
    place.account.own(fresh).chmod(0o600)
    fresh.replace(path)


def _run_initdb(place: Place, data_dir: Path, password_file: Path) -> None:
    command = [
        str(place.binaries.path_of("initdb")),
        f"--pgdata={data_dir}",
        "--username=postgres",
        f"--pwfile={password_file}",
        "--auth-local=scram-sha-256",
        "--auth-host=reject",
        "--data-checksums",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
    ]
    identity = place.account.identity
    done = subprocess.run(command, cwd="/", env=ENVIRONMENT, capture_output=True, text=True, check=False, **identity)
    if done.returncode != 0:
        raise ServerDidNotStart(reason="initdb failed", output=done.stderr.strip())


@contextmanager
def _password_file(place: Place, password: str, folder: Path) -> Generator[Path]:
    """In the socket's folder, which only the server's account can enter."""
    descriptor, name = tempfile.mkstemp(prefix="initdb-", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            place.account.own_open(file.fileno())
            file.write(password + "\n")
        yield path
    finally:
        path.unlink(missing_ok=True)


def refuse_other_version(data_dir: Path, binaries: PostgresBinaries) -> None:
    """Raise BinariesUnusable for programs that cannot read this data."""
    made_by = (data_dir / "PG_VERSION").read_text(encoding="ascii").strip()
    if int(made_by) != binaries.major:
        raise BinariesUnusable(
            reason="another major version made this data; choose that one with ESCROW_PG_BIN, or dump and restore",
            data=made_by,
            programs=binaries.version,
        )
