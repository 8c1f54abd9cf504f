"""Every route of the OpenAPI document by eight identities and five API keys by own, foreign and missing objects."""

import json
from pathlib import Path
from typing import cast
from uuid import uuid4

import httpx
import psycopg
import pytest
import yaml

from api.app import list_routes
from api.rights import RIGHTS
from tests.api.running import WIRE, Installation, Person

Row = dict[str, object]
ROWS = cast("dict[str, Row]", yaml.safe_load((Path(__file__).parent / "matrix.yaml").read_text(encoding="utf-8")))
IDENTITIES = ("anonymous", "buyer", "seller", "stranger", "admin", "super_admin", "auditor", "operator")
KINDS = ("any", "own", "foreign", "missing")
PARTIES = ("buyer", "seller")
NAMES = (
    "transaction_id",
    "listing_id",
    "dispute_id",
    "approval_id",
    "reconciliation_id",
    "session_id",
    "key_id",
    "security_key_id",
    "proof_id",
)
API_KEYS = {
    "buyer's key": ("buyer", {"read", "trade"}),
    "buyer's key for reading": ("buyer", {"read"}),
    "super_admin's key": ("super_admin", {"read", "trade", "audit"}),
    "auditor's key": ("auditor", {"read", "audit"}),
    "operator's key without audit": ("operator", {"read", "trade"}),
}
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
            "session_id": people["other"].get("/api/v1/auth/sessions").json()["items"][0]["id"],
            "key_id": str(make_key(people["other"], {"read"})["id"]),
            "security_key_id": keep_security_key(installation, people["other"]),
        },
        "missing": nothing,
    }


def keep_security_key(installation: Installation, person: Person) -> str:
    """A row is enough: nobody else may see it."""
    query = """
        INSERT INTO security_keys (id, user_id, credential_id, credential, sign_count, name, created_at)
        VALUES (gen_random_uuid(), %s, 'id', 'key', 0, 'a key', now()) RETURNING id
    """
    with psycopg.connect(installation.superuser_dsn) as connection:
        row = connection.execute(query, (person.id,)).fetchone()
    assert row is not None
    return str(row[0])


def make_key(person: Person, scopes: set[str]) -> dict[str, object]:
    return person.must("/api/v1/users/me/api-keys", {"name": "a program", "scopes": sorted(scopes)})


@pytest.fixture(scope="module")
def keys(installation: Installation) -> dict[str, str]:
    """Tokens of API keys, by name."""
    made = {name: make_key(installation.people[owner], scopes)["key"] for name, (owner, scopes) in API_KEYS.items()}
    return cast("dict[str, str]", made)


@pytest.mark.guarantee("G20", faults="none", runs="every route")
def test_every_route_has_a_row_and_every_row_a_route(installation: Installation) -> None:
    assert unmatched(installation) == set()


def unmatched(installation: Installation) -> set[str]:
    """Routes without a row, rows without a route, and what the document has and the application has not."""
    document = WIRE.get(f"{installation.base_url}/api/v1/openapi.json").json()
    documented = {f"{method.upper()} {path}" for path, operations in document["paths"].items() for method in operations}
    assert documented
    return (documented ^ ROWS.keys()) | (documented ^ set(list_routes()))


@pytest.mark.guarantee(
    "G20", faults="eight identities, and objects that are one's own, another's, or not there", runs="every route"
)
@pytest.mark.parametrize("route", ROWS)
def test_everybody_gets_what_the_table_says(
    installation: Installation, objects: dict[str, dict[str, str]], route: str
) -> None:
    check_row(installation, objects, route)


def check_row(installation: Installation, objects: dict[str, dict[str, str]], route: str) -> None:
    row, written = ROWS[route], installation.written()
    got = {kind: ask_all(installation, objects, route, kind) for kind in KINDS if kind in row}
    wrong = [each for kind, answers in got.items() for each in wrong_answers(kind, answers, str(row[kind]))]
    assert not wrong, "; ".join(wrong)
    assert installation.written() == written
    if "foreign" in got:
        for name in PARTIES:
            column = IDENTITIES.index(name)
            assert plain(got["foreign"][column]) == plain(got["missing"][column])


@pytest.mark.guarantee("G20", faults="five API keys of different people and scopes", runs="every route")
@pytest.mark.parametrize("route", ROWS)
def test_an_api_key_gets_what_its_person_gets_where_its_scopes_reach(
    installation: Installation, objects: dict[str, dict[str, str]], keys: dict[str, str], route: str
) -> None:
    check_keys(installation, objects, keys, route)


def check_keys(
    installation: Installation, objects: dict[str, dict[str, str]], keys: dict[str, str], route: str
) -> None:
    row, written = ROWS[route], installation.written()
    for kind in (each for each in KINDS if each in row):
        expected = {name: expected_of_key(route, str(row[kind]), name) for name in keys}
        answers = {name: send(installation, objects, route, kind, keys[name]) for name in keys}
        assert {name: answer.status_code for name, answer in answers.items()} == expected, kind
    assert installation.written() == written


def expected_of_key(route: str, codes: str, name: str) -> int:
    """As its person, if the route is for keys at all, has the scope's name, and staff only read."""
    person, scopes = API_KEYS[name]
    right = RIGHTS[route]
    is_staff = person != "buyer"
    needed = {right.scope} | ({"audit"} if is_staff else set())
    reaches = right.scope is not None and needed <= scopes and not (is_staff and right.scope == "trade")
    return int(codes.split()[IDENTITIES.index(person)]) if right.is_open or reaches else 403


def ask_all(
    installation: Installation, objects: dict[str, dict[str, str]], route: str, kind: str
) -> list[httpx.Response]:
    return [ask(installation, objects, route, kind, identity) for identity in IDENTITIES]


def ask(
    installation: Installation, objects: dict[str, dict[str, str]], route: str, kind: str, identity: str
) -> httpx.Response:
    token = None if identity == "anonymous" else installation.people[identity].token
    return send(installation, objects, route, kind, token)


def send(
    installation: Installation, objects: dict[str, dict[str, str]], route: str, kind: str, token: str | None
) -> httpx.Response:
    method, template = route.split(" ")
    places = objects["own" if kind == "any" else kind] | {"account": "escrow:held"}
    headers = {"Idempotency-Key": str(uuid4())}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    body = ROWS[route].get("body")
    content = None if body is None else json.dumps(body).replace("{for_sale}", objects["own"]["for_sale"])
    if content is not None:
        headers["Content-Type"] = "application/json"
    is_command = method != "GET" and not template.startswith(("/api/v1/auth", "/api/v1/users", "/api/v1/webhooks"))
    url = installation.base_url + template.format(**places) + ("?dry_run=true" if is_command else "")
    return WIRE.request(method, url, content=content, headers=headers)


def wrong_answers(kind: str, answers: list[httpx.Response], row: str) -> list[str]:
    """Who got something else than the row says, in words."""
    cells = zip(IDENTITIES, [str(answer.status_code) for answer in answers], row.split(), strict=True)
    return [f"{kind}: {name} got {got} instead of {wanted}" for name, got, wanted in cells if got != wanted]


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
