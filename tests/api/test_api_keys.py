"""API keys over HTTP: made by a confirmed person, shown once, good for their scopes, and never for a person's proof."""

from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from api.errors import TooManyRequests
from api.pace import Pace
from identity.api_key import make_key
from tests.api.running import PASSWORD, WIRE, Installation, Person
from tests.api.signing_in import session_of

KEYS = "/api/v1/users/me/api-keys"
DRAFT = {"title": "t", "description": "d", "price": {"amount_minor": 1000, "currency": "KES"}}


def program_of(person: Person, *scopes: str, days: int = 90) -> Person:
    """The same person as a program."""
    made = person.must(KEYS, {"name": "till", "scopes": list(scopes), "expires_in_days": days})
    return Person(person.name, person.id, person.email, str(made["key"]), person.base_url)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_program_trades_for_its_person_and_decides_nothing_that_wants_a_proof(installation: Installation) -> None:
    buyer = installation.people["buyer"]
    program = program_of(buyer, "read", "trade")
    listing = installation.list_account()
    opened = program.post("/api/v1/transactions", {"listing_id": listing})
    assert opened.status_code == 201, opened.text
    transaction = opened.json()["id"]
    assert program.get(f"/api/v1/transactions/{transaction}").status_code == 200
    assert program.get("/api/v1/auth/me").json()["email"] == buyer.email
    for method, path, body in (
        ("POST", f"/api/v1/transactions/{transaction}/reveal", {"password": PASSWORD}),
        ("PUT", "/api/v1/users/me/payout-account", {}),
        ("POST", KEYS, {"name": "another", "scopes": ["read"]}),
        ("POST", "/api/v1/auth/second-factor", {"mailed_code": "123456", "password": PASSWORD}),
        ("POST", "/api/v1/auth/password", {"password": PASSWORD, "new_password": "another password"}),
    ):
        answer = program.request(method, path, body, Idempotency_Key=str(uuid4()))
        assert code_of(answer) == (403, "api_key_insufficient"), path


def test_a_key_of_idempotency_is_the_persons_whoever_sends_it(installation: Installation) -> None:
    seller = installation.people["seller"]
    program = program_of(seller, "trade")
    key = str(uuid4())
    first, again = program.post("/api/v1/listings", DRAFT, key=key), seller.post("/api/v1/listings", DRAFT, key=key)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_key_is_made_with_a_fresh_proof_shown_once_and_revoked_at_once(installation: Installation) -> None:
    seller = installation.people["seller"]
    stale = session_of(installation, "seller", confirmed_ago=timedelta(minutes=6))
    body = {"name": "till", "scopes": ["read"]}
    refused = WIRE.post(installation.base_url + KEYS, json=body, headers={"Authorization": f"Bearer {stale}"})
    assert code_of(refused) == (403, "second_factor_required")
    made = seller.post(KEYS, body)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    key = made.json()["key"]
    listed = seller.get(KEYS)
    assert key not in listed.text
    assert listed.json()["items"][0] == {name: value for name, value in made.json().items() if name != "key"}
    program = Person("program", seller.id, seller.email, key, installation.base_url)
    assert program.get("/api/v1/catalog").status_code == 200
    place = f"{KEYS}/{made.json()['id']}"
    assert installation.people["stranger"].request("DELETE", place).status_code == 404
    assert seller.request("DELETE", place).status_code == 204
    assert program.get("/api/v1/catalog").status_code == 401
    assert seller.request("DELETE", place).status_code == 404


def test_nobody_makes_a_key_for_more_than_he_may_do(installation: Installation) -> None:
    for scopes in (["audit"], ["read", "audit"]):
        answer = installation.people["buyer"].post(KEYS, {"name": "n", "scopes": scopes})
        assert code_of(answer) == (403, "forbidden")
    unfit: tuple[dict[str, object], ...] = (
        {"name": "n", "scopes": []},
        {"name": "n", "scopes": ["everything"]},
        {"name": "a\nb", "scopes": ["read"]},
        {"name": "n", "scopes": ["read"], "expires_in_days": 366},
    )
    for body in unfit:
        assert installation.people["buyer"].post(KEYS, body).status_code == 422


def test_a_live_key_is_refused_where_money_is_not_real(installation: Installation) -> None:
    key = make_key("live", bytes)
    answer = WIRE.get(f"{installation.base_url}/api/v1/catalog", headers={"Authorization": f"Bearer {key}"})
    assert code_of(answer) == (401, "api_key_of_other_mode")
    unknown = make_key("test", bytes)
    answer = WIRE.get(f"{installation.base_url}/api/v1/catalog", headers={"Authorization": f"Bearer {unknown}"})
    assert code_of(answer) == (401, "not_signed_in")


def test_a_key_that_runs_wild_is_slowed_and_nobody_else(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = installation.people["buyer"]
    wild, calm = program_of(buyer, "read"), program_of(buyer, "read")
    # Frozen, and shared by everybody who runs in this installation: the pace is put back with the end of the test.
    monkeypatch.setitem(vars(installation.dependencies), "pace", Pace(per_second=0.01, at_once=5.0))
    answers = [wild.get("/api/v1/auth/me") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert answers[5].json()["code"] == "too_many_requests"
    assert int(answers[5].headers["Retry-After"]) >= 1
    assert calm.get("/api/v1/auth/me").status_code == 200
    assert buyer.get("/api/v1/auth/me").status_code == 200


def test_a_bucket_empties_and_fills_by_the_clock() -> None:
    now, key, other = 0.0, uuid4(), uuid4()
    pace = Pace(per_second=2, at_once=3, monotonic=lambda: now)

    def passes(which: UUID = key) -> int:
        return [is_let_through(pace, which) for _ in range(10)].count(True)

    assert (passes(), passes(), passes(other)) == (3, 0, 3)
    now = 1.0
    assert passes() == 2
    now = 100.0
    assert passes() == 3


def is_let_through(pace: Pace, key: UUID) -> bool:
    try:
        pace.take(key)
    except TooManyRequests:
        return False
    return True
