"""Logs of real sales, each told once per run: a short one, and the long one of a million events."""

from dataclasses import dataclass
from functools import cache

from bench.cluster import Cluster, Database
from bench.fill import fill


@dataclass(frozen=True)
class Log(Database):
    """A database whose log has this many events."""

    events: int


@cache
def told(cluster: Cluster, events: int) -> Log:
    """Generate it; the next time it is there already."""
    database = cluster.make_database()
    head = fill(database, events)
    return Log(database.name, database.owner_dsn, database.app_dsn, database.superuser_dsn, head)
