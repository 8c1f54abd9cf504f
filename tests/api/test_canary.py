"""The canary: it opens while the vault does, fails with it, and says when all is well again."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from api.canary import look_once
from database.connect import open_pool
from domain.ids import uuid7
from eventstore.appender import Appender
from eventstore.escrow import Escrow
from tests.api.running import WIRE, Installation
from tests.waiting import wait_until


def look(installation: Installation) -> str:
    """Look once; what the metric says then."""

    async def run() -> None:
        dsn, clock = installation.app_dsn, installation.clock
        async with open_pool(dsn, max_size=2, autocommit=True) as pool, Appender(dsn) as appender:
            escrow = Escrow(pool, appender, clock, lambda: uuid7(clock(), os.urandom))
            await look_once(replace(installation.dependencies, pool=pool, escrow=escrow))

    asyncio.run(run())
    text = WIRE.get(f"{installation.base_url}/metrics").text
    return next(line for line in text.splitlines() if line.startswith("escrow_vault_canary_ok")).split()[1]


@contextmanager
def spoilt(installation: Installation, column: str) -> Iterator[None]:
    """One byte of the canary is another for a while."""
    flip = f"UPDATE vault_canary SET {column} = set_byte({column}, 20, get_byte({column}, 20) # 1)"
    with psycopg.connect(installation.superuser_dsn, autocommit=True) as connection:
        connection.execute(flip)
        try:
            yield
        finally:
            connection.execute(flip)


def alerts(installation: Installation) -> list[tuple[str, str]]:
    with psycopg.connect(installation.app_dsn) as connection:
        query = "SELECT severity, kind FROM alerts WHERE kind LIKE 'vault_canary%' ORDER BY position"
        return [(row[0], row[1]) for row in connection.execute(query).fetchall()]


@pytest.mark.parametrize("column", ["wrapped_private_key", "key_commitment", "sealed", "ciphertext", "commitment"])
def test_a_canary_with_one_changed_byte_is_a_p0_until_it_opens_again(installation: Installation, column: str) -> None:
    before = alerts(installation)
    assert look(installation) == "1.0"
    with spoilt(installation, column):
        assert look(installation) == "0.0"
        assert look(installation) == "0.0"
    assert look(installation) == "1.0"
    told = [("P0", "vault_canary_failed"), ("P2", "vault_canary_recovered")]
    wait_until(lambda: alerts(installation) == before + told)
