"""Forgetting the password: a mailed token begins anew, and what that costs is said before it is done."""

import asyncio
import os
from contextlib import ExitStack
from dataclasses import replace
from typing import cast

import httpx
import psycopg
import pytest

from identity.second_factor import enrol_second_factor
from identity.totp import make_code, step_of
from tests.api.password_reset import CONFIRM, NEW, ask, begin_anew, confirm, get_token
from tests.api.running import PASSWORD, WIRE, Installation, JsonObject
from tests.api.signing_in import ask_to_sign_in, fill_door, sign_in
from tests.waiting import wait_until
from vault.gate import TooManySignIns


def test_a_reset_ends_every_api_key(fresh: Installation) -> None:
    buyer = fresh.people["buyer"]
    made = buyer.must("/api/v1/users/me/api-keys", {"name": "till", "scopes": ["read"], "expires_in_days": 365})
    program = replace(buyer, token=str(made["key"]))
    assert program.get("/api/v1/auth/me").status_code == 200
    begin_anew(fresh, buyer)
    assert program.get("/api/v1/auth/me").status_code == 401
    assert buyer.get("/api/v1/users/me/api-keys").json()["items"] == []


def test_a_seller_is_told_what_is_lost_and_deposits_again(fresh: Installation) -> None:
    seller, listing = fresh.people["seller"], fresh.list_account()
    token = get_token(fresh, seller)
    shown = confirm(fresh, token, "?dry_run=true").json()
    assert shown["is_done"] is False
    assert shown["losses"] == [{"listing_id": listing, "transaction_id": None, "role": "seller"}]
    refused = confirm(fresh, token)
    assert (refused.status_code, refused.json()["code"]) == (409, "losses_not_accepted")
    assert ask_to_sign_in(fresh, seller.email).status_code == 200
    begin_anew(fresh, seller)
    assert ask_to_sign_in(fresh, seller.email).status_code == 401
    wait_until(lambda: catalog(fresh) == [])
    buyer = fresh.people["buyer"]
    assert buyer.post("/api/v1/transactions", {"listing_id": listing}).json()["code"] == "listing_not_for_sale"
    again = {"credentials": {"username": "someone", "password": "hunter3"}}
    seller.must(f"/api/v1/listings/{listing}/credentials", again, method="PUT")
    assert buyer.post("/api/v1/transactions", {"listing_id": listing}).status_code == 201


@pytest.mark.guarantee("G19", faults="registering and resetting while as many strangers sign in as may", runs="2")
def test_registering_and_resetting_have_no_place_that_is_kept(fresh: Installation) -> None:
    buyer = fresh.people["buyer"]
    token, new = get_token(fresh, buyer), {"email": "new@example.com", "password": PASSWORD}
    form = new | {"display_name": "New", "legal_name": "New"}
    with ExitStack() as stack:
        with pytest.raises(TooManySignIns):
            fill_door(fresh, stack)
        registered = WIRE.post(f"{fresh.base_url}/api/v1/auth/register", json=form)
        answers = [registered, confirm(fresh, token)]
        assert confirm(fresh, token, "?dry_run=true").status_code == 200
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_sign_ins")
        assert answer.headers["retry-after"] == "5"
    assert WIRE.post(f"{fresh.base_url}/api/v1/auth/register", json=form).status_code == 201
    assert confirm(fresh, token).status_code == 200


def catalog(installation: Installation) -> list[object]:
    return cast("list[object]", installation.people["buyer"].get("/api/v1/catalog").json()["items"])


@pytest.mark.guarantee("G11", faults="the buyer's password is reset after both have signed", runs="1")
def test_a_buyer_who_begins_anew_opens_nothing_of_before(fresh: Installation) -> None:
    transaction, buyer = fresh.sold(), fresh.people["buyer"]
    shown = confirm(fresh, get_token(fresh, buyer), "?dry_run=true").json()
    assert [(loss["transaction_id"], loss["role"]) for loss in shown["losses"]] == [(transaction, "buyer")]

    def reveal(password: str) -> tuple[int, str]:
        answer = buyer.post(f"/api/v1/transactions/{transaction}/reveal", {"password": password})
        return answer.status_code, answer.json()["code"]

    with fresh.without_worker():
        begin_anew(fresh, buyer)
        assert (reveal(PASSWORD), reveal(NEW)) == ((403, "wrong_password"), (409, "grant_gone"))
    fresh.wait(transaction, lambda view: view["stuck_reason"] == "awaiting_redeposit")
    assert reveal(PASSWORD) == reveal(NEW) == (409, "credentials_unavailable")
    with psycopg.connect(fresh.superuser_dsn) as connection:
        query = "SELECT octet_length(wrapped_private_key) FROM user_keys WHERE retired_at IS NOT NULL"
        assert connection.execute(query).fetchall() == [(0,)]


def test_what_is_lost_is_not_left_out_because_a_read_model_stands_still(
    fresh: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.reads.waiting.LONGEST_SECONDS", 0.2)
    buyer = fresh.people["buyer"]
    token, held = get_token(fresh, buyer), "SELECT FROM projection_checkpoints WHERE name = 'transactions' FOR UPDATE"
    with psycopg.connect(fresh.superuser_dsn) as connection:
        connection.execute(held)
        transaction = fresh.hold()
        for query in ("", "?dry_run=true"):
            waits = confirm(fresh, token, query)
            assert (waits.status_code, waits.json().get("code")) == (503, "position_not_reached"), waits.text
    wait_until(lambda: confirm(fresh, token, "?dry_run=true").status_code, lambda status: status == 200)
    assert [loss["transaction_id"] for loss in confirm(fresh, token, "?dry_run=true").json()["losses"]] == [transaction]
    assert confirm(fresh, token).json()["code"] == "losses_not_accepted"


def test_with_a_recovery_key_nothing_is_lost_and_it_serves_once(fresh: Installation) -> None:
    transaction, buyer = fresh.sold(), fresh.people["buyer"]
    path = "/api/v1/auth/recovery-key"
    assert buyer.post(path, {"password": "wrong password"}).json()["code"] == "wrong_password"
    first = str(buyer.must(path, {"password": PASSWORD})["recovery_key"])
    paper = str(buyer.must(path, {"password": PASSWORD})["recovery_key"])
    token = get_token(fresh, buyer)
    old = confirm(fresh, token, recovery_key=first)
    assert (old.status_code, old.json()["code"]) == (403, "recovery_key_refused")
    assert confirm(fresh, token, "?dry_run=true", recovery_key=paper).json()["losses"] == []
    begin_anew(fresh, buyer, recovery_key=paper)
    assert buyer.get(path).json() == {"created_at": None}
    assert confirm(fresh, get_token(fresh, buyer), recovery_key=paper).json()["code"] == "recovery_key_refused"
    shown = buyer.must(f"/api/v1/transactions/{transaction}/reveal", {"password": NEW})
    assert cast("JsonObject", cast("JsonObject", shown["document"])["credentials"])["password"] == "hunter2"


def test_a_revoked_recovery_key_opens_nothing(installation: Installation) -> None:
    other = installation.people["other"]
    paper = other.must("/api/v1/auth/recovery-key", {"password": PASSWORD})["recovery_key"]
    assert other.request("DELETE", "/api/v1/auth/recovery-key").status_code == 204
    answer = confirm(installation, get_token(installation, other), recovery_key=paper)
    assert answer.json()["code"] == "recovery_key_refused"


def test_the_answer_does_not_tell_whether_there_is_an_account(installation: Installation) -> None:
    def answers(email: str) -> list[tuple[int, str]]:
        found = [ask(installation, email) for _ in range(5)]
        return [(one.status_code, one.json()["code"] if one.content else "") for one in found]

    known, unknown = answers("auditor@example.com"), answers("nobody@example.com")
    assert known == unknown == [(204, "")] * 3 + [(429, "too_many_tries")] * 2
    assert ask(installation, "no address").status_code == 422


def test_a_token_serves_once_and_not_after_its_time(installation: Installation) -> None:
    person = installation.people["stranger"]
    token, late = get_token(installation, person), get_token(installation, person)

    async def use_at_once() -> list[int]:
        async with httpx.AsyncClient(base_url=installation.base_url, trust_env=False, timeout=30) as client:
            bodies = [{"token": token, "new_password": f"{NEW} {n}"} for n in range(4)]
            return [a.status_code for a in await asyncio.gather(*[client.post(CONFIRM, json=body) for body in bodies])]

    assert sorted(asyncio.run(use_at_once())) == [200, 403, 403, 403]
    for spent in (token, late, "esw_" + "x" * 43, "\x7e"):
        assert confirm(installation, spent).json()["code"] == "reset_refused"
    stale = get_token(installation, installation.people["super_admin_2"])
    with psycopg.connect(installation.superuser_dsn) as connection:
        connection.execute("UPDATE password_resets SET expires_at = now() - interval '1 second'")
    assert confirm(installation, stale).json()["code"] == "reset_refused"


def test_the_mailbox_alone_does_not_reset_who_has_a_second_factor(installation: Installation) -> None:
    admin, parts = installation.people["admin"], installation.dependencies

    async def enrol() -> tuple[bytes, tuple[str, ...]]:
        async with await psycopg.AsyncConnection.connect(installation.app_dsn) as connection:
            seed, codes = await enrol_second_factor(
                connection, parts.locksmith, admin.id, at=parts.clock(), random_bytes=os.urandom
            )
        return seed.secret, codes

    secret, codes = asyncio.run(enrol())
    token = get_token(installation, admin)
    assert confirm(installation, token, "?dry_run=true").json()["needs_second_factor"] is True
    assert confirm(installation, token).json()["code"] == "second_factor_required"
    wrong = make_code(secret, step_of(parts.clock()) - 50)
    assert confirm(installation, token, code=wrong).json()["code"] == "code_refused"
    assert confirm(installation, token, code=make_code(secret, step_of(parts.clock()))).status_code == 200
    assert confirm(installation, get_token(installation, admin), recovery_code=codes[0]).status_code == 200
    signed_in = sign_in(installation, "admin", password=NEW)
    assert signed_in.get("/api/v1/admin/transactions").json()["code"] == "second_factor_required"
