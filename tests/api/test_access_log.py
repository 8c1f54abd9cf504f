"""Who read or revealed what: kept for those who watch over the others, before anything secret goes out."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import cast
from uuid import uuid4

import psycopg
import pytest
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request

from api.access_log import BY_WORD, EXACT, AccessLog, Watch, watch_of
from api.app import list_routes
from api.http.scope import BODY, REQUEST_ID
from database.connect import open_pool
from domain.errors import NotFound
from identity.access_log import (
    Access,
    AccessFilter,
    Action,
    Outcome,
    forget_addresses,
    list_accesses,
    write_accesses,
)
from identity.housekeeping import forget_accesses
from tests.api.proof_files import send
from tests.api.running import PASSWORD, WIRE, Installation, JsonObject
from tests.api.samples import PNG
from tests.conftest import Database
from tests.waiting import wait_until

TRANSACTIONS = "/api/v1/transactions"
LOG = "/api/v1/admin/access-log"


def accesses(installation: Installation, **wanted: str) -> list[JsonObject]:
    """What the officer sees of these, newest first."""
    query = "&".join(f"{name}={value}" for name, value in {"limit": "100", **wanted}.items())
    answer = installation.people["super_admin"].get(f"{LOG}?{query}")
    assert answer.status_code == 200, answer.text
    return cast("list[JsonObject]", answer.json()["items"])


def reveal(installation: Installation, name: str, transaction: str, key: str | None = None) -> int:
    body = {"password": PASSWORD}
    return installation.people[name].post(f"{TRANSACTIONS}/{transaction}/reveal", body, key=key).status_code


def test_every_attempt_to_see_credentials_is_kept_with_its_reason(installation: Installation) -> None:
    early, refunded, disputed = installation.hold(), installation.hold(), installation.sold()
    for name in ("buyer", "seller"):
        installation.people[name].must(f"{TRANSACTIONS}/{refunded}/cancel", {"reason": "we changed our minds"})
    installation.wait(refunded, lambda view: view["state"] == "refunded")
    installation.people["buyer"].must(f"{TRANSACTIONS}/{disputed}/disputes", {"category": "not_working"})
    for name, transaction, status, reason in (
        ("buyer", early, 409, "contract_unsigned"),
        ("buyer", refunded, 409, "nothing_held"),
        ("buyer", disputed, 409, "dispute_open"),
        ("seller", early, 403, "forbidden"),
        ("stranger", early, 404, "not_found"),
        ("admin", early, 403, "forbidden"),
    ):
        assert reveal(installation, name, transaction) == status
        person = installation.people[name]
        (row,) = accesses(installation, action="reveal", user_id=str(person.id), object_id=transaction)
        assert (row["outcome"], row["reason"], row["times"]) == ("refused", reason, 1)
        assert row["address"] == "127.0.0.1"
        assert str(row["user_agent"]).startswith("python-httpx")
    watched = installation.people["admin"].get("/api/v1/admin/security-alerts?limit=100").json()["items"]
    found = {(each["kind"], each["user_id"]) for each in watched if each["transaction_id"] == early}
    foreign = {str(installation.people[name].id) for name in ("seller", "stranger", "admin")}
    assert found == {("foreign_reveal", person) for person in foreign}


def test_a_second_reveal_is_refused_kept_and_alerted_and_the_first_is_kept(installation: Installation) -> None:
    transaction, buyer = installation.sold(), installation.people["buyer"]
    assert reveal(installation, "buyer", transaction, "first") == 200
    assert reveal(installation, "buyer", transaction, "first") == 200
    assert [reveal(installation, "buyer", transaction) for _ in range(3)] == [409, 409, 409]
    rows = accesses(installation, action="reveal", object_id=transaction)
    told = [(row["outcome"], row["reason"], row["times"], row["user_id"]) for row in rows]
    assert told == [("refused", "already_revealed", 3, str(buyer.id)), ("granted", None, 2, str(buyer.id))]
    page = installation.people["admin"].get("/api/v1/admin/security-alerts?limit=100").json()["items"]
    (alert,) = [each for each in page if each["transaction_id"] == transaction]
    assert (alert["kind"], alert["times"], alert["user_id"]) == ("second_reveal", 3, str(buyer.id))
    assert b'escrow_security_alerts_total{kind="second_reveal"}' in WIRE.get(f"{installation.base_url}/metrics").content


def test_what_is_said_of_a_reveal_is_none(installation: Installation) -> None:
    """To have read the answer, or to have missed it, shows nothing; and to say so of another's is no attempt to see."""
    transaction, buyer, seller = installation.sold(), installation.people["buyer"], installation.people["seller"]
    assert reveal(installation, "buyer", transaction) == 200
    path = f"{TRANSACTIONS}/{transaction}/reveal"
    assert seller.post(f"{path}/missed").status_code == 403
    assert seller.post(f"{path}/acknowledge").status_code == 403
    buyer.must(f"{path}/missed")
    rows = accesses(installation, action="reveal", object_id=transaction)
    assert [(row["outcome"], row["times"], row["user_id"]) for row in rows] == [("granted", 1, str(buyer.id))]
    page = installation.people["admin"].get("/api/v1/admin/security-alerts?limit=100").json()["items"]
    assert [each for each in page if each["transaction_id"] == transaction] == []


def test_without_a_place_to_write_who_saw_it_nothing_is_shown(installation: Installation) -> None:
    transaction, key = installation.sold(), str(uuid4())
    rename = "ALTER TABLE access_log RENAME TO access_log_away"
    with psycopg.connect(installation.superuser_dsn, autocommit=True) as connection:
        connection.execute(rename)
        try:
            answer = installation.people["buyer"].post(
                f"{TRANSACTIONS}/{transaction}/reveal", {"password": PASSWORD}, key=key
            )
        finally:
            connection.execute("ALTER TABLE access_log_away RENAME TO access_log")
    assert answer.status_code >= 500
    assert "hunter2" not in answer.text
    again = installation.people["buyer"].post(f"{TRANSACTIONS}/{transaction}/reveal", {"password": PASSWORD}, key=key)
    assert (again.status_code, "hunter2" in again.text) == (200, True)
    assert next(row["outcome"] for row in accesses(installation, object_id=transaction, action="reveal")) == "granted"


def test_an_answer_that_goes_out_before_it_is_kept_is_found(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the record of a reveal is gathered like that of a read."""
    monkeypatch.setattr("api.recording.is_urgent", lambda access: False)
    with pytest.raises(AssertionError, match=r"^assert 200 >= 500"):
        test_without_a_place_to_write_who_saw_it_nothing_is_shown(installation)


def test_what_staff_and_auditors_read_is_kept_and_what_parties_read_of_their_own_is_not(
    installation: Installation,
) -> None:
    transaction = installation.hold()
    admin, auditor = installation.people["admin"], installation.people["auditor"]
    for _ in range(3):
        admin.get(f"/api/v1/admin/transactions/{transaction}")
    auditor.get(f"{TRANSACTIONS}/{transaction}/events")
    auditor.get("/api/v1/audit/events?limit=1")
    admin.get("/api/v1/admin/transactions?stuck=true")
    installation.people["buyer"].get(f"{TRANSACTIONS}/{transaction}")
    installation.people["buyer"].get(f"{TRANSACTIONS}/{transaction}/contract")
    expected = {
        ("transaction_read", str(admin.id), 3),
        ("transaction_read", str(auditor.id), 1),
        ("contract_read", str(installation.people["buyer"].id), 1),
    }

    def kept() -> bool:
        rows = accesses(installation, object_id=transaction)
        return {(row["action"], row["user_id"], row["times"]) for row in rows} == expected

    wait_until(kept)
    wait_until(lambda: bool(accesses(installation, action="audit_read", user_id=str(auditor.id))))
    wait_until(lambda: bool(accesses(installation, action="admin_read", user_id=str(admin.id))))


def test_who_sent_looked_at_or_took_away_a_proof_is_kept(installation: Installation) -> None:
    seller = installation.people["seller"]
    draft = {"title": "t", "description": "d", "price": {"amount_minor": 500, "currency": "KES"}}
    listing = str(seller.must("/api/v1/listings", draft)["id"])
    proofs = f"/api/v1/listings/{listing}/proofs"
    proof = send(seller, listing, PNG, "proof.png").json()["id"]
    assert installation.people["admin"].get(f"{proofs}/{proof}").status_code == 200
    assert send(installation.people["stranger"], listing, PNG, "proof.png").status_code == 404
    assert seller.request("DELETE", f"{proofs}/{proof}", Idempotency_Key="take-it-away").status_code < 300

    def kept() -> bool:
        rows = accesses(installation, object_id=listing)
        return {(row["action"], row["outcome"], row["user_id"]) for row in rows} == {
            ("proof_sent", "granted", str(seller.id)),
            ("proof_read", "granted", str(installation.people["admin"].id)),
            ("proof_sent", "refused", str(installation.people["stranger"].id)),
            ("proof_removed", "granted", str(seller.id)),
        }

    wait_until(kept)


def test_sign_ins_are_kept_for_the_account_that_was_tried(installation: Installation) -> None:
    person, url = installation.people["other"], f"{installation.base_url}/api/v1/auth/login"
    for email, password in ((person.email.upper(), "wrong"), (person.email, PASSWORD), ("nobody@x.example", "wrong")):
        WIRE.post(url, json={"email": email, "password": password})

    def kept() -> bool:
        rows = accesses(installation, action="sign_in", user_id=str(person.id))
        return {("granted", None), ("refused", "sign_in_refused")} <= {(row["outcome"], row["reason"]) for row in rows}

    wait_until(kept)
    wait_until(lambda: any(row["user_id"] is None for row in accesses(installation, action="sign_in")))
    with psycopg.connect(installation.app_dsn) as connection:
        assert connection.execute("SELECT FROM access_log WHERE access_log::text LIKE '%@%'").fetchall() == []


def test_keys_that_are_given_out_and_taken_back_are_kept(installation: Installation) -> None:
    person, paper, keys = installation.people["other"], "/api/v1/auth/recovery-key", "/api/v1/users/me/api-keys"
    assert person.post(paper, {"password": "wrong"}).status_code == 403
    person.must(paper, {"password": PASSWORD})
    assert person.request("DELETE", paper).status_code == 204
    made = person.must(keys, {"name": "a program", "scopes": ["read"]})
    assert person.request("DELETE", f"{keys}/{made['id']}").status_code == 204
    expected = {("api_key", None, 2), ("recovery_key", None, 2), ("recovery_key", "wrong_password", 1)}
    rows, told = partial(accesses, installation, user_id=str(person.id)), itemgetter("action", "reason", "times")
    wait_until(lambda: expected <= set(map(told, rows())))


def test_only_what_is_really_tried_dry_is_called_rehearsed(installation: Installation) -> None:
    """Whoever signs in cannot make it look like less with a parameter that nobody reads."""
    person, auth = installation.people["other"], f"{installation.base_url}/api/v1/auth"
    signed_in = {"email": person.email, "password": PASSWORD}
    assert WIRE.post(f"{auth}/login?dry_run=true", json=signed_in).status_code == 200
    reset = {"token": "unknown", "new_password": PASSWORD}
    assert WIRE.post(f"{auth}/password-reset/confirm?dry_run=true", json=reset).status_code == 403
    transaction, buyer = installation.sold(), installation.people["buyer"]
    dry = buyer.post(f"{TRANSACTIONS}/{transaction}/reveal?dry_run=true", {"password": PASSWORD})
    assert dry.status_code == 200
    (row,) = accesses(installation, action="reveal", object_id=transaction)
    assert row["outcome"] == "rehearsed"
    wait_until(lambda: bool(accesses(installation, action="password_change", outcome="refused")))
    assert accesses(installation, action="sign_in", outcome="rehearsed") == []


def test_only_the_officer_reads_it_page_by_page_and_that_is_kept_too(installation: Installation) -> None:
    officer = installation.people["super_admin"]
    for name in ("admin", "auditor", "buyer"):
        assert installation.people[name].get(LOG).status_code == 403
    for query in ("action=unknown", "outcome=maybe", "user_id=1", "since=yesterday", "before=3"):
        assert officer.get(f"{LOG}?{query}").status_code == 422

    def read_twice() -> tuple[list[object], list[object]]:
        first = officer.get(f"{LOG}?outcome=granted&limit=2").json()
        second = officer.get(f"{LOG}?outcome=granted&limit=2&cursor={first['next_cursor']}").json()
        at_once = accesses(installation, outcome="granted")[:4]
        return [row["id"] for row in first["items"] + second["items"]], [row["id"] for row in at_once]

    # The newest come first, and what was read a moment ago is written between two reads: then once more.
    wait_until(read_twice, lambda both: both[0] == both[1] and len(both[0]) == 4)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert officer.get(f"{LOG}?since={tomorrow}").json()["items"] == []
    wait_until(lambda: bool(accesses(installation, action="access_log_read", outcome="refused")))


def test_the_auditor_of_the_database_sees_who_and_not_from_where(database: Database) -> None:
    with psycopg.connect(database.auditor_dsn, autocommit=True) as connection:
        connection.execute("SELECT id, times, action, outcome, reason, user_id, object_id FROM access_log")
        connection.execute("SELECT id, kind, times FROM security_alerts")
        for column in ("address", "user_agent", "bucket", "*"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT {column} FROM access_log")


def access(number: int, address: str = "10.0.0.1") -> Access:
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    return Access(
        at=now, hour=now, action=Action.SIGN_IN, outcome=Outcome.REFUSED, email=f"{number}@example.com",
        request_id="r", address=address, user_agent=str(number),
    )  # fmt: skip


def make_sign_in(body: JsonObject | None = None) -> Request:
    scope: dict[str, object] = {"type": "http", "headers": [], "path_params": {}, "client": None}
    return Request(scope | {REQUEST_ID: "of-a-test", BODY: body})


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (NotFound(), Outcome.REFUSED, "not_found"),
        (RequestValidationError([]), Outcome.REFUSED, "invalid"),
        (psycopg.errors.NumericValueOutOfRange(), Outcome.REFUSED, "invalid"),
        (psycopg.OperationalError(), Outcome.FAILED, "database_unavailable"),
        (TimeoutError(), Outcome.FAILED, "database_unavailable"),
        (KeyError("ours"), Outcome.FAILED, "internal_error"),
    ],
)
def test_a_failure_of_ours_is_no_refusal(error: Exception, outcome: Outcome, reason: str) -> None:
    access = Watch(Action.SIGN_IN).describe(make_sign_in(), datetime.now(UTC), error)
    assert access is not None
    assert (access.outcome, access.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("email", "is_kept"),
    [("a" * 242 + "@example.com", True), ("a" * 243 + "@example.com", False), ("😀" * 16_000, False), (["a@b"], False)],
)
def test_what_is_longer_than_an_address_is_not_kept_for_one(email: object, is_kept: bool) -> None:
    """A body is described also when it was refused, and what waits in memory is counted in lines."""
    tried = make_sign_in({"email": email})
    access = Watch(Action.SIGN_IN).describe(tried, datetime.now(UTC), RequestValidationError([]))
    assert access is not None
    assert access.email == (email if is_kept else None)


def test_a_flood_is_counted_and_not_listed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.access_log.MOST_PER_ADDRESS", 20)
    monkeypatch.setattr("api.access_log.MOST_PER_HOUR", 200)
    one = [replace(access(number), reason=str(number)) for number in range(200)]
    many = [replace(each, address=f"10.{number // 250}.{number % 250}.2") for number, each in enumerate(3 * one)]
    written: list[dict[str, tuple[int, int]]] = []

    async def flood() -> None:
        log = AccessLog()
        async with open_pool(database.app_dsn, max_size=1, autocommit=True) as pool:
            for part in (one, many):
                for each in part:
                    log.put(pool, each)
                await log.close(pool)
                written.append(count_lines(database))

    asyncio.run(flood())
    assert written[0] == {"sign_in": (20, 20), "others": (1, 180)}
    assert written[1] == {"sign_in": (200, 200), "others": (2, 600)}


def count_lines(database: Database) -> dict[str, tuple[int, int]]:
    """By the action: how many lines there are, and of how many accesses."""
    with psycopg.connect(database.owner_dsn) as connection:
        rows = connection.execute("SELECT action, count(*), sum(times) FROM access_log GROUP BY action").fetchall()
    return {action: (lines, int(times)) for action, lines, times in rows}


def test_made_up_ids_are_one_line(installation: Installation) -> None:
    for _ in range(5):
        assert reveal(installation, "stranger", str(uuid4())) == 404
    stranger = str(installation.people["stranger"].id)
    rows = [row for row in accesses(installation, action="reveal", user_id=stranger) if row["object_id"] is None]
    assert [row["times"] for row in rows] == [5]


def test_every_route_that_shows_or_guards_a_secret_is_watched() -> None:
    watched = {route: watch_of(*route.split(" ", 1)) for route in list_routes()}
    for route, watch in watched.items():
        method, path = route.split(" ", 1)
        is_read = method == "GET" and path.startswith(("/api/v1/admin/", "/api/v1/audit/"))
        words = ("/proofs", "/second-factor", "-key", "/password") if method in {"POST", "DELETE"} else ("/proofs",)
        ends = ("/reveal", "/contract", "/login", "/payout-account")
        if is_read or path.endswith(ends) or any(word in path for word in words):
            assert watch is not None, route
    for word in ("acknowledge", "missed"):
        assert watched[f"POST {TRANSACTIONS}/{{transaction_id}}/reveal/{word}"] is None
    assert {action for _, _, action in BY_WORD} <= {watch.action for watch in watched.values() if watch is not None}
    assert EXACT.keys() <= watched.keys()


def test_from_where_somebody_came_can_be_erased_and_old_rows_go(database: Database) -> None:
    person, other = uuid4(), uuid4()

    async def story() -> None:
        async with open_pool(database.app_dsn, max_size=2, autocommit=True) as pool:
            kept = [
                (replace(access(1), user_id=each, address=f"10.0.0.{n}"), 2) for n, each in enumerate((person, other))
            ]
            await write_accesses(pool, kept)
            await write_accesses(pool, kept)
            async with pool.connection() as connection:
                assert await forget_addresses(connection, person) == 1
                assert await forget_addresses(connection, person) == 0
            rows = await list_accesses(pool, AccessFilter(), before=None, limit=10)
            assert {(row.user_id, row.times, row.address, row.user_agent) for row in rows} == {
                (person, 4, None, None), (other, 4, "10.0.0.1", "1"),
            }  # fmt: skip
            assert await forget_accesses(pool, access(1).at) == 0
            assert await forget_accesses(pool, access(1).at + timedelta(seconds=1)) == 2

    asyncio.run(story())


def test_what_cannot_be_written_now_is_written_later(database: Database) -> None:
    async def story() -> None:
        log = AccessLog()
        async with open_pool(database.app_dsn, max_size=1, autocommit=True) as pool:
            with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
                connection.execute("ALTER TABLE access_log RENAME TO access_log_away")
                log.put(pool, access(1))
                await log.close(pool)
                connection.execute("ALTER TABLE access_log_away RENAME TO access_log")
            log.put(pool, access(1))
            await log.close(pool)
            (row,) = await list_accesses(pool, AccessFilter(), before=None, limit=10)
            assert row.times == 2

    asyncio.run(story())


def test_what_no_connection_can_be_had_for_is_written_later(database: Database) -> None:
    async def story() -> None:
        log = AccessLog()
        not_open = open_pool(database.app_dsn, max_size=1, autocommit=True)
        log.put(not_open, access(1))
        await log.close(not_open)
        async with open_pool(database.app_dsn, max_size=1, autocommit=True) as pool:
            await log.close(pool)
            (row,) = await list_accesses(pool, AccessFilter(), before=None, limit=10)
            assert row.times == 1

    asyncio.run(story())
