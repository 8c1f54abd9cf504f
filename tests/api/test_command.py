"""Commands over HTTP: once per key, at a version, dry; and reads of the past and of one's own writes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import httpx
import psycopg

from tests.api.running import PASSWORD, Installation
from tests.waiting import wait_until
from tests.weaknesses.running import read

T = "/api/v1/transactions"
CONTENTS = "SELECT count(*) FROM contents"
HELD_UP = "SELECT count(*) FROM pg_locks WHERE relation = 'contents'::regclass AND NOT granted"


def test_a_repeat_with_the_same_key_gets_the_same_bytes(installation: Installation) -> None:
    buyer, transaction = installation.people["buyer"], installation.open()
    first = buyer.post(f"{T}/{transaction}/cancel", {"reason": "changed my mind"}, key=f"key-{transaction}")
    written = installation.written()
    again = buyer.post(f"{T}/{transaction}/cancel", {"reason": "changed my mind"}, key=f"key-{transaction}")
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert (again.headers["ETag"], again.headers["Escrow-Position"]) == (
        first.headers["ETag"],
        first.headers["Escrow-Position"],
    )
    assert installation.written() == written


def test_a_repeated_opening_answers_with_the_first_transaction(installation: Installation) -> None:
    buyer, listing, key = installation.people["buyer"], installation.list_account(), str(uuid4())
    first = buyer.post(T, {"listing_id": listing}, key=key)
    again = buyer.post(T, {"listing_id": listing}, key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content


def test_an_opening_is_answered_for_ever_whatever_became_of_its_listing(installation: Installation) -> None:
    buyer, admin = installation.people["buyer"], installation.people["admin"]
    listing, key = installation.list_account(), str(uuid4())
    first = buyer.post(T, {"listing_id": listing}, key=key)
    buyer.must(f"{T}/{first.json()['id']}/cancel", {"reason": "changed my mind"})
    wait_until(lambda: buyer.get(f"/api/v1/catalog/{listing}").status_code, lambda status: status == 200)
    dry = f"{T}?dry_run=true"
    wait_until(lambda: buyer.post(dry, {"listing_id": listing}).status_code, lambda status: status == 200)
    tried = buyer.post(dry, {"listing_id": listing}, key=key)
    assert tried.status_code == 200, f"a dry run is decided as of now, whatever its key was used for: {tried.text}"
    wait_until(
        lambda: admin.post(f"/api/v1/admin/listings/{listing}/remove", {"reason": "it is not theirs"}).status_code,
        lambda status: status == 200,
    )
    assert buyer.post(T, {"listing_id": listing}).status_code == 404
    again = buyer.post(T, {"listing_id": listing}, key=key)
    assert (again.status_code, again.content, again.headers["Idempotency-Replayed"]) == (201, first.content, "true")
    other = buyer.post(T, {"listing_id": str(uuid4())}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_key_is_good_for_one_body_and_one_route(installation: Installation) -> None:
    buyer, transaction, key = installation.people["buyer"], installation.open(), str(uuid4())
    assert buyer.post(f"{T}/{transaction}/cancel", {"reason": "one"}, key=key).status_code == 200
    for path, body in ((f"{T}/{transaction}/cancel", {"reason": "two"}), (f"{T}/{transaction}/pay", None)):
        refused = buyer.post(path, body, key=key)
        assert refused.status_code == 422, refused.text
        assert refused.json()["code"] == "idempotency_key_reused"


def test_a_used_key_keeps_no_words_and_tells_of_nothing(installation: Installation) -> None:
    """Whatever it is sent to, and whether that exists; without the key the same is refused for what it is."""
    stranger, key, unknown = installation.people["stranger"], str(uuid4()), str(uuid4())
    body = {"title": "t", "description": "d", "price": {"amount_minor": 5, "currency": "KES"}}
    foreign, listing = installation.open(), installation.people["seller"].must("/api/v1/listings", body)["id"]
    assert stranger.post("/api/v1/listings", body, key=key).status_code == 201
    kept = read(installation, CONTENTS)
    signature = {"content_sha256": "0" * 64, "legal_name": "Somebody Else", "password": PASSWORD}
    dispute = {"category": "not_working", "statement": "These words are nobody's."}
    asked = [
        ("POST", f"{T}/{one}/{place}", body)
        for one in (unknown, foreign)
        for place, body in (
            ("disputes", dispute),
            ("state-access", {"statement": dispute["statement"]}),
            ("contract/sign", signature),
            ("redeposit", signature | {"credentials": {"username": "x"}}),
        )
    ]
    asked += [("PATCH", f"/api/v1/listings/{one}", {"title": "new"}) for one in (unknown, listing)]
    asked += [("PUT", f"/api/v1/listings/{one}/credentials", {"credentials": {"a": "b"}}) for one in (unknown, listing)]
    for method, path, body in asked:
        fresh = stranger.request(method, path, body, Idempotency_Key=str(uuid4()))
        assert (fresh.status_code, fresh.json()["code"]) == (404, "not_found"), f"{path}: {fresh.text}"
        refused = stranger.request(method, path, body, Idempotency_Key=key)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused"), path
    assert read(installation, CONTENTS) == kept


def test_a_key_belongs_to_its_actor(installation: Installation) -> None:
    key, listings = str(uuid4()), [installation.list_account(), installation.list_account()]
    opened = [
        installation.people[name].post(T, {"listing_id": listing}, key=key)
        for name, listing in zip(("buyer", "stranger"), listings, strict=True)
    ]
    assert [answer.status_code for answer in opened] == [201, 201]
    assert opened[0].json()["id"] != opened[1].json()["id"]


def test_a_command_without_a_key_is_refused(installation: Installation) -> None:
    transaction, written = installation.open(), installation.written()
    for key in ({}, {"Idempotency_Key": ""}, {"Idempotency_Key": "x" * 256}, {"Idempotency_Key": "a b"}):
        refused = installation.people["buyer"].request("POST", f"{T}/{transaction}/cancel", **key)
        assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_required")
    assert installation.view(transaction)["state"] == "pending"
    assert installation.written() == written


def test_a_stale_if_match_is_refused_and_an_absent_one_is_not(installation: Installation) -> None:
    buyer, transaction = installation.people["buyer"], installation.open()
    stale = buyer.post(f"{T}/{transaction}/cancel", If_Match='"7"')
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert buyer.post(f"{T}/{transaction}/cancel", If_Match="nonsense").status_code == 412
    etag = buyer.get(f"{T}/{transaction}").headers["ETag"]
    assert buyer.post(f"{T}/{transaction}/cancel", If_Match=f'"7", {etag}').status_code == 412
    assert buyer.post(f"{T}/{transaction}/cancel", If_Match=etag).status_code == 200


def test_of_two_changes_of_a_listing_at_once_none_is_lost(installation: Installation) -> None:
    """Both have read the same version when they write; whoever is refused can send the same once more."""
    seller = installation.people["seller"]
    price = {"amount_minor": 1000, "currency": "KES"}
    made = seller.must("/api/v1/listings", {"title": "old", "description": "old", "price": price})
    path, patches = f"/api/v1/listings/{made['id']}", {"title": "new", "description": "newer"}

    def change(name: str) -> httpx.Response:
        return seller.request("PATCH", path, {name: patches[name]}, Idempotency_Key=f"{name}-of-{made['id']}")

    with psycopg.connect(installation.superuser_dsn) as connection, ThreadPoolExecutor(2) as pool:
        connection.execute("LOCK TABLE contents IN SHARE MODE")
        changing = {name: pool.submit(change, name) for name in patches}
        wait_until(lambda: read(installation, HELD_UP), lambda rows: rows == [(2,)])
        connection.rollback()
        answers = {name: each.result() for name, each in changing.items()}
    assert sorted(answer.status_code for answer in answers.values()) == [200, 409]
    (refused,) = (name for name, answer in answers.items() if answer.status_code == 409)
    assert answers[refused].json()["code"] == "version_conflict"
    assert change(refused).status_code == 200
    shown = seller.get(path).json()
    assert {name: shown[name] for name in patches} == patches
    for name in patches:
        assert change(name).headers["Idempotency-Replayed"] == "true"


def test_what_does_not_exist_yet_has_no_version_to_match(installation: Installation) -> None:
    listing = installation.list_account()
    refused = installation.people["buyer"].post(T, {"listing_id": listing}, If_Match='"1"')
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")


def test_a_stale_if_match_tells_strangers_nothing(installation: Installation) -> None:
    stranger, transaction = installation.people["stranger"], installation.open()
    foreign = stranger.post(f"{T}/{transaction}/cancel", If_Match='"7"')
    missing = stranger.post(f"{T}/{uuid4()}/cancel", If_Match='"7"')
    assert foreign.status_code == missing.status_code == 404
    assert _plain(foreign) == _plain(missing)


def test_a_dry_run_answers_and_writes_nothing(installation: Installation) -> None:
    buyer, transaction = installation.people["buyer"], installation.open()
    written = installation.written()
    dry = buyer.post(f"{T}/{transaction}/cancel?dry_run=true")
    assert (dry.status_code, dry.json()["state"]) == (200, "cancelled")
    assert dry.headers["Escrow-Dry-Run"] == "true"
    refused = buyer.post(f"{T}/{transaction}/confirm-access?dry_run=true")
    assert (refused.status_code, refused.json()["code"]) == (409, "already_settled")
    assert buyer.post(f"{T}/{transaction}/cancel?dry_run=1").status_code == 422
    assert installation.written() == written
    assert installation.view(transaction)["state"] == "pending"


def test_dry_runs_keep_no_text_and_no_key(installation: Installation) -> None:
    seller, transaction = installation.people["seller"], installation.sold()
    body = {"title": "t", "description": "d", "price": {"amount_minor": 5, "currency": "KES"}}
    written = installation.written()
    assert seller.post("/api/v1/listings?dry_run=true", body).status_code == 200
    dry = installation.people["buyer"].post(f"{T}/{transaction}/reveal?dry_run=true", {"password": PASSWORD})
    assert (dry.status_code, dry.json()["document"], dry.json()["sealed"]) == (200, None, None)
    assert installation.written() == written


def test_the_past_can_be_read_by_position_and_by_time(installation: Installation) -> None:
    buyer, transaction = installation.people["buyer"], installation.open()
    opened = installation.head()
    at = installation.clock()
    buyer.must(f"{T}/{transaction}/cancel")
    assert buyer.get(f"{T}/{transaction}").json()["state"] == "cancelled"
    for as_of in (str(opened), at.isoformat().replace("+00:00", "Z")):
        past = buyer.get(f"{T}/{transaction}?as_of={as_of}")
        assert (past.status_code, past.json()["state"]) == (200, "pending"), past.text
    assert buyer.get(f"{T}/{transaction}?as_of=1").status_code == 404
    later = (at + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    for wrong in ("tomorrow", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00", "infinity", "999999999", "-1", later):
        assert buyer.get(f"{T}/{transaction}?as_of={wrong}").status_code == 422, wrong


def test_a_client_reads_its_own_writes(installation: Installation) -> None:
    buyer, transaction = installation.people["buyer"], installation.open()
    position = buyer.post(f"{T}/{transaction}/cancel").headers["Escrow-Position"]
    listed = buyer.get(f"{T}?state=cancelled&limit=100", Wait_For_Position=position)
    assert transaction in [item["id"] for item in listed.json()["items"]]
    assert buyer.get(T, Wait_For_Position="many").status_code == 400
    never = buyer.get(T, Wait_For_Position="999999999")
    assert (never.status_code, never.json()["code"]) == (400, "position_unknown")


def test_lists_go_on_where_the_cursor_says(installation: Installation) -> None:
    buyer = installation.people["buyer"]
    position = ""
    for _ in range(3):
        transaction = installation.open()
        position = buyer.post(f"{T}/{transaction}/cancel").headers["Escrow-Position"]
    whole = buyer.get(f"{T}?state=cancelled&limit=100", Wait_For_Position=position).json()["items"]
    seen: list[str] = []
    cursor = ""
    while True:
        page = buyer.get(f"{T}?state=cancelled&limit=2{cursor}").json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [item["id"] for item in whole]


def test_a_cursor_is_good_for_its_list_and_its_user_only(installation: Installation) -> None:
    buyer = installation.people["buyer"]
    for _ in range(2):
        installation.open()
    page = buyer.get(f"{T}?limit=1", Wait_For_Position=str(installation.head())).json()
    cursor = page["next_cursor"]
    assert buyer.get(f"{T}?limit=1&cursor={cursor}").status_code == 200
    wrong = [
        buyer.get(f"{T}?limit=1&state=pending&cursor={cursor}"),
        buyer.get(f"/api/v1/catalog?limit=1&cursor={cursor}"),
        buyer.get(f"{T}?limit=1&cursor={cursor[:-2]}AA"),
        buyer.get(f"{T}?limit=1&cursor=AAAA"),
        buyer.get(f"{T}?limit=1&cursor=%F0%9F%98%80"),
        installation.people["seller"].get(f"{T}?limit=1&cursor={cursor}"),
    ]
    assert [answer.status_code for answer in wrong] == [400] * 6


def _plain(answer: httpx.Response) -> dict[str, object]:
    return {name: value for name, value in answer.json().items() if name != "request_id"}
