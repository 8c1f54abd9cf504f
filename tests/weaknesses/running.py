"""What several of these stories need: a finished sale, the books of a transaction, and a crowd that acts at once."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar, cast

import psycopg

from tests.api.running import WIRE, Installation, JsonObject

T = TypeVar("T")
Row = tuple[object, ...]
TRANSACTIONS = "/api/v1/transactions"


def read(installation: Installation, query: str, *parameters: object) -> list[Row]:
    """What a query returns."""
    with psycopg.connect(installation.superuser_dsn) as connection:
        return connection.execute(query.encode(), parameters).fetchall()


def complete(installation: Installation) -> str:
    """A sale whose payout has arrived and stands in the tables."""
    transaction = installation.sold()
    installation.confirm(transaction)
    installation.wait(transaction, lambda view: view["state"] == "completed")
    settle(installation)
    return transaction


def settle(installation: Installation) -> None:
    """Wait until the read models hold everything that was recorded."""
    headers = {"Wait_For_Position": str(installation.head())}
    assert installation.people["auditor"].get("/api/v1/audit/accounts", **headers).status_code == 200


def books(installation: Installation, transaction: str) -> list[JsonObject]:
    """Every line of the ledger about a transaction."""
    settle(installation)
    path = f"/api/v1/audit/statements?transaction_id={transaction}&limit=100"
    return cast("list[JsonObject]", installation.people["auditor"].get(path).json()["items"])


def balances(installation: Installation, transaction: str) -> dict[str, int]:
    """The accounts of a transaction that are not zero; credits are negative."""
    found = Counter[str]()
    for line in books(installation, transaction):
        found[str(line["account"])] += cast("int", line["debit_minor"]) - cast("int", line["credit_minor"])
    return {account: amount for account, amount in found.items() if amount}


def journal(installation: Installation, kind: str, reference: str) -> list[int]:
    """What the processor's own journal says about a charge, transfer or refund."""
    lines = cast("list[JsonObject]", WIRE.get(f"{installation.stand_in.base_url}/_sim/journal").json()["lines"])
    return [cast("int", line["difference_minor"]) for line in lines if line["kind"] == kind and reference in str(line)]


def at_once(acts: Sequence[Callable[[], T]]) -> list[T]:
    """What these acts, begun at the same moment, return."""
    start = Barrier(len(acts))

    def act(one: Callable[[], T]) -> T:
        start.wait(10)
        return one()

    with ThreadPoolExecutor(len(acts)) as crowd:
        return list(crowd.map(act, acts))
