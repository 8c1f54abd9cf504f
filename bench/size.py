"""How much is measured: everything, a little to try the bench out, or next to nothing to see that it all still runs."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Size:
    """Numbers of events unless the name says otherwise."""

    rounds: int
    long: int
    short: int
    requests_per_connection: int
    commands: int
    stock_commands: int
    stock_events: int
    pgbench_seconds: int
    batches: int


FULL = Size(
    rounds=3,
    long=1_000_000,
    short=10_000,
    requests_per_connection=80,
    commands=4_000,
    stock_commands=1_000,
    stock_events=2_000,
    pgbench_seconds=4,
    batches=400,
)
QUICK = Size(
    rounds=1,
    long=50_000,
    short=10_000,
    requests_per_connection=20,
    commands=2_000,
    stock_commands=1_000,
    stock_events=2_000,
    pgbench_seconds=2,
    batches=50,
)
TINY = Size(
    rounds=1,
    long=600,
    short=200,
    requests_per_connection=1,
    commands=100,
    stock_commands=50,
    stock_events=50,
    pgbench_seconds=1,
    batches=3,
)
