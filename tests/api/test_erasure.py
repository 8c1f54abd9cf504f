"""Erasing a person over HTTP and by hand: planted names are found nowhere, the log stands, and the address is free."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple, TypeVar, cast
from uuid import UUID

import psycopg
import pytest
from fastapi import Request
from psycopg.sql import SQL, Identifier

from api.files.media import MediaType
from api.files.upload import receive_file
from database.connect import Pool, open_pool
from gateways.objects import Draft
from gateways.paystack.webhook import SIGNATURE_HEADER, signature
from identity.erasure import erase_personal_data, lock_for_erasure, request_erasure
from reactions.erasure import SETTLE_SECONDS, ErasureUndecided, Standing, State
from replay.verify import verify
from tests.api.proof_files import send
from tests.api.running import PASSWORD, SECRET, WIRE, Installation, JsonObject, Person
from tests.api.samples import PNG
from tests.api.signing_in import ask_to_sign_in
from tests.conftest import Database
from tests.waiting import wait_until

T = TypeVar("T")
ERASURE = "/api/v1/users/me/erasure"
CANARIES = ("zebrafinch", "Quokkasson", "700777666", "0722909808")
EMAIL = f"{CANARIES[0]}@example.com"
ACCOUNT = {
    "type": "mobile_money",
    "bank_code": "MPESA",
    "account_number": CANARIES[3],
    "account_name": CANARIES[1],
    "currency": "KES",
}
RETENTION = timedelta(days=180)


def register(installation: Installation) -> Person:
    """Somebody whose name, address and number are found nowhere else."""
    base = installation.base_url
    name = {"display_name": CANARIES[0], "legal_name": CANARIES[1], "phone": f"+{CANARIES[2]}"}
    answer = WIRE.post(f"{base}/api/v1/auth/register", json={"email": EMAIL, "password": PASSWORD, **name})
    assert answer.status_code == 201, answer.text
    verified = {"email": EMAIL, "code": installation.codes[EMAIL]}
    assert WIRE.post(f"{base}/api/v1/auth/verify-email", json=verified).status_code == 200
    person = sign_in(installation)
    with psycopg.connect(installation.superuser_dsn) as connection:
        query = "UPDATE sessions SET confirmed_at = %s, confirmed_by = 'totp' WHERE user_id = %s"
        connection.execute(query, (installation.clock() + timedelta(hours=1), person.id))
    return person


def sign_in(installation: Installation) -> Person:
    tokens = ask_to_sign_in(installation, EMAIL).json()
    return Person("canary", UUID(tokens["user_id"]), EMAIL, tokens["access_token"], installation.base_url)


def leave_traces(installation: Installation, person: Person) -> str:
    """Write something personal wherever a buyer can; return a transaction with an open dispute."""
    installation.people["buyer"] = person
    assert person.request("PUT", "/api/v1/users/me/payout-account", ACCOUNT).status_code == 200
    person.must("/api/v1/users/me/api-keys", {"name": CANARIES[0], "scopes": ["read"]})
    with psycopg.connect(installation.superuser_dsn) as connection:
        connection.execute("UPDATE users SET phone_verified_at = now() WHERE id = %s", (person.id,))
        connection.execute(
            "INSERT INTO phone_codes VALUES (%s, %s, %s, now(), now(), 5)", (person.id, bytes(16), bytes(32))
        )
    draft = {"title": CANARIES[0], "description": CANARIES[1], "price": {"amount_minor": 500, "currency": "KES"}}
    listing = str(person.must("/api/v1/listings", draft)["id"])
    assert send(person, listing, PNG, f"{CANARIES[0]}.png").status_code == 201
    transaction = installation.hold()
    contract = cast("JsonObject", installation.view(transaction)["contract"])
    body = {"content_sha256": contract["sha256"], "legal_name": CANARIES[1], "password": PASSWORD}
    person.must(f"/api/v1/transactions/{transaction}/contract/sign", body)
    tell(installation, "charge.success", str(installation.view(transaction)["payment_reference"]))
    tell(installation, "charge.success", "of-another-system")
    dispute = {"category": "not_working", "statement": f"I am {CANARIES[1]}"}
    person.must(f"/api/v1/transactions/{transaction}/disputes", dispute)
    return transaction


def tell(installation: Installation, event: str, reference: str) -> None:
    """The processor says who paid; it writes the address in its own way."""
    who = {"email": EMAIL.upper(), "last_name": CANARIES[1]}
    raw = json.dumps({"event": event, "data": {"reference": reference, "customer": who}}).encode()
    answer = WIRE.post(
        f"{installation.base_url}/api/v1/webhooks/paystack",
        content=raw,
        headers={SIGNATURE_HEADER: signature(SECRET, raw)},
    )
    assert answer.status_code == 200, answer.text


def end(installation: Installation, transaction: str) -> None:
    """The dispute is decided for the buyer, and the refund goes through."""
    (dispute,) = cast("list[JsonObject]", installation.view(transaction)["disputes"])
    decision = {"finding": "seller", "reason": "The account was never handed over."}
    place = f"/api/v1/admin/transactions/{transaction}/disputes/{dispute['dispute_id']}/resolve"
    answer = installation.people["super_admin"].post(place, decision)
    assert answer.status_code == 200, answer.text
    installation.wait(transaction, lambda view: view["state"] == "refunded")


def places_of(installation: Installation) -> set[str]:
    """Every table and column text that holds a canary, also as bytes."""
    found: set[str] = set()
    with psycopg.connect(installation.superuser_dsn) as connection:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        for (table,) in connection.execute(query).fetchall():
            for canary in CANARIES:
                for text in (canary, canary.encode().hex()):
                    holds = SQL("SELECT 1 FROM public.{} AS t WHERE t::text ILIKE %s LIMIT 1").format(Identifier(table))
                    if connection.execute(holds, (f"%{text}%",)).fetchone():
                        found.add(table)
    return found


class Seen(NamedTuple):
    """What the access log has of somebody: how often, and from where or with what."""

    times: int
    origins: set[str]


def accesses_of(installation: Installation, person: Person) -> Seen:
    query = "SELECT times, address, user_agent FROM access_log WHERE user_id = %s"
    with psycopg.connect(installation.superuser_dsn) as connection:
        rows = connection.execute(query, (person.id,)).fetchall()
    assert all((address is None) == (agent is None) for _, address, agent in rows)
    return Seen(sum(times for times, _, _ in rows), {address for _, address, _ in rows if address is not None})


def count_phone(installation: Installation, person: Person) -> int:
    """What is known of a telephone: that it was verified, and the code that is on its way."""
    query = """
        SELECT (SELECT count(phone_verified_at) FROM users WHERE id = %(id)s)
            + (SELECT count(*) FROM phone_codes WHERE user_id = %(id)s)
    """
    with psycopg.connect(installation.superuser_dsn) as connection:
        return connection.execute(query, {"id": person.id}).fetchall()[0][0]


def nothing() -> None:
    """Nobody does anything meanwhile."""


def run(installation: Installation, work: Callable[[Pool], Awaitable[T]]) -> T:
    async def within() -> T:
        async with open_pool(installation.app_dsn, max_size=2, autocommit=True) as pool:
            return await work(pool)

    return asyncio.run(within())


def erase(installation: Installation, user_id: UUID, meanwhile: Callable[[], None] = nothing) -> Standing:
    """As the worker does; `meanwhile` happens while it waits for what was under way."""

    async def sleep(seconds: float) -> None:
        await (asyncio.to_thread(meanwhile) if seconds == SETTLE_SECONDS else asyncio.sleep(seconds))

    async def work(pool: Pool) -> Standing:
        eraser = replace(installation.dependencies.eraser, pool=pool, retention=RETENTION, sleep=sleep)
        await eraser.request(user_id)
        return await eraser.erase(user_id)

    return run(installation, work)


@pytest.mark.guarantee("G7", faults="a party is erased", runs="1")
def test_a_person_is_erased_and_the_log_stands(fresh: Installation, database: Database) -> None:
    person = register(fresh)
    before = places_of(fresh)
    assert "users" in before
    transaction = leave_traces(fresh, person)
    asked = person.post(ERASURE)
    assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
    assert asked.json()["open_matters"] == [{"kind": "transaction", "id": transaction}]
    assert erase(fresh, person.id).state is State.WAITING
    assert person.get(ERASURE).status_code == 200

    end(fresh, transaction)
    wait_until(lambda: person.get(ERASURE).json()["open_matters"] == [])
    assert person.get(ERASURE).json()["state"] == "waiting"
    assert {"users", "contents", "payout_accounts", "api_keys", "stored_files", "payment_events"} <= places_of(fresh)
    assert list(fresh.files.rglob(f"{person.id}/*"))
    wait_until(lambda: accesses_of(fresh, person).origins == {"127.0.0.1"})
    seen = accesses_of(fresh, person)
    assert count_phone(fresh, person) == 2
    fresh.clock.ahead += RETENTION + timedelta(minutes=1)
    assert erase(fresh, person.id) == Standing(user_id=person.id, state=State.ERASED)
    kept = accesses_of(fresh, person)  # what was read a second ago may only now have been written
    assert kept.times >= seen.times
    assert kept.origins == set()
    assert count_phone(fresh, person) == 0
    assert erase(fresh, person.id).state is State.ERASED
    assert places_of(fresh) == set()
    assert not list(fresh.files.rglob(f"{person.id}/*"))
    refused = ask_to_sign_in(fresh, EMAIL)
    assert refused.json()["code"] == "sign_in_refused"
    assert verify(database.owner_dsn, actor="tests", processes=1).counts == {}

    anew = register(fresh)
    assert anew.id != person.id
    assert anew.get("/api/v1/transactions").json()["items"] == []


def test_what_comes_up_at_the_last_moment_stops_it_and_lets_the_person_in_again(fresh: Installation) -> None:
    person = register(fresh)
    program = person.must("/api/v1/users/me/api-keys", {"name": "n", "scopes": ["trade"]})["key"]
    listing = fresh.list_account()

    def buy() -> None:
        """What was let in before the lock is carried out after it: here by the person of before."""
        assert [person.get("/api/v1/auth/me").status_code for _ in range(3)][1:] == [401, 401]
        headers = {"Authorization": f"Bearer {program}"}
        assert WIRE.get(f"{fresh.base_url}/api/v1/auth/me", headers=headers).status_code == 401
        with psycopg.connect(fresh.superuser_dsn) as connection:
            connection.execute("UPDATE transactions SET buyer_id = %s", (person.id,))

    fresh.people["buyer"].must("/api/v1/transactions", {"listing_id": listing})
    wait_until(lambda: fresh.people["buyer"].get("/api/v1/transactions").json()["items"] != [])
    standing = erase(fresh, person.id, buy)
    assert (standing.state, len(standing.open_matters)) == (State.WAITING, 1)
    assert sign_in(fresh).get("/api/v1/auth/me").json()["email"] == EMAIL


def test_an_account_that_the_bank_was_asked_about_meanwhile_is_not_kept(
    fresh: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bank may think for a minute: longer than an erasure waits for what is under way."""
    person = register(fresh)

    async def ask(_dependencies: object, _account: object) -> None:
        await asyncio.to_thread(erase, fresh, person.id)

    monkeypatch.setattr("api.flows.payout_account._resolve", ask)
    answer = person.request("PUT", "/api/v1/users/me/payout-account", ACCOUNT)
    assert answer.status_code == 401, answer.text
    assert answer.json()["code"] == "not_signed_in"
    assert places_of(fresh) == set()


def test_a_file_that_was_still_arriving_is_not_kept(fresh: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    person = register(fresh)
    draft = {"title": "An account", "description": "Ten years old", "price": {"amount_minor": 500, "currency": "KES"}}
    listing = str(person.must("/api/v1/listings", draft)["id"])

    async def receive(http: Request, draft: Draft) -> tuple[bytes, MediaType]:
        received = await receive_file(http, draft)
        await asyncio.to_thread(erase, fresh, person.id)
        return received

    monkeypatch.setattr("api.flows.proof.receive_file", receive)
    answer = send(person, listing, PNG, f"{CANARIES[0]}.png")
    assert answer.status_code == 401, answer.text
    assert answer.json()["code"] == "not_signed_in"
    assert places_of(fresh) == set()
    assert not list(fresh.files.rglob(f"{person.id}/*"))


def test_a_crash_between_the_lock_and_the_end_is_carried_on(fresh: Installation) -> None:
    person = register(fresh)

    async def crash(pool: Pool) -> None:
        async with pool.connection() as connection:
            await request_erasure(connection, person.id, fresh.clock())
        await lock_for_erasure(pool, person.id, fresh.clock())

    run(fresh, crash)
    assert person.get("/api/v1/auth/me").status_code == 401
    assert erase(fresh, person.id).state is State.ERASED
    assert places_of(fresh) == set()


def test_a_request_can_be_taken_back_and_nobody_is_erased_who_was_not_locked(fresh: Installation) -> None:
    person = register(fresh)
    assert person.post(ERASURE).json() == {"state": "possible", "possible_at": None, "open_matters": []}
    assert run(fresh, lambda pool: erase_personal_data(pool, person.id, fresh.clock())) is False
    assert person.request("DELETE", ERASURE).status_code == 204
    assert person.request("DELETE", ERASURE).status_code == 404
    assert person.get(ERASURE).status_code == 404
    stale = fresh.people["stranger"]
    fresh.clock.ahead += timedelta(minutes=66)
    answer = stale.post(ERASURE)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_a_listing_for_sale_and_tables_that_lag_keep_it_waiting(fresh: Installation) -> None:
    listing = fresh.list_account(seller="other")
    seller = fresh.people["other"]
    wait_until(lambda: fresh.people["admin"].get("/api/v1/catalog").json()["items"] != [])
    standing = erase(fresh, seller.id)
    assert standing.open_matters == (("listing", UUID(listing)),)

    stranger = fresh.people["stranger"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reactions.erasure.get_reached", never_reached)
        patch.setattr("reactions.erasure.CAUGHT_UP_SECONDS", 0.1)
        with pytest.raises(ErasureUndecided):
            erase(fresh, stranger.id)
    assert erase(fresh, stranger.id).state is State.ERASED


async def never_reached(_pool: Pool, _names: object) -> int:
    return 0
