"""Measure, print the table, write `bench/latest.json`: `make bench`, or with options `.venv/bin/python -m bench`."""

import argparse
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from bench import growth, http, in_process, rebuild
from bench.cluster import Cluster, open_cluster
from bench.measurement import Measurement, format_table, write_json
from bench.size import FULL, QUICK, Size

LATEST = Path(__file__).with_name("latest.json")
# In this order, whatever order they are asked for in: `growth` appends to the long log what is no event of ours, and
# `rebuild` refuses a log with such things in it.
MEASURES: dict[str, Callable[[Cluster, Size], list[Measurement]]] = {
    "http": http.measure,
    "commands": in_process.measure,
    "rebuild": rebuild.measure,
    "growth": growth.measure,
}


def main() -> None:
    """Run all, or those named; a quick run is for trying the bench out and writes nothing."""
    parser = argparse.ArgumentParser(prog=".venv/bin/python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers, one round; writes no file")
    parser.add_argument("--only", choices=sorted(MEASURES), action="append", help="measure only this; may be repeated")
    parser.add_argument("--events", type=int, help="how long the long log is; a million, or 50,000 when quick")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # through every `finally`: nothing is left behind
    size = QUICK if arguments.quick else FULL
    size = replace(size, long=arguments.events or size.long)
    with open_cluster() as cluster:
        names = [name for name in MEASURES if name in (arguments.only or MEASURES)]
        measured = run(cluster, names, size, None if arguments.quick else LATEST)
    print(format_table(measured))


def run(cluster: Cluster, names: Iterable[str], size: Size, file: Path | None = None) -> list[Measurement]:
    """Measure one after the other; what is measured is kept in `file`, whatever becomes of the next."""
    measured: list[Measurement] = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr)
        measured += MEASURES[name](cluster, size)
        if file is not None:
            write_json(file, measured)
    return measured


if __name__ == "__main__":
    main()
