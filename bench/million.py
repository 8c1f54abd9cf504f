"""The long log, told once per run: a million events of real sales, or fewer when it has to be quick."""

from dataclasses import dataclass
from functools import cache

from bench.fill import fill
from bench.ground import Database, Ground

LONG, QUICK, SHORT = 1_000_000, 50_000, 10_000


@dataclass(frozen=True)
class Log(Database):
    """A database whose log has this many events."""

    events: int


@cache
def told(ground: Ground, events: int) -> Log:
    """Generate it; the next time it is there already."""
    database = ground.make_database()
    head = fill(database, events)
    return Log(database.name, database.owner_dsn, database.app_dsn, database.superuser_dsn, head)


def long_log(ground: Ground, events: int) -> Log:
    """The long one, the same for all who ask for as many events."""
    return told(ground, events)


def short_log(ground: Ground) -> Log:
    """The short one."""
    return told(ground, SHORT)
