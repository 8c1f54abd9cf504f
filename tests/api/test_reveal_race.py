"""Fifty people at one safe: of all reveals at once one is recorded, and one answer goes out."""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.api.running import PASSWORD, Installation

AT_ONCE = 50


async def reveal_at_once(installation: Installation, transaction: str) -> Counter[int]:
    """The statuses of so many attempts, each under a key of its own."""
    headers = {"Authorization": f"Bearer {installation.people['buyer'].token}"}
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(
        base_url=installation.base_url, headers=headers, trust_env=False, timeout=60, limits=limits
    ) as client:
        path, body = f"/api/v1/transactions/{transaction}/reveal", {"password": PASSWORD}
        attempts = [client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())}) for _ in range(AT_ONCE)]
        return Counter(answer.status_code for answer in await asyncio.gather(*attempts))


def count_reveals(installation: Installation, transaction: str) -> int:
    with psycopg.connect(installation.app_dsn) as connection:
        query = "SELECT count(*) FROM event_log WHERE type = %s AND stream::text = %s"
        row = connection.execute(query, ("transaction.credentials_revealed.v1", transaction)).fetchone()
    return int(row[0]) if row else 0


def race(installation: Installation, rounds: int) -> None:
    for _ in range(rounds):
        transaction = installation.sold()
        statuses = asyncio.run(reveal_at_once(installation, transaction))
        assert statuses[200] == 1, statuses
        assert set(statuses) <= {200, 409, 429}, statuses
        assert count_reveals(installation, transaction) == 1


@pytest.mark.guarantee("G10", faults="50 reveals of one deposit at once", runs="1 round; 200 in `make soak`")
def test_of_fifty_reveals_at_once_one_is_recorded(installation: Installation) -> None:
    race(installation, 1)


@pytest.mark.soak
@pytest.mark.guarantee("G10", faults="50 reveals of one deposit at once", runs="200 rounds")
def test_of_fifty_reveals_at_once_one_is_recorded_two_hundred_times(installation: Installation) -> None:
    race(installation, 200)
