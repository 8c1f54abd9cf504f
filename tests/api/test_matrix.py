"""Every route of the OpenAPI document by seven identities by own, foreign and missing objects."""

import json
from pathlib import Path
from typing import cast
from uuid import uuid4

import httpx
import pytest
import yaml

from api.app import list_routes
from tests.api.running import WIRE, Installation

Row = dict[str, object]
ROWS = cast("dict[str, Row]", yaml.safe_load((Path(__file__).parent / "matrix.yaml").read_text(encoding="utf-8")))
IDENTITIES = ("anonymous", "buyer", "seller", "stranger", "admin", "super_admin", "auditor")
KINDS = ("any", "own", "foreign", "missing")
PARTIES = ("buyer", "seller")
NAMES = ("transaction_id", "listing_id", "dispute_id", "approval_id", "reconciliation_id")
DRAFT = {"title": "t", "description": "d", "price": {"amount_minor": 1000, "currency": "KES"}}


@pytest.fixture(scope="module")
def objects(installation: Installation) -> dict[str, dict[str, str]]:
    """Path parameters: objects of this buyer and seller, of two other people, and of nobody."""
    people = installation.people
    foreign = installation.list_account(seller="other")
    opened = people["stranger"].must("/api/v1/transactions", {"listing_id": foreign})
    nothing = {name: str(uuid4()) for name in NAMES}
    return {
        "own": nothing
        | {
            "transaction_id": installation.open(),
            "listing_id": str(people["seller"].must("/api/v1/listings", DRAFT)["id"]),
            "for_sale": installation.list_account(),
        },
        "foreign": nothing
        | {
            "transaction_id": str(opened["id"]),
            "listing_id": str(people["other"].must("/api/v1/listings", DRAFT)["id"]),
        },
        "missing": nothing,
    }


@pytest.mark.guarantee("G20", faults="none", runs="every route")
def test_every_route_has_a_row_and_every_row_a_route(installation: Installation) -> None:
    document = WIRE.get(f"{installation.base_url}/api/v1/openapi.json").json()
    documented = {f"{method.upper()} {path}" for path, operations in document["paths"].items() for method in operations}
    assert documented == ROWS.keys() == set(list_routes())


@pytest.mark.guarantee(
    "G20", faults="seven identities, and objects that are one's own, another's, or not there", runs="every route"
)
@pytest.mark.parametrize("route", ROWS)
def test_everybody_gets_what_the_table_says(
    installation: Installation, objects: dict[str, dict[str, str]], route: str
) -> None:
    check_row(installation, objects, route)


def check_row(installation: Installation, objects: dict[str, dict[str, str]], route: str) -> None:
    row, written = ROWS[route], installation.written()
    got = {
        kind: ask_all(installation, objects, route, kind)
        for kind in ("any", "own", "foreign", "missing")
        if kind in row
    }
    table = {kind: " ".join(str(answer.status_code) for answer in answers) for kind, answers in got.items()}
    assert table == {kind: row[kind] for kind in got}
    assert installation.written() == written
    if "foreign" in got:
        for name in PARTIES:
            column = IDENTITIES.index(name)
            assert plain(got["foreign"][column]) == plain(got["missing"][column])


def ask_all(
    installation: Installation, objects: dict[str, dict[str, str]], route: str, kind: str
) -> list[httpx.Response]:
    return [ask(installation, objects, route, kind, identity) for identity in IDENTITIES]


def ask(
    installation: Installation, objects: dict[str, dict[str, str]], route: str, kind: str, identity: str
) -> httpx.Response:
    method, template = route.split(" ")
    places = objects["own" if kind == "any" else kind] | {"account": "escrow:held", "session_id": str(uuid4())}
    headers = {"Idempotency-Key": str(uuid4())}
    if identity != "anonymous":
        headers["Authorization"] = f"Bearer {installation.people[identity].token}"
    body = ROWS[route].get("body")
    content = None if body is None else json.dumps(body).replace("{for_sale}", objects["own"]["for_sale"])
    if content is not None:
        headers["Content-Type"] = "application/json"
    is_command = method != "GET" and not template.startswith(("/api/v1/auth", "/api/v1/users", "/api/v1/webhooks"))
    url = installation.base_url + template.format(**places) + ("?dry_run=true" if is_command else "")
    return WIRE.request(method, url, content=content, headers=headers)


def plain(answer: httpx.Response) -> tuple[int, object]:
    if answer.headers["Content-Type"] != "application/problem+json":
        return answer.status_code, answer.content
    body = cast("dict[str, object]", answer.json())
    del body["request_id"]
    return answer.status_code, body


def test_a_new_role_and_a_lost_session_count_at_the_next_request(installation: Installation) -> None:
    body = {"email": "auditor@example.com", "password": "correct horse battery"}
    login = f"{installation.base_url}/api/v1/auth/login"
    token = WIRE.post(login, json=body).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    me, logout = (f"{installation.base_url}/api/v1/auth/{name}" for name in ("me", "logout"))
    assert WIRE.get(me, headers=headers).status_code == 200
    assert WIRE.post(logout, headers=headers).status_code == 204
    assert WIRE.get(me, headers=headers).status_code == 401
