"""What the log has of requests gives away nothing of what it otherwise has only as a salted hash."""

import hashlib
import json
from typing import cast

from api.command import leave_out_secrets
from api.http.json_reader import JSON
from tests.api.running import Installation, JsonObject
from tests.weaknesses.running import read

T = "/api/v1/transactions"
SAID = {"category": "not_working", "statement": "It was Grace."}


def guess(path: str, body: JsonObject) -> str:
    """The digest of a request, as anybody can make it."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"POST {path}\n{canonical}".encode()).hexdigest()


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
