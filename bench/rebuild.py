"""Rebuilding every read model, verified, beside reading the same events with COPY and the library's own runner."""

import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import psycopg

from bench.cluster import Cluster, execute
from bench.measurement import Measurement, compare, limit
from bench.million import Log, told
from bench.size import Size
from bench.stock import project_stock
from database.queries import load
from projections.registry import PROJECTIONS

SQL = load("bench", "rebuild.sql")
PROGRAM = "import sys; from replay.rebuild import rebuild; print(rebuild(sys.argv[1], actor='bench').events)"
MEGABYTE = 1024 * 1024
MOST_MEGABYTES = 400
SAMPLE_SECONDS = 0.1


def measure(cluster: Cluster, size: Size) -> list[Measurement]:
    """The log is verified, all tables are folded from it, compared with its sums, indexed and swapped in."""
    log = told(cluster, size.long)
    rounds = [measure_round(cluster, log, size.stock_events) for _ in range(size.rounds)]
    copied, rates, peaks, stock = zip(*rounds, strict=True)
    conditions = f"{cluster.conditions}; {log.events:,} events, {len(PROJECTIONS)} projections, log verified"
    single = f"{conditions}; stock: one event per transaction, one table, {size.stock_events:,} events"
    memory = f"{conditions}; resident memory (PSS) of all Python processes together, highest of samples"
    return [
        compare("rebuild / COPY", rates, copied, reach=0.05, unit="events/s", conditions=conditions),
        compare("rebuild / stock ProjectionRunner", rates, stock, reach=25, unit="events/s", conditions=single),
        limit("memory of a rebuild", max(peaks) / MEGABYTE, MOST_MEGABYTES, reach=1, unit="MB", conditions=memory),
    ]


def measure_round(cluster: Cluster, log: Log, stock_events: int) -> tuple[float, float, int, float]:
    """Events per second of COPY and of the rebuild, the most memory of the rebuild, events per second of stock."""
    cluster.settle()
    copied = copy_out(log)
    rate, peak = rebuild(log)
    return copied, rate, peak, project_stock(cluster, stock_events)


def copy_out(log: Log) -> float:
    """Events per second through COPY, once to warm the cache and then measured."""
    _ = time_copy(log)
    return log.events / time_copy(log)


def time_copy(log: Log) -> float:
    """Seconds that it takes to send every event to a client."""
    began = perf_counter()
    with psycopg.connect(log.owner_dsn) as connection, connection.cursor() as cursor, cursor.copy(SQL.copy_out) as copy:
        for _ in copy:
            pass
    return perf_counter() - began


def rebuild(log: Log) -> tuple[float, int]:
    """Events per second from start to swap, process and all; and the most memory that it held."""
    began = perf_counter()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, log.owner_dsn], stdout=subprocess.PIPE, text=True)
    with watch(process.pid) as samples:
        output, _ = process.communicate()
    seconds = perf_counter() - began
    assert process.returncode == 0, "the rebuild failed"
    events = int(output)
    head = execute(log.owner_dsn, SQL.find_position)[0][0]
    assert events == head, f"rebuilt {events}, the tables are at {head}"
    return events / seconds, max(samples)


@contextmanager
def watch(pid: int) -> Generator[Sequence[int]]:
    """The resident bytes of the process and all its children, again and again while the block lasts."""
    samples, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(SAMPLE_SECONDS):
            samples.append(sum(read_resident(process) for process in list_family(pid)))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def list_family(pid: int) -> list[int]:
    """The process and its descendants."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(one for child in children for one in list_family(child))]


def read_resident(pid: int) -> int:
    """Bytes, each shared by several processes counted once between them; 0 for a process that has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
