"""Changing the password: the vault opens as before, the old password and the other sessions do not."""

import asyncio
from contextlib import ExitStack

import httpx
import psycopg
import pytest

from tests.api.running import PASSWORD, WIRE, Installation
from tests.api.signing_in import ask_to_sign_in, fill_door, sign_in
from vault.gate import TooManySignIns

CHANGE = "/api/v1/auth/password"
NEW = "a much better password"
BODY = {"password": PASSWORD, "new_password": NEW}


def test_after_a_change_the_new_password_opens_what_the_old_one_did(fresh: Installation) -> None:
    transaction = fresh.sold()
    buyer = fresh.people["buyer"]
    other = sign_in(fresh, "buyer")
    assert buyer.post(CHANGE, BODY).status_code == 204
    assert ask_to_sign_in(fresh, buyer.email).status_code == 401
    assert ask_to_sign_in(fresh, buyer.email, NEW).status_code == 200
    assert other.get("/api/v1/auth/me").status_code == 401
    assert buyer.get("/api/v1/auth/me").status_code == 200
    reveal = f"/api/v1/transactions/{transaction}/reveal"
    assert buyer.post(reveal, {"password": PASSWORD}).status_code == 403
    shown = buyer.post(reveal, {"password": NEW})
    assert shown.json()["document"]["credentials"]["password"] == "hunter2"


def test_sessions_are_told_apart_by_the_program_that_signed_in(fresh: Installation) -> None:
    stranger = fresh.people["stranger"]
    body = {"email": stranger.email, "password": PASSWORD}
    for agent in ("Phone of Amina", "x" * 300):
        headers = {"User-Agent": agent}
        WIRE.post(f"{fresh.base_url}/api/v1/auth/login", json=body, headers=headers).raise_for_status()
    items = stranger.get("/api/v1/auth/sessions").json()["items"]
    assert [item["device"] for item in items[:2]] == ["x" * 200, "Phone of Amina"]


def test_who_cannot_be_taken_is_told_when_to_come_again(fresh: Installation) -> None:
    with ExitStack() as stack:
        with pytest.raises(TooManySignIns):
            fill_door(fresh, stack)
        answer = ask_to_sign_in(fresh, fresh.people["buyer"].email)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_sign_ins")
    assert answer.headers["retry-after"] == "5"
    assert ask_to_sign_in(fresh, fresh.people["buyer"].email).status_code == 200


def test_a_refused_change_changes_nothing(fresh: Installation) -> None:
    buyer = fresh.people["buyer"]
    before = rows(fresh)
    wrong = buyer.post(CHANGE, {"password": "not the password", "new_password": NEW})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
    assert buyer.post(CHANGE, {"password": PASSWORD, "new_password": "short"}).status_code == 422
    assert sign_in(fresh, "buyer").post(CHANGE, BODY).json()["code"] == "second_factor_required"
    assert rows(fresh) == before


def test_of_two_changes_at_once_one_counts_and_the_keys_fit_it(fresh: Installation) -> None:
    buyer = fresh.people["buyer"]
    passwords = [f"{NEW} {n}" for n in range(4)]

    async def change_all() -> list[int]:
        headers = {"Authorization": f"Bearer {buyer.token}"}
        async with httpx.AsyncClient(base_url=fresh.base_url, headers=headers, trust_env=False, timeout=30) as client:
            bodies = [{"password": PASSWORD, "new_password": new} for new in passwords]
            return [a.status_code for a in await asyncio.gather(*[client.post(CHANGE, json=body) for body in bodies])]

    codes = asyncio.run(change_all())
    assert codes.count(204) == 1, codes
    (password,) = [new for new, code in zip(passwords, codes, strict=True) if code == 204]
    assert ask_to_sign_in(fresh, buyer.email, password).status_code == 200
    # Both rows are of the same change: the new password opens the private key too.
    again = buyer.post(CHANGE, {"password": password, "new_password": NEW})
    assert again.status_code == 204


def rows(installation: Installation) -> list[object]:
    with psycopg.connect(installation.superuser_dsn) as connection:
        keys = connection.execute("SELECT * FROM user_keys ORDER BY user_id, key_version").fetchall()
        return [*keys, *connection.execute("SELECT * FROM user_passwords ORDER BY user_id").fetchall()]
