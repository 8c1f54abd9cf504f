"""Keys that nobody needs any more are gone: after a refund, after a removal, and again after a restore."""

import asyncio
import json
import os
from typing import cast

import psycopg
import pytest

from database.connect import open_pool
from domain.ids import uuid7
from eventstore.appender import Appender
from eventstore.escrow import Escrow
from reactions.vault import reconcile_vault
from tests.api.password_reset import NEW, begin_anew
from tests.api.redeposit import CREDENTIALS, T, again, living_grants, reveal, vault_of
from tests.api.running import PASSWORD, Installation, JsonObject
from tests.waiting import wait_until

REASON = "the account was taken back by its platform"


def purposes(installation: Installation, vault_id: str) -> list[str]:
    with psycopg.connect(installation.app_dsn) as connection:
        query = "SELECT purpose FROM vault_grants WHERE deposit_id = %s ORDER BY purpose"
        return [row[0] for row in connection.execute(query, (vault_id,)).fetchall()]


def grants_of_listing(installation: Installation, listing: str) -> int:
    with psycopg.connect(installation.app_dsn) as connection:
        query = "SELECT count(*) FROM vault_grants WHERE listing_id = %s"
        row = connection.execute(query, (listing,)).fetchone()
    return int(row[0]) if row else 0


def call_off(installation: Installation, transaction: str) -> None:
    for name in ("buyer", "seller"):
        installation.people[name].must(f"{T}/{transaction}/cancel", {"reason": "we both want out"})


def test_after_a_refund_the_buyers_key_is_gone_and_after_a_removal_the_sellers_too(installation: Installation) -> None:
    transaction = installation.sold()
    vault_id = vault_of(installation, transaction)
    assert purposes(installation, vault_id) == ["custody", "delivery"]
    call_off(installation, transaction)
    wait_until(lambda: purposes(installation, vault_id) == ["custody"])
    listing = installation.view(transaction)["listing_id"]
    installation.people["admin"].must(f"/api/v1/admin/listings/{listing}/remove", {"reason": REASON})
    wait_until(lambda: purposes(installation, vault_id) == [])


def test_a_removal_leaves_the_running_sale_its_keys(installation: Installation) -> None:
    transaction = installation.sold()
    vault_id, listing = vault_of(installation, transaction), installation.view(transaction)["listing_id"]
    installation.people["admin"].must(f"/api/v1/admin/listings/{listing}/remove", {"reason": REASON})
    shown = installation.people["buyer"].must(f"{T}/{transaction}/reveal", {"password": PASSWORD})
    assert shown["document"]
    installation.people["buyer"].must(f"{T}/{transaction}/reveal/acknowledge")
    wait_until(lambda: living_grants(installation, vault_id) == 0)


def test_a_removal_leaves_a_sale_that_is_not_paid_yet_its_keys(installation: Installation) -> None:
    transaction, unsold = installation.open(), installation.list_account()
    vault_id, listing = (
        wait_until(lambda: vault_of(installation, transaction)),
        installation.view(transaction)["listing_id"],
    )
    for removed in (listing, unsold):
        installation.people["admin"].must(f"/api/v1/admin/listings/{removed}/remove", {"reason": REASON})
    wait_until(lambda: grants_of_listing(installation, unsold) == 0)
    assert purposes(installation, vault_id) == ["custody"]
    installation.pay(transaction)
    installation.wait(transaction, lambda view: view["contract"] is not None)
    installation.sign(transaction)
    assert reveal(installation, transaction) == "hunter2"


def test_what_was_replaced_in_a_sale_that_came_to_nothing_is_for_sale_only_when_deposited_again(
    fresh: Installation,
) -> None:
    transaction, buyer, seller = fresh.sold(), fresh.people["buyer"], fresh.people["seller"]
    listing, vault_id = fresh.view(transaction)["listing_id"], vault_of(fresh, transaction)
    begin_anew(fresh, buyer)
    fresh.wait(transaction, lambda view: view["stuck_reason"] == "awaiting_redeposit")
    assert again(fresh, transaction, credentials=CREDENTIALS).status_code == 200
    wait_until(lambda: living_grants(fresh, vault_id) == 0)
    call_off(fresh, transaction)
    wait_until(lambda: seller.get(f"/api/v1/listings/{listing}").json()["state"] == "approved")
    assert buyer.get("/api/v1/catalog").json()["items"] == []
    refused = buyer.post(T, {"listing_id": listing})
    assert (refused.status_code, refused.json()["code"]) == (409, "listing_not_for_sale")
    seller.must(f"/api/v1/listings/{listing}/credentials", {"credentials": CREDENTIALS}, method="PUT")
    following = str(buyer.must(T, {"listing_id": listing})["id"])
    fresh.pay(following)
    fresh.wait(following, lambda view: view["contract"] is not None)
    sha256 = cast("JsonObject", fresh.view(following)["contract"])["sha256"]
    for name, password in (("buyer", NEW), ("seller", PASSWORD)):
        body = {"content_sha256": sha256, "legal_name": name, "password": password}
        fresh.people[name].must(f"{T}/{following}/contract/sign", body)
    assert reveal(fresh, following, NEW) == "hunter3"


@pytest.mark.guarantee("G11", faults="a backup from before the destruction is restored over a newer log", runs="1")
def test_a_restored_backup_opens_only_what_had_not_been_destroyed_when_it_was_made(installation: Installation) -> None:
    buyer, transactions = installation.people["buyer"], [installation.sold() for _ in range(3)]
    before, after, kept = [vault_of(installation, transaction) for transaction in transactions]
    installation.reveal(transactions[0])
    wait_until(lambda: living_grants(installation, before) == 0)
    backup = back_up(installation)
    installation.reveal(transactions[1])
    buyer.must(f"{T}/{transactions[1]}/confirm-access")
    installation.wait(transactions[1], lambda view: view["state"] == "completed")
    wait_until(lambda: living_grants(installation, after) == 0)
    with installation.without_worker():
        restore(installation, backup)
        assert [living_grants(installation, vault_id) for vault_id in (before, after, kept)] == [0, 2, 2]
        assert reconcile(installation) == (1, 0)
        assert [living_grants(installation, vault_id) for vault_id in (before, after, kept)] == [0, 0, 2]
        assert reconcile(installation) == (0, 0)
    assert buyer.post(f"{T}/{transactions[2]}/reveal", {"password": PASSWORD}).status_code == 200


TABLES = ("vault_grants", "destroyed_material")


def back_up(installation: Installation) -> dict[str, str]:
    """What stands outside the log, as a dump of it has it."""
    with psycopg.connect(installation.superuser_dsn) as connection:
        found: dict[str, str] = {}
        for table in TABLES:
            row = connection.execute(f"SELECT coalesce(json_agg(t), '[]')::text FROM {table} AS t").fetchone()
            found[table] = str(row[0]) if row else "[]"
    return found


def restore(installation: Installation, backup: dict[str, str]) -> None:
    with psycopg.connect(installation.superuser_dsn) as connection:
        connection.execute("SET session_replication_role = replica")
        for table, rows in backup.items():
            assert json.loads(rows)
            connection.execute(f"DELETE FROM {table}")
            connection.execute(f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %s)", (rows,))


def reconcile(installation: Installation) -> tuple[int, int]:
    """As `escrow vault reconcile` does, in a process of its own."""

    async def run() -> tuple[int, int]:
        dsn = installation.app_dsn
        async with open_pool(dsn, max_size=2, autocommit=True) as pool, Appender(dsn) as appender:
            escrow = Escrow(pool, appender, installation.clock, lambda: uuid7(installation.clock(), os.urandom))
            return await reconcile_vault(escrow, pool)

    return asyncio.run(run())
