"""The books over HTTP: of any moment of the past, complete or not at all."""

import threading
from collections import Counter

import psycopg

from tests.api.running import Installation


def test_the_past_does_not_change_when_money_moves_on(installation: Installation) -> None:
    auditor = installation.people["auditor"]
    installation.hold()
    position = installation.head()
    past = auditor.get(f"/api/v1/audit/trial-balance?as_of={position}").json()
    accounts = auditor.get(f"/api/v1/audit/accounts?as_of={position}").json()["items"]
    installation.hold()
    assert auditor.get(f"/api/v1/audit/trial-balance?as_of={position}").json() == past
    assert past["items"][0]["accounts"] == [row for row in accounts if row["currency"] == "KES"]
    assert auditor.get(f"/api/v1/audit/trial-balance?as_of={installation.head()}").json() != past


def test_the_books_of_a_position_wait_until_the_ledger_has_reached_it(installation: Installation) -> None:
    auditor = installation.people["auditor"]
    transaction = installation.open()
    # The worker finds the payment by asking about every transaction in the table: this one has to stand there first.
    auditor.get("/api/v1/audit/accounts", Wait_For_Position=str(installation.head()))
    with psycopg.connect(installation.superuser_dsn) as folding:
        folding.execute("SELECT * FROM projection_checkpoints WHERE name = 'ledger' FOR UPDATE")
        installation.pay(transaction)
        installation.wait(transaction, lambda view: view["state"] == "funds_held")
        query = "SELECT max(position) FROM event_log WHERE type = 'transaction.payment_received.v1'"
        row = folding.execute(query).fetchone()
        assert row is not None
        threading.Timer(0.5, folding.rollback).start()
        books = auditor.get(f"/api/v1/audit/accounts?as_of={row[0]}").json()["items"]
        assert max(account["position"] for account in books) == row[0]


def test_an_account_shows_its_balance_after_every_line_up_to_a_position(installation: Installation) -> None:
    auditor = installation.people["auditor"]
    installation.hold()
    position = installation.head()
    installation.hold()
    balances: Counter[str] = Counter()
    path = f"/api/v1/audit/accounts/escrow:held/entries?as_of={position}&limit=1"
    page = auditor.get(path).json()
    while True:
        for line in page["items"]:
            balances[line["currency"]] += line["amount_minor"]
            assert line["balance_minor"] == balances[line["currency"]]
            assert line["position"] <= position
        if page["next_cursor"] is None:
            break
        page = auditor.get(f"{path}&cursor={page['next_cursor']}").json()
    closing = auditor.get(f"/api/v1/audit/accounts?as_of={position}").json()["items"]
    assert balances["KES"] == next(row["balance_minor"] for row in closing if row["account"] == "escrow:held")
