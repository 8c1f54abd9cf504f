"""The OpenAPI document says what routes read, and announces what they answer."""

import inspect
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.app import ROUTERS
from api.openapi import describe
from tests.api.attention import fault, waiting
from tests.api.running import Installation

A, T = "/api/v1/admin/transactions/{transaction_id}", "/api/v1/transactions/{transaction_id}"
ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


@pytest.fixture(scope="module")
def documented() -> dict[str, dict[str, object]]:
    """The operations of the document by route, such as "GET /api/v1/banks"."""
    document = describe(FastAPI(routes=list(ROUTES)))
    return {
        f"{method.upper()} {path}": operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def read_by(dependant: Dependant) -> Iterator[str]:
    """The query parameters that the readers of a route know; every other one is refused."""
    for nested in dependant.dependencies:
        yield from inspect.getclosurevars(nested.call).nonlocals.get("known", ())
        yield from read_by(nested)


def parameters_of(operation: dict[str, object]) -> set[str]:
    return {each["name"] for each in operation["parameters"] if each["in"] == "query"}


def test_the_document_names_the_query_parameters_that_readers_take(documented: dict[str, dict[str, object]]) -> None:
    read = {f"{method} {route.path}": set(read_by(route.dependant)) for route in ROUTES for method in route.methods}
    readers = {route: names for route, names in read.items() if names}
    assert len(readers) > 20
    assert {route: parameters_of(documented[route]) for route in readers} == readers
    assert parameters_of(documented["POST /api/v1/auth/password-reset/confirm"]) == {"dry_run"}


def test_answers_that_depend_on_the_state_are_announced(
    installation: Installation, documented: dict[str, dict[str, object]]
) -> None:
    """Requests that are made up never come that far: they name what is not there."""
    buyer, chief = installation.people["buyer"], installation.people["super_admin"]
    transaction = installation.open()
    for path in (f"{T}/contract", f"{T}/addendum"):
        answer = buyer.get(path.format(transaction_id=transaction))
        assert answer.status_code == 409
        assert "409" in documented[f"GET {path}"]["responses"], path
    payout = waiting(installation)
    fault(installation, "resend_otp", "refuse")
    path = f"{A}/payout/resend-otp"
    answer = chief.post(path.format(transaction_id=payout), {})
    assert (answer.status_code, answer.json()["code"]) == (502, "gateway_refused")
    assert "502" in documented[f"POST {path}"]["responses"]


def test_every_decision_that_may_wait_for_a_second_person_says_so(documented: dict[str, dict[str, object]]) -> None:
    deciding = {
        f"{method} {route.path}"
        for route in ROUTES
        if inspect.getclosurevars(route.endpoint).globals.keys() & {"decide", "release"}
        for method in route.methods
    }
    assert len(deciding) == 4
    announced = {route for route, operation in documented.items() if "202" in operation["responses"]}
    assert announced - {"POST /api/v1/users/me/erasure"} == deciding


def test_an_addendum_is_of_the_present_keys_and_has_no_past(installation: Installation) -> None:
    path = f"{T}/addendum".format(transaction_id=installation.open())
    answer = installation.people["buyer"].get(f"{path}?as_of=1")
    assert (answer.status_code, answer.json()["code"]) == (422, "query_invalid")
