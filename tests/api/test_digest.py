"""What the log has of requests gives away nothing of what it otherwise has only as a salted hash."""

import hashlib
import json
from typing import cast
from uuid import uuid4

import httpx

from api.command import leave_out_secrets
from api.http.json_reader import JSON
from tests.api.running import Installation, JsonObject
from tests.weaknesses.running import read

L = "/api/v1/listings"
T = "/api/v1/transactions"
SAID = {"category": "not_working", "statement": "It was Grace."}


def guess(path: str, body: JsonObject, method: str = "POST") -> str:
    """The digest of a request, as anybody can make it."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{method} {path}\n{canonical}".encode()).hexdigest()


def events(installation: Installation, name: str, transaction: str) -> list[JsonObject]:
    items = installation.people[name].get(f"{T}/{transaction}/events?limit=100").json()["items"]
    return [cast("JsonObject", item["data"]) for item in items]


def test_a_statement_cannot_be_guessed_from_the_digest_of_its_request(installation: Installation) -> None:
    transaction = installation.sold()
    path, buyer = f"{T}/{transaction}/disputes", installation.people["buyer"]
    first = buyer.post(path, SAID, key=f"dispute-{transaction}")
    assert first.status_code == 201, first.text
    query = (
        "SELECT data ->> 'request_digest' FROM event_log WHERE stream = %s AND type LIKE 'transaction.dispute_opened%%'"
    )
    assert read(installation, query, transaction) == [(guess(path, {"category": "not_working"}),)]

    again = buyer.post(path, SAID, key=f"dispute-{transaction}")
    assert (again.headers["Idempotency-Replayed"], again.content) == ("true", first.content)
    other = buyer.post(path, SAID | {"statement": "It was Ben."}, key=f"dispute-{transaction}")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_the_words_of_a_listing_cannot_be_guessed_from_the_digests_of_its_requests(
    installation: Installation,
) -> None:
    """They can be erased, and what is left in the log must not confirm a guess."""
    seller, key = installation.people["seller"], uuid4().hex
    body: JsonObject = {"title": "t", "description": "d", "price": {"amount_minor": 5, "currency": "KES"}}
    drafted = seller.post(L, body, key=f"d{key}")
    assert drafted.status_code == 201, drafted.text
    path = f"{L}/{drafted.json()['id']}"

    def revise(patch: JsonObject) -> httpx.Response:
        return seller.request("PATCH", path, patch, Idempotency_Key=key)

    revised = revise({"title": "Grace's"})
    assert revised.status_code == 200, revised.text
    query = "SELECT data ->> 'request_digest' FROM event_log WHERE stream = %s ORDER BY version"
    expected = [(guess(L, {"price": body["price"]}),), (guess(path, {}, "PATCH"),)]
    assert read(installation, query, drafted.json()["id"]) == expected

    assert seller.post(L, body, key=f"d{key}").content == drafted.content
    assert revise({"title": "Grace's"}).content == revised.content
    for other in (seller.post(L, body | {"title": "u"}, key=f"d{key}"), revise({"title": "u"})):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert revise({"description": "e"}).status_code == 422


def test_an_account_is_no_part_of_a_digest() -> None:
    body: dict[str, JSON] = {"bank_code": "058", "account_number": "0123456789", "reason": "the buyer named it"}
    assert leave_out_secrets(body) == {"reason": "the buyer named it"}


def test_parties_see_no_hashes_of_requests_and_staff_and_auditors_do(installation: Installation) -> None:
    transaction = installation.open()
    hashes = {"request_digest", "command_id"}
    for name in ("buyer", "seller"):
        assert all(hashes.isdisjoint(event) for event in events(installation, name, transaction))
    for name in ("admin", "auditor"):
        assert all(hashes <= event.keys() for event in events(installation, name, transaction))
