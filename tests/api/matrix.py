"""The matrix of rights: every route of the document, who asks, and what of theirs or another's they ask for."""

import json
from pathlib import Path
from typing import cast
from uuid import uuid4

import httpx
import psycopg
import yaml

from api.app import list_routes
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
DRAFT = {"title": "t", "description": "d", "price": {"amount_minor": 1000, "currency": "KES"}}


def make_objects(installation: Installation) -> dict[str, dict[str, str]]:
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


def unmatched(installation: Installation) -> set[str]:
    """Routes without a row, rows without a route, and what the document has and the application has not."""
    document = WIRE.get(f"{installation.base_url}/api/v1/openapi.json").json()
    documented = {f"{method.upper()} {path}" for path, operations in document["paths"].items() for method in operations}
    assert documented
    return (documented ^ ROWS.keys()) | (documented ^ set(list_routes()))


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
