"""`escrow ledger statement`: for a person or a transaction, as a table, as JSON, as CSV."""

import csv
import json
from uuid import uuid4

from tests.running_demo import Demo


def test_a_seller_by_address_and_by_id_is_the_same(demo: Demo) -> None:
    seller = demo.facts["users"]["seller"]
    by_id, by_email = (
        json.loads(demo.escrow("ledger", "statement", "--user", name, "--json").stdout)
        for name in (seller["id"], seller["email"])
    )
    assert by_id["accounts"] == by_email["accounts"]
    assert {line["account"] for line in by_id["lines"]} == {"seller:payable", "payout:in_flight"}


def test_the_lines_of_a_transaction_lead_from_the_opening_to_the_closing_balances(demo: Demo) -> None:
    completed = demo.facts["transactions"]["completed"]
    done = demo.escrow("ledger", "statement", "--transaction", completed, "--csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    balances = {row["account"]: int(row["balance_minor"]) for row in rows if row["entry"] == "opening"}
    assert set(balances.values()) == {0}
    for row in rows:
        if row["entry"] == "line":
            balances[row["account"]] += int(row["debit_minor"]) - int(row["credit_minor"])
            assert balances[row["account"]] == int(row["balance_minor"])
    assert balances == {row["account"]: int(row["balance_minor"]) for row in rows if row["entry"] == "closing"}


def test_people_read_a_table(demo: Demo) -> None:
    done = demo.escrow("ledger", "statement", "--transaction", demo.facts["transactions"]["refunded"])
    assert done.returncode == 0, done.stderr
    assert "buyer:refund_due" in done.stdout


def test_what_does_not_exist_or_is_not_said_has_its_exit_code(demo: Demo) -> None:
    assert demo.escrow("ledger", "statement").returncode == 2
    assert demo.escrow("ledger", "statement", "--user", "nobody@example.com").returncode == 5
    assert demo.escrow("ledger", "statement", "--user", str(uuid4())).returncode == 5
    assert demo.escrow("ledger", "statement", "--transaction", str(uuid4())).returncode == 5
    seller = demo.facts["users"]["seller"]["id"]
    assert demo.escrow("ledger", "statement", "--user", seller, "--since", "yesterday").returncode == 2
