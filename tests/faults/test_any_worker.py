"""Two API processes on one database: who signed out, or lost a role, at one is served by each once more at most."""

import uuid

import httpx
import pytest

from database.connect import open_pool
from database.postgres import EmbeddedServer
from domain.actor import Role
from identity.role import change_roles
from tests.eventstore.running import in_loop
from tests.faults.api_process import Pair
from tests.faults.sellers import sign_in_seller

REQUESTS = 10
DRAFT = {"title": "An account", "description": "As new", "price": {"amount_minor": 5, "currency": "NGN"}}


def draft(base_url: str, token: str) -> int:
    """The status of one command that only sellers may give."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
    return httpx.post(f"{base_url}/listings", json=DRAFT, headers=headers, timeout=30, trust_env=False).status_code


def sign_out(base_url: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{base_url}/auth/logout", headers=headers, timeout=30, trust_env=False).status_code


def served(both: Pair, token: str) -> list[int]:
    """How many of ten commands each process carries out."""
    return [[draft(each.base_url, token) for _ in range(REQUESTS)].count(201) for each in both]


@pytest.mark.soak
@pytest.mark.guarantee("G19", faults="a logout, and a lost role, with two API processes", runs="20 requests after each")
@in_loop
async def test_after_a_logout_or_a_lost_role_each_process_serves_once_more_at_most(
    victim: EmbeddedServer, pair: Pair
) -> None:
    _, token = await sign_in_seller(victim.superuser_dsn("escrow"), victim.dsn("app"))
    assert served(pair, token) == [REQUESTS, REQUESTS]
    assert sign_out(pair[0].base_url, token) == 204
    assert max(served(pair, token)) <= 1

    user_id, token = await sign_in_seller(victim.superuser_dsn("escrow"), victim.dsn("app"))
    assert served(pair, token) == [REQUESTS, REQUESTS]
    async with open_pool(victim.dsn("app"), max_size=1) as pool, pool.connection() as connection:
        at = (await (await connection.execute("SELECT now()")).fetchall())[0][0]
        await change_roles(connection, uuid.UUID(user_id), grant=set(), revoke={Role.SELLER}, at=at)
    assert max(served(pair, token)) <= 1
