"""Lists, filters, pages and cursors of the stand-in, over real HTTP."""

from collections.abc import Iterator

import httpx
import pytest

from gateways.paystack.sim.server import StandIn, build_sim
from tests.gateways.conftest import SECRET, Panel

KEY = {"Authorization": f"Bearer {SECRET.reveal()}"}
COUNT = 7


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    """One stand-in with seven charges; every other one is paid."""
    with (
        StandIn(build_sim(secret=SECRET, seed=3)) as stand_in,
        httpx.Client(base_url=stand_in.base_url, headers=KEY, trust_env=False) as http,
    ):
        for number in range(COUNT):
            wanted = {"email": "b@x.y", "amount": 1_000 + number, "currency": "KES", "reference": f"ch-{number}"}
            link = http.post("/transaction/initialize", json=wanted).json()["data"]["authorization_url"]
            http.post(link, json={"outcome": "abandoned" if number % 2 else "success"})
            Panel(stand_in.base_url).advance(60)
        yield http


def references(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["reference"] for row in answer.json()["data"]]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [6, 5, 4, 3, 2, 1, 0]),
        ({"status": "success"}, [6, 4, 2, 0]),
        ({"status": "abandoned"}, [5, 3, 1]),
        ({"status": "reversed"}, []),
        ({"amount": 1_003}, [3]),
        ({"currency": "NGN"}, []),
        ({"channel": "mobile_money", "status": "abandoned"}, [5, 3, 1]),
        ({"settlement": 1}, []),
        ({"perPage": 2, "page": 2}, [4, 3]),
        ({"perPage": 2, "page": 9}, []),
    ],
)
def test_charges_are_filtered_and_paged(http: httpx.Client, query: dict[str, object], numbers: list[int]) -> None:
    answer = http.get("/transaction", params=httpx.QueryParams({name: str(value) for name, value in query.items()}))
    assert references(answer) == [f"ch-{number}" for number in numbers]


def test_times_bound_a_list_on_both_sides(http: httpx.Client) -> None:
    rows = http.get("/transaction").json()["data"]
    query = {"from": rows[4]["created_at"], "to": rows[2]["created_at"]}
    assert references(http.get("/transaction", params=query)) == ["ch-4", "ch-3", "ch-2"]


def test_a_cursor_walks_a_list_without_gaps_and_back(http: httpx.Client) -> None:
    query = {"use_cursor": "true", "perPage": "3"}
    first = http.get("/transaction", params=query)
    second = http.get("/transaction", params={**query, "next": first.json()["meta"]["next"]})
    third = http.get("/transaction", params={**query, "next": second.json()["meta"]["next"]})
    walked = [*references(first), *references(second), *references(third)]
    assert walked == [f"ch-{number}" for number in range(6, -1, -1)]
    assert (first.json()["meta"]["previous"], third.json()["meta"]["next"]) == (None, None)
    back = http.get("/transaction", params={**query, "previous": third.json()["meta"]["previous"]})
    assert references(back) == references(second)


@pytest.mark.parametrize("cursor", ["", "x", "!!!!", "Y3Vyc29yOg==", "bmV4dDo1"])
def test_a_cursor_that_is_none_is_refused(http: httpx.Client, cursor: str) -> None:
    assert http.get("/transaction", params={"use_cursor": "true", "next": cursor}).status_code == 400


def test_a_charge_is_fetched_by_its_number(http: httpx.Client) -> None:
    row = http.get("/transaction").json()["data"][0]
    assert http.get(f"/transaction/{row['id']}").json()["data"] == row
    assert http.get("/transaction/4").status_code == 404


def test_the_totals_count_what_was_paid(http: httpx.Client) -> None:
    totals = http.get("/transaction/totals").json()["data"]
    assert (totals["total_transactions"], totals["total_volume"]) == (4, 4_012)
    assert totals["total_volume_by_currency"] == [{"currency": "KES", "amount": 4_012}]
    assert totals["pending_transfers"] == 0


def test_recipients_and_transfers_are_listed(http: httpx.Client) -> None:
    payee = {"type": "mobile_money", "name": "S", "account_number": "0712", "bank_code": "MPESA", "currency": "KES"}
    made = http.post("/transferrecipient", json=payee).json()["data"]
    assert [row["recipient_code"] for row in http.get("/transferrecipient").json()["data"]] == [made["recipient_code"]]
    http.post("/_sim/balance", json={"currency": "KES", "amount_minor": 1_000_000})
    code = made["recipient_code"]
    wanted = {"source": "balance", "amount": 5, "currency": "KES", "recipient": code, "reason": "Payout 1"}
    http.post("/transfer", json={**wanted, "reference": "po-0000000000000001"})
    assert len(http.get("/transfer", params={"recipient": made["id"]}).json()["data"]) == 1
    assert http.get("/transfer", params={"recipient": 1}).json()["data"] == []
    assert {line["reason"] for line in http.get("/balance/ledger").json()["data"]} == {"Payout 1", ""}
