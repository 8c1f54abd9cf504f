"""Handing over once more, and what opens."""

import hashlib
from typing import cast

import httpx
import psycopg

from tests.api.running import PASSWORD, Installation, JsonObject

T = "/api/v1/transactions"
CREDENTIALS = {"username": "someone", "password": "hunter3"}


def again(installation: Installation, transaction: str, key: str | None = None, **fields: object) -> httpx.Response:
    seller = installation.people["seller"]
    text = seller.get(f"{T}/{transaction}/addendum")
    sha256 = hashlib.sha256(text.content).hexdigest() if text.status_code == 200 else "0" * 64
    body = {"content_sha256": sha256, "legal_name": "seller", "password": PASSWORD} | fields
    return seller.post(f"{T}/{transaction}/redeposit", body, key=key)


def reveal(installation: Installation, transaction: str, password: str = PASSWORD) -> str:
    shown = installation.people["buyer"].must(f"{T}/{transaction}/reveal", {"password": password})
    document = cast("JsonObject", shown["document"])
    return str(cast("JsonObject", document["credentials"])["password"])


def living_grants(installation: Installation, vault_id: str) -> int:
    with psycopg.connect(installation.app_dsn) as connection:
        query = "SELECT count(*) FROM vault_grants WHERE deposit_id = %s"
        row = connection.execute(query, (vault_id,)).fetchone()
    return int(row[0]) if row else 0


def vault_of(installation: Installation, transaction: str) -> str:
    with psycopg.connect(installation.app_dsn) as connection:
        query = "SELECT vault_id FROM credential_vaults WHERE transaction_id = %s ORDER BY position DESC LIMIT 1"
        row = connection.execute(query, (transaction,)).fetchone()
    return str(row[0]) if row else ""
