"""Statements over HTTP: everybody sees the own money, auditors see all of it, and a spreadsheet runs nothing."""

import csv
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from api.reads.spreadsheet import make_harmless, wants_csv, write_rows
from tests.api.running import Installation, JsonObject, Person
from tests.weaknesses.running import settle

OWN = {
    "buyer": {"escrow:held"},
    "seller": {"seller:payable", "payout:in_flight"},
}


@pytest.fixture(scope="module")
def sale(installation: Installation) -> str:
    """A sale whose payout has arrived."""
    transaction = installation.sold()
    installation.confirm(transaction)
    installation.wait(transaction, lambda view: view["state"] == "completed")
    return transaction


def read(person: Person, path: str) -> JsonObject:
    answer = person.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("name", OWN)
def test_a_party_sees_the_own_lines_and_no_others(installation: Installation, sale: str, name: str) -> None:
    settle(installation)
    found = read(installation.people[name], f"/api/v1/transactions/{sale}/statement")
    assert {line["account"] for line in found["items"]} == OWN[name]
    assert [(owed["currency"], owed["closing_minor"]) for owed in found["owed"]] == [("KES", 0)]
    assert "revenue:platform_fee" not in str(found)


@pytest.mark.guarantee("G1", faults="none")
def test_an_auditor_sees_every_line_and_they_sum_to_zero(installation: Installation, sale: str) -> None:
    settle(installation)
    found = read(installation.people["auditor"], f"/api/v1/audit/statements?transaction_id={sale}&limit=100")
    assert {"revenue:platform_fee", "escrow:held", "seller:payable"} <= {line["account"] for line in found["items"]}
    assert sum(total["closing_minor"] for total in found["accounts"]) == 0
    assert found["next_cursor"] is None


def test_a_users_statement_is_read_in_pages_that_all_reach_equally_far(installation: Installation, sale: str) -> None:
    settle(installation)
    auditor, seller = installation.people["auditor"], installation.people["seller"]
    path = f"/api/v1/audit/statements?user_id={seller.id}&limit=1"
    pages = [read(auditor, path)]
    while (cursor := pages[-1]["next_cursor"]) is not None:
        pages.append(read(auditor, f"{path}&cursor={cursor}"))
    assert {(page["position"], str(page["accounts"])) for page in pages} == {
        (pages[0]["position"], str(pages[0]["accounts"]))
    }
    whole = read(auditor, f"/api/v1/audit/statements?user_id={seller.id}&limit=100")
    assert [line for page in pages for line in page["items"]] == whole["items"]
    assert sale in {line["transaction_id"] for line in whole["items"]}


def test_the_closing_balance_of_a_period_opens_the_next(installation: Installation, sale: str) -> None:
    settle(installation)
    auditor = installation.people["auditor"]
    path = f"/api/v1/audit/statements?transaction_id={sale}&limit=100"
    lines = read(auditor, path)["items"]
    middle = lines[len(lines) // 2]["recorded_at"].replace("+00:00", "Z")
    before, after = read(auditor, f"{path}&until={middle}"), read(auditor, f"{path}&since={middle}")
    assert before["items"] + after["items"] == lines
    closing = {(each["account"], each["currency"]): each["closing_minor"] for each in before["accounts"]}
    assert all(
        each["opening_minor"] == closing.get((each["account"], each["currency"]), 0) for each in after["accounts"]
    )


def test_as_csv_the_statement_is_whole_with_opening_and_closing_rows(installation: Installation, sale: str) -> None:
    settle(installation)
    seller = installation.people["seller"]
    answer = seller.get(f"/api/v1/transactions/{sale}/statement?limit=1", Accept="text/csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(answer.text.splitlines()))
    shown = read(seller, f"/api/v1/transactions/{sale}/statement?limit=100")
    assert [int(row["debit_minor"]) - int(row["credit_minor"]) for row in rows if row["entry"] == "line"] == [
        line["debit_minor"] - line["credit_minor"] for line in shown["items"]
    ]
    assert {row["account"]: int(row["balance_minor"]) for row in rows if row["entry"] == "closing"} == {
        total["account"]: total["closing_minor"] for total in shown["accounts"]
    }
    assert {row["currency"] for row in rows} == {"KES"}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "user_id=x",
        "transaction_id=00000000",
        "user_id={id}&since=2026-02-30T00:00:00Z",
        "user_id={id}&since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
        "user_id={id}&until=2026-01-01",
        "user_id={id}&user_id={id}",
    ],
)
def test_a_query_that_says_nothing_or_nonsense_is_refused(installation: Installation, query: str) -> None:
    auditor = installation.people["auditor"]
    answer = auditor.get(f"/api/v1/audit/statements?{query.format(id=auditor.id)}")
    assert (answer.status_code, answer.json()["code"]) == (422, "query_invalid")


def test_nobody_unknown_has_a_statement(installation: Installation) -> None:
    auditor = installation.people["auditor"]
    for name in ("user_id", "transaction_id"):
        assert auditor.get(f"/api/v1/audit/statements?{name}={uuid4()}").status_code == 404


def test_a_cursor_is_good_for_its_own_statement_only(installation: Installation, sale: str) -> None:
    auditor, seller = installation.people["auditor"], installation.people["seller"]
    settle(installation)
    cursor = read(auditor, f"/api/v1/audit/statements?user_id={seller.id}&limit=1")["next_cursor"]
    answer = auditor.get(f"/api/v1/audit/statements?transaction_id={sale}&limit=1&cursor={cursor}")
    assert answer.status_code == 400


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_begins_like_a_formula_is_made_harmless(text: str) -> None:
    assert make_harmless(text) == f"'{text}"
    assert next(csv.reader([write_rows(["x"], [{"x": text.strip()}])]))[0][0] == "'"


def test_amounts_and_times_are_left_as_they_are() -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    assert write_rows(["a", "b", "c"], [{"a": -5, "b": at}]) == "-5,2026-11-24T00:00:00+00:00,\r\n"


@pytest.mark.parametrize(
    ("accept", "is_csv"),
    [
        (None, False),
        ("*/*", False),
        ("text/csv", True),
        ("TEXT/CSV; charset=utf-8", True),
        ("application/json, text/csv", False),
        ("text/html, text/csv;q=0.9, */*;q=0.1", True),
    ],
)
def test_csv_comes_only_when_it_is_asked_for_by_name(accept: str | None, is_csv: bool) -> None:
    assert wants_csv(accept) is is_csv
