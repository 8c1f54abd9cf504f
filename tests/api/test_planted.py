"""Bugs planted in the API: the matrix of who may do what, or the hostile corpus, finds each."""

import json

import pytest

from domain.transaction import Transaction
from tests.api.hostile import CORPUS, check_case
from tests.api.matrix import ROWS, check_row, unmatched
from tests.api.running import Installation

Objects = dict[str, dict[str, str]]
ADMINS_ONLY = "POST /api/v1/admin/listings/{listing_id}/remove"
PARTIES_ONLY = "GET /api/v1/transactions/{transaction_id}"
LENIENT = {
    "amount NaN": 422,
    "amount Infinity": 422,
    "amount 1e400": 422,
    "amount of 5000 digits": 500,
    "keys twice": 201,
}
"""Hostile cases, and what a lenient reader of JSON makes of them."""


def test_without_a_planted_bug_the_matrix_finds_nothing(installation: Installation, objects: Objects) -> None:
    for route in (ADMINS_ONLY, PARTIES_ONLY):
        check_row(installation, objects, route)


@pytest.mark.guarantee("G20", planted="nobody asks whether a session has the role that a route is for")
def test_a_role_that_nobody_asks_for_is_found(
    installation: Installation, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.access._first", lambda _session, roles: roles[0])
    with pytest.raises(AssertionError, match="own: buyer got 200 instead of 403"):
        check_row(installation, objects, ADMINS_ONLY)


@pytest.mark.guarantee("G20", planted="everybody may see every transaction")
def test_a_transaction_that_strangers_see_is_found(
    installation: Installation, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Transaction, "may_see", lambda _self, _actor: True)
    with pytest.raises(AssertionError, match="own: stranger got 200 instead of 404"):
        check_row(installation, objects, PARTIES_ONLY)


@pytest.mark.guarantee("G20", planted="a route has no row in the matrix")
def test_a_route_that_nobody_thought_of_is_found(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ROWS, ADMINS_ONLY)
    assert unmatched(installation) == {ADMINS_ONLY}


@pytest.mark.guarantee("G21", planted="bodies are read as the standard library reads JSON")
def test_a_lenient_reader_of_json_is_found(
    installation: Installation, places: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = {str(case["id"]): case for case in CORPUS}
    for name in LENIENT:
        check_case(installation, places, cases[name])
    monkeypatch.setattr("api.http.strict_json.read_json", json.loads)
    for name, status in LENIENT.items():
        with pytest.raises(AssertionError, match=f"assert {status} in "):
            check_case(installation, places, cases[name])
