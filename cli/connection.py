"""How a command reaches the database: which server, as whom, and for how long."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from database.binaries import find_server
from database.connect import Pool, open_pool, resolve_dsn
from database.facts import DatabaseRole
from database.migrate import migrate
from database.postgres import EmbeddedServer
from database.settings import Settings

T = TypeVar("T")
CONNECTIONS = 2


@contextmanager
def running_server(settings: Settings) -> Generator[None]:
    """Have a database for the length of the block: one's own, the embedded one that runs, or it is started."""
    if settings.database_url is not None:
        yield
        return
    with EmbeddedServer(settings.escrow_home, find_server(settings)):
        yield


def prepare_database(settings: Settings) -> list[str]:
    """Apply the migrations and make the tables of the projections; return the names of what was applied."""
    from projections.install import install  # it knows every fold, which commands that only read do not need

    owner = resolve_dsn(settings, "owner")
    applied = migrate(owner)
    install(owner)
    return applied


def run_as(role: DatabaseRole, settings: Settings, work: Callable[[Pool], Awaitable[T]]) -> T:
    """Return what `work` makes of connections of a role, on a server that runs for as long as it takes."""

    async def connect() -> T:
        async with open_pool(resolve_dsn(settings, role), max_size=CONNECTIONS, autocommit=True) as pool:
            return await work(pool)

    with running_server(settings):
        return asyncio.run(connect())
