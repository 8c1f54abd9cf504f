"""The server's own yardstick: rows inserted one by one, each in a transaction of its own."""

import re
import subprocess
import tempfile
from pathlib import Path

from bench.cluster import Cluster, execute, find_pgbench
from database.queries import load

SQL = load("bench", "pgbench.sql")
RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


def insert_rows(cluster: Cluster, *, seconds: int, clients: int) -> float:
    """Return single-row INSERTs per second, each durable."""
    database = cluster.make_database(empty=True)
    execute(database.superuser_dsn, SQL.create_yardstick)
    cluster.settle()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "insert.sql"
        script.write_text(f"{SQL.insert_row}\n", encoding="ascii")
        rate = _run(database.superuser_dsn, script, seconds, clients)
    cluster.drop(database)
    return rate


def _run(dsn: str, script: Path, seconds: int, clients: int) -> float:
    command = [find_pgbench(), "-n", "-M", "prepared", "-f", script, "-T", seconds, "-c", clients, "-j", 2, dsn]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    found = RATE.search(done.stdout)
    assert found is not None, done.stdout
    return float(found[1])
