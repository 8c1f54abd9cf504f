"""Bugs planted in the API: the matrix of who may do what, or the hostile corpus, finds each."""

import json
from collections.abc import Iterable

import pytest

from domain.transaction import Transaction
from tests.api import test_hostile, test_matrix
from tests.api.running import Installation
from tests.api.test_hostile import CORPUS, places
from tests.api.test_matrix import ROWS, objects

__all__ = ["objects", "places"]

Objects = dict[str, dict[str, str]]
ADMINS_ONLY = "POST /api/v1/admin/listings/{listing_id}/remove"
PARTIES_ONLY = "GET /api/v1/transactions/{transaction_id}"
LENIENT = {"amount NaN", "amount Infinity", "amount 1e400", "amount of 5000 digits", "keys twice"}


def wrong_routes(installation: Installation, objects: Objects, *routes: str) -> set[str]:
    """Those whose row of the matrix is not what it says."""
    return set(failing(routes, lambda route: test_matrix.check_row(installation, objects, route)))


def failing(cases: Iterable[str], check: object) -> Iterable[str]:
    for case in cases:
        try:
            check(case)  # type: ignore[operator]
        except AssertionError:
            yield case


def test_without_a_planted_bug_the_matrix_finds_nothing(installation: Installation, objects: Objects) -> None:
    assert wrong_routes(installation, objects, ADMINS_ONLY, PARTIES_ONLY) == set()


@pytest.mark.guarantee("G20", planted="nobody asks whether a session has the role that a route is for")
def test_a_role_that_nobody_asks_for_is_found(
    installation: Installation, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.access._first", lambda _session, roles: roles[0])
    assert wrong_routes(installation, objects, ADMINS_ONLY) == {ADMINS_ONLY}


@pytest.mark.guarantee("G20", planted="everybody may see every transaction")
def test_a_transaction_that_strangers_see_is_found(
    installation: Installation, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Transaction, "may_see", lambda _self, _actor: True)
    assert wrong_routes(installation, objects, PARTIES_ONLY) == {PARTIES_ONLY}


@pytest.mark.guarantee("G20", planted="a route has no row in the matrix")
def test_a_route_that_nobody_thought_of_is_found(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ROWS, ADMINS_ONLY)
    with pytest.raises(AssertionError):
        test_matrix.test_every_route_has_a_row_and_every_row_a_route(installation)


def accepted(installation: Installation, places: dict[str, str]) -> set[str]:
    """The hostile cases that are not refused as they should be."""
    cases = {str(case["id"]): case for case in CORPUS if case["id"] in LENIENT}
    assert cases.keys() == LENIENT
    return set(failing(cases, lambda name: test_hostile.check_case(installation, places, cases[name])))


@pytest.mark.guarantee("G21", planted="bodies are read as the standard library reads JSON")
def test_a_lenient_reader_of_json_is_found(
    installation: Installation, places: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert accepted(installation, places) == set()
    monkeypatch.setattr("api.http.strict_json.read_json", json.loads)
    assert len(accepted(installation, places)) >= 3
