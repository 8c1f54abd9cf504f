"""Staff: the runbook's requests as printed, the second pair of eyes, disputes, and the books afterwards."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast
from uuid import uuid4

import httpx
import psycopg
import pytest

from domain.errors import Overloaded
from gateways.paystack.webhook import signature
from tests.api.attention import fault
from tests.api.running import SECRET, WIRE, Installation, JsonObject
from tests.waiting import wait_until
from tests.weaknesses.running import read

A = "/api/v1/admin"
T = "/api/v1/transactions"
REASON = {"reason": "Stuck transaction resolved - buyer confirmed access"}
LARGE = 100_000_000
ACCOUNT = {
    "type": "mobile_money",
    "bank_code": "MPESA",
    "account_number": "0712345679",
    "account_name": "Buyer",
    "currency": "KES",
}
AS_US = {"Authorization": f"Bearer {SECRET.reveal()}"}
PAYOUT = "transaction.payout_requested.v1"
REFUSED = "SELECT data ->> 'refusal' FROM event_log WHERE type = 'transaction.question_refused.v1' AND stream = %s"


@pytest.mark.weakness("W26")
def test_the_runbooks_request_works_as_printed_and_only_once(fresh: Installation) -> None:
    transaction = fresh.hold()
    fresh.people["buyer"].must(f"{T}/{transaction}/disputes", {"category": "not_working", "statement": "It is not."})
    chief = fresh.people["super_admin"]
    printed = chief.request("POST", f"{A}/transactions/{transaction}/refund", REASON)
    assert (printed.status_code, printed.json()["state"]) == (200, "refunding"), printed.text
    again = chief.request("POST", f"{A}/transactions/{transaction}/refund", REASON)
    assert (again.status_code, again.json()["code"]) == (422, "refund_too_large")
    fresh.wait(transaction, lambda view: view["state"] == "refunded")
    auditor = fresh.people["auditor"]
    books = auditor.get("/api/v1/audit/trial-balance", Wait_For_Position=str(fresh.head())).json()["items"]
    assert books
    assert all(book["total_minor"] == 0 for book in books)
    actions = fresh.people["admin"].get(f"{A}/actions").json()["items"]
    assert transaction in [action["transaction_id"] for action in actions]
    assert fresh.people["admin"].get(f"{A}/alerts").json()["items"]


@pytest.mark.weakness("W26")
def test_force_is_refused_with_the_time_from_which_it_is_possible(installation: Installation) -> None:
    transaction = installation.hold()
    chief = installation.people["super_admin"]
    refused = chief.post(f"{A}/transactions/{transaction}/refund", REASON)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_stuck")
    assert refused.json()["possible_at"] > installation.clock().isoformat()
    assert refused.json()["state"] == "funds_held"
    assert "note" in refused.json()["allowed_actions"]


@pytest.mark.weakness("W26")
def test_above_the_limit_a_second_person_has_to_agree(installation: Installation) -> None:
    transaction = installation.hold(LARGE)
    installation.people["buyer"].must(f"{T}/{transaction}/disputes", {"category": "not_working"})
    chief, second = installation.people["super_admin"], installation.people["super_admin_2"]
    accepted = chief.post(f"{A}/transactions/{transaction}/refund", REASON)
    assert accepted.status_code == 202, accepted.text
    request = cast("list[JsonObject]", accepted.json()["pending_approvals"])[0]
    path = f"{A}/approvals/{request['approval_id']}"
    own = chief.post(f"{path}/approve")
    assert (own.status_code, own.json()["code"]) == (403, "own_approval")
    listed = second.get(f"{A}/approvals?status=requested", Wait_For_Position=accepted.headers["Escrow-Position"])
    (shown,) = [item for item in listed.json()["items"] if item["approval_id"] == request["approval_id"]]
    assert (shown["action"], shown["purpose"], shown["recipient"]) == ("refund", None, None)
    approved = second.post(f"{path}/approve")
    assert (approved.status_code, approved.json()["state"]) == (200, "refunding"), approved.text
    late = second.post(f"{path}/reject", REASON)
    assert (late.status_code, late.json()["code"]) == (409, "approval_unknown")


@pytest.mark.weakness("W26")
def test_what_could_be_done_twice_needs_a_key(installation: Installation) -> None:
    transaction = installation.hold()
    installation.people["buyer"].must(f"{T}/{transaction}/disputes", {"category": "not_working"})
    chief, part = installation.people["super_admin"], {**REASON, "amount_minor": 1_000}
    path = f"{A}/transactions/{transaction}"
    for route, body in (("refund", part), ("release", {**REASON, "purpose": "seller"})):
        keyless = chief.request("POST", f"{path}/{route}", body)
        assert (keyless.status_code, keyless.json()["code"]) == (400, "idempotency_key_required")
    refunded = [chief.request("POST", f"{path}/refund", part, **{"Idempotency-Key": "a-part"}) for _ in range(2)]
    assert [answer.status_code for answer in refunded] == [200, 200], refunded[-1].text
    assert refunded[1].headers["Idempotency-Replayed"] == "true"


@pytest.mark.weakness("W26")
def test_a_release_to_a_recipient_says_whose_payout_it_is(installation: Installation) -> None:
    transaction = installation.sold()
    installation.reveal(transaction)
    installation.people["buyer"].must(f"{T}/{transaction}/disputes", {"category": "not_working"})
    chief, path = installation.people["super_admin"], f"{A}/transactions/{transaction}/release"
    to_somebody = {**REASON, "recipient": "RCP_1a2b3c4d5e"}
    refused = chief.post(path, to_somebody)
    assert (refused.status_code, refused.json()["code"]) == (422, "purpose_missing")
    assert refused.json()["due"] == []
    refused = chief.post(path, {**to_somebody, "purpose": "refund"})
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_payable")


def approve(installation: Installation, accepted: httpx.Response) -> httpx.Response:
    """The second super_admin agrees with what was asked for."""
    assert accepted.status_code == 202, accepted.text
    request = cast("list[JsonObject]", accepted.json()["pending_approvals"])[-1]
    installation.people["admin"].get(f"{A}/approvals", Wait_For_Position=accepted.headers["Escrow-Position"])
    return installation.people["super_admin_2"].post(f"{A}/approvals/{request['approval_id']}/approve")


def events_of(installation: Installation, name: str, transaction: str, limit: int = 100) -> list[JsonObject]:
    """The history of a transaction as somebody is shown it, page by page."""
    found, cursor = list[JsonObject](), ""
    while True:
        page = installation.people[name].get(f"{T}/{transaction}/events?limit={limit}{cursor}").json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        assert len(page["items"]) == limit
        cursor = f"&cursor={page['next_cursor']}"


def test_parties_see_what_staff_decide_and_not_what_staff_say_about_it(installation: Installation) -> None:
    transaction, admin = installation.hold(LARGE), installation.people["admin"]
    installation.people["buyer"].must(f"{T}/{transaction}/disputes", {"category": "not_working"})
    for text in ("he lies", "he lies again"):
        admin.must(f"{A}/transactions/{transaction}/notes", {"text": text})
    asked = installation.people["super_admin"].post(f"{A}/transactions/{transaction}/refund", REASON)
    waits = {name: installation.view(transaction, name)["pending_approvals"] for name in ("buyer", "seller", "admin")}
    assert (waits["buyer"], waits["seller"], waits["admin"]) == ([], [], asked.json()["pending_approvals"])
    assert approve(installation, asked).status_code == 200

    known = events_of(installation, "admin", transaction)
    among_staff = {"note_added.v1", "approval_requested.v2", "approval_granted.v1"}
    shown = [event["position"] for event in known if str(event["type"]).partition(".")[2] not in among_staff]
    assert len(shown) == len(known) - 5, "two notes, the request, the agreement, and the note of the decision"
    for name in ("buyer", "seller"):
        seen = events_of(installation, name, transaction)
        assert [event["position"] for event in seen][: len(shown)] == shown
        assert events_of(installation, name, transaction, limit=1)[: len(shown)] == seen[: len(shown)]
        assert REASON["reason"] not in str(seen)
        decision = next(event["data"] for event in seen if event["type"] == "transaction.decision_taken.v1")
        assert {"reason", "requested_by"}.isdisjoint(cast("JsonObject", decision))
        assert cast("JsonObject", decision)["amount_minor"] == LARGE


def failed_refund(installation: Installation) -> tuple[str, JsonObject]:
    """A refund has failed at Paystack, and the buyer's account is too new to be paid on; what Paystack says of it."""
    transaction = installation.hold(LARGE)
    installation.people["buyer"].must(f"{T}/{transaction}/disputes", {"category": "not_working"})
    installation.people["buyer"].must("/api/v1/users/me/payout-account", ACCOUNT, method="PUT")
    fault(installation, "refund", "fail")
    ordered = installation.people["super_admin"].post(f"{A}/transactions/{transaction}/refund", REASON)
    assert approve(installation, ordered).status_code == 200
    installation.wait(transaction, lambda view: str(view["stuck_reason"]).startswith("payout_account_cooling_off"))
    listed = cast("list[JsonObject]", WIRE.get(f"{installation.stand_in.base_url}/_sim/objects").json()["refunds"])
    return transaction, listed[-1]


@pytest.mark.guarantee("G3", faults="a refund that had failed is made again outside before it is paid by force")
def test_nothing_is_paid_by_force_in_place_of_a_refund_that_may_have_been_made(installation: Installation) -> None:
    """Paystack is asked when it is asked for, and when the second person agrees."""
    transaction, refund = failed_refund(installation)
    chief, path = installation.people["super_admin"], f"{A}/transactions/{transaction}/release"
    wanted = {**REASON, "purpose": "refund", "recipient": "RCP_1a2b3c4d5e"}
    fault(installation, "list_refunds", "refuse")
    silent = chief.post(path, wanted, key="one-intent")
    assert (silent.status_code, silent.json()["code"]) == (502, "gateway_refused")
    asked = chief.post(path, wanted, key="one-intent")
    made = {"transaction": refund["charge_reference"], "amount": refund["amount_minor"], "merchant_note": "again"}
    WIRE.post(f"{installation.stand_in.base_url}/refund", json=made, headers=AS_US).raise_for_status()
    agreed = approve(installation, asked)
    request = cast("list[JsonObject]", asked.json()["pending_approvals"])[-1]
    chief.must(f"{A}/approvals/{request['approval_id']}/reject", REASON)
    for refused in (agreed, chief.post(path, wanted)):
        assert (refused.status_code, refused.json()["code"]) == (409, "may_be_paid"), refused.text
        assert (refused.json()["references"], refused.json()["state"]) == ([refund["merchant_note"]], "refunding")
        assert "note" in cast("list[str]", refused.json()["allowed_actions"])
    assert read(installation, REFUSED, transaction) == [("gateway_refund_ambiguous",)]
    assert read(installation, "SELECT 1 FROM event_log WHERE type = %s AND stream = %s", PAYOUT, transaction) == []
    assert chief.post(path, wanted, key="one-intent").content == asked.content


@pytest.mark.weakness("W25", "W27")
def test_a_dispute_is_decided_and_the_listing_goes(installation: Installation) -> None:
    transaction = installation.hold()
    opened = installation.people["buyer"].must(f"{T}/{transaction}/disputes", {"category": "fraud", "statement": "No."})
    dispute = cast("list[JsonObject]", opened["disputes"])[0]["dispute_id"]
    path = f"{A}/transactions/{transaction}/disputes/{dispute}"
    admin = installation.people["admin"]
    admin.must(f"{path}/escalate", {"reason": "this needs somebody else"})
    resolve = {"finding": "seller", "reason": "The credentials never worked"}
    assert admin.post(f"{path}/resolve", resolve).status_code == 403
    decided = installation.people["super_admin"].post(f"{path}/resolve", resolve)
    assert decided.status_code == 200, decided.text
    listing = admin.get(f"/api/v1/listings/{opened['listing_id']}")
    assert listing.json()["state"] == "removed"


def test_what_is_not_stuck_is_not_listed_as_stuck(installation: Installation) -> None:
    transaction = installation.hold()
    admin, position = installation.people["admin"], str(installation.head())
    listed = admin.get(f"{A}/transactions?stuck=true&limit=100", Wait_For_Position=position).json()["items"]
    assert transaction not in [item["id"] for item in listed]
    every = admin.get(f"{A}/transactions?state=funds_held&limit=100").json()["items"]
    assert transaction in [item["id"] for item in every]


def test_a_signed_webhook_is_kept_whatever_it_says(installation: Installation) -> None:
    url = f"{installation.base_url}/api/v1/webhooks/paystack"
    for raw in (
        b'{"event":"charge.success","data":{"reference":"unknown"}}',
        b"not JSON at all",
        b"",
        b"\x00\xff" * 99,
    ):
        signed = {"x-paystack-signature": signature(SECRET, raw)}
        assert WIRE.post(url, content=raw, headers=signed).status_code == 200
        upper = {"x-paystack-signature": signature(SECRET, raw).upper()}
        assert WIRE.post(url, content=raw, headers=upper).status_code == 401


@pytest.mark.weakness("W34")
def test_an_account_is_registered_verified_and_refreshed(installation: Installation) -> None:
    auth, email = f"{installation.base_url}/api/v1/auth", f"{uuid4().hex}@example.com"
    person = {"email": email, "password": "a long enough one", "display_name": "N", "legal_name": "N N"}
    made = WIRE.post(f"{auth}/register", json=person)
    assert (made.status_code, made.json()["is_verified"]) == (201, False), made.text
    assert WIRE.post(f"{auth}/register", json=person).status_code == 409
    tokens = WIRE.post(f"{auth}/login", json={"email": email, "password": person["password"]}).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "Idempotency-Key": str(uuid4())}
    listing = {"title": "t", "description": "d", "price": {"amount_minor": 5, "currency": "KES"}}
    early = WIRE.post(f"{installation.base_url}/api/v1/listings", json=listing, headers=headers)
    assert (early.status_code, early.json()["code"]) == (403, "email_unverified")
    verified = WIRE.post(f"{auth}/verify-email", json={"email": email, "code": installation.codes[email]})
    assert verified.status_code == 200, verified.text
    assert WIRE.post(f"{installation.base_url}/api/v1/listings", json=listing, headers=headers).status_code == 201
    fresh = WIRE.post(f"{auth}/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert fresh.status_code == 200
    assert WIRE.get(f"{auth}/me", headers=headers).status_code == 401
    stolen = WIRE.post(f"{auth}/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert (stolen.status_code, stolen.json()["code"]) == (401, "not_signed_in")


async def break_off(*_: object) -> None:
    raise Overloaded


def list_recorded_by(installation: Installation, user_id: str) -> list[str]:
    query = "SELECT data ->> 'actor_id' FROM event_log WHERE stream = %s"
    with psycopg.connect(installation.app_dsn) as connection:
        return [row[0] for row in connection.execute(query, (user_id,))]


@contextmanager
def registering_breaks_off(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[str, str]]:
    """Somebody registers while no role can be recorded: where to go on, and the address."""
    auth, email = f"{installation.base_url}/api/v1/auth", f"{uuid4().hex}@example.com"
    person = {"email": email, "password": "a long enough one", "display_name": "N", "legal_name": "N N"}
    with monkeypatch.context() as broken:
        broken.setattr("api.flows.registration.record_roles", break_off)
        assert WIRE.post(f"{auth}/register", json=person).status_code == 503
        yield auth, email


def test_a_registration_that_broke_off_is_finished_when_the_address_is_verified(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with registering_breaks_off(installation, monkeypatch) as (auth, email):
        pass
    assert WIRE.post(f"{auth}/resend-code", json={"email": email}).status_code == 204
    wait_until(lambda: email in installation.codes)
    verified = WIRE.post(f"{auth}/verify-email", json={"email": email, "code": installation.codes[email]})
    assert verified.status_code == 200, verified.text
    assert list_recorded_by(installation, verified.json()["user_id"]) == ["registration"]


def test_a_code_is_good_until_the_roles_of_its_owner_are_recorded(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is verified gets no other code: what breaks off before must be left to do for the same one."""
    with registering_breaks_off(installation, monkeypatch) as (auth, email):
        assert WIRE.post(f"{auth}/resend-code", json={"email": email}).status_code == 204
        wait_until(lambda: email in installation.codes)
        answer = {"email": email, "code": installation.codes[email]}
        assert WIRE.post(f"{auth}/verify-email", json=answer).status_code == 503
    verified = WIRE.post(f"{auth}/verify-email", json=answer)
    assert verified.status_code == 200, verified.text
    assert list_recorded_by(installation, verified.json()["user_id"]) == ["registration"]
    assert WIRE.post(f"{auth}/verify-email", json=answer).json()["code"] == "code_refused"


def test_nobody_who_asks_how_it_is_reads_what_a_stopped_read_model_held(installation: Installation) -> None:
    """Anybody may ask, and the message of a database quotes the row: only the kind of error is told."""
    stopped = "INSERT INTO projection_checkpoints (name, version, position, error) VALUES ('stopped', 1, 10^9, %s)"
    with psycopg.connect(installation.superuser_dsn, autocommit=True) as connection:
        connection.execute(stopped, ("UniqueViolation: duplicate key\nDETAIL:  Key (title)=(hunter2) exists.",))
        try:
            told = [WIRE.get(f"{installation.base_url}/api/v1/ops/{name}").json() for name in ("health", "projections")]
        finally:
            connection.execute("DELETE FROM projection_checkpoints WHERE name = 'stopped'")
    assert told[0]["status"] == "degraded"
    for each in told:
        assert {one["name"]: one["error"] for one in each["projections"]}["stopped"] == "UniqueViolation"


def test_metrics_exist_before_anything_happened(installation: Installation) -> None:
    text = WIRE.get(f"{installation.base_url}/metrics").text
    for series in (
        'escrow_http_requests_total{route="POST /api/v1/transactions/{transaction_id}/reveal",status="5xx"}',
        'escrow_login_total{outcome="failed"}',
        "escrow_db_errors_total",
        'escrow_commands_total{outcome="failed"}',
        'escrow_projection_lag_events{projection="ledger"}',
        "escrow_log_head_position",
    ):
        assert series in text, series


def test_a_signed_question_about_a_transfer_that_nobody_ordered_is_answered_with_400(
    installation: Installation,
) -> None:
    url = f"{installation.base_url}/api/v1/webhooks/paystack/approval"
    for raw in (b'{"event":"transferrequest.approval-required","data":{"transfers":[{}]}}', b"not JSON", b""):
        refused = WIRE.post(url, content=raw, headers={"x-paystack-signature": signature(SECRET, raw)})
        assert (refused.status_code, refused.json()["code"]) == (400, "transfer_not_ordered")
        assert WIRE.post(url, content=raw).status_code == 401
