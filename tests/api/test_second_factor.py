"""Over HTTP: staff are staff only with a second factor, and what moves money or shows a secret needs it fresh."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from identity import password_guess
from identity.totp import make_code
from tests.api.running import PASSWORD, Installation
from tests.api.second_factor import FACTOR, be_given, begin, confirm_by_mail
from tests.api.signing_in import ask_to_sign_in, sign_in

SESSIONS = "/api/v1/auth/sessions"
STUCK = "/api/v1/admin/transactions?stuck=true"
REASON = {"reason": "Stuck transaction resolved"}


def code_of(answer: object) -> str:
    return str(answer.json()["code"])  # type: ignore[attr-defined]


def test_staff_are_staff_by_the_app_that_they_were_given(fresh: Installation) -> None:
    admin = sign_in(fresh, "admin")
    refused = admin.get(STUCK)
    assert (refused.status_code, code_of(refused)) == (403, "second_factor_required")
    assert admin.get("/api/v1/auth/me").status_code == 200
    assert admin.get(FACTOR).json()["withheld_roles"] == ["admin"]
    app, _ = be_given(fresh, admin)
    assert admin.get(STUCK).status_code == 200

    with_code = sign_in(fresh, "admin", code=app.show())
    assert with_code.get(STUCK).status_code == 200
    assert sign_in(fresh, "admin").get(STUCK).status_code == 403


def test_a_wrong_code_at_sign_in_starts_no_session(fresh: Installation) -> None:
    app, _ = be_given(fresh, sign_in(fresh, "admin"))
    used = make_code(app.secret, app.shown)
    with psycopg.connect(fresh.superuser_dsn) as connection:
        query = "SELECT count(*) FROM sessions WHERE revoked_at IS NULL"
        before = connection.execute(query).fetchone()
        answer = ask_to_sign_in(fresh, "admin@example.com", code=used)
        assert (answer.status_code, code_of(answer)) == (403, "code_refused")
        assert connection.execute(query).fetchone() == before


def test_a_proof_is_fresh_for_five_minutes(fresh: Installation) -> None:
    chief = sign_in(fresh, "super_admin")
    app, _ = be_given(fresh, chief)
    release = f"/api/v1/admin/transactions/{uuid4()}/release"
    assert chief.post(release, REASON).status_code == 404
    fresh.clock.ahead += timedelta(minutes=5, seconds=1)
    stale = chief.post(release, REASON)
    assert (stale.status_code, code_of(stale)) == (403, "second_factor_required")
    assert chief.get(STUCK).status_code == 200
    assert chief.post(FACTOR, {"code": app.show()}).status_code == 204
    assert chief.post(release, REASON).status_code == 404


def test_a_buyer_without_an_app_shows_password_and_a_mailed_code_before_the_reveal(fresh: Installation) -> None:
    transaction = fresh.sold()
    buyer = sign_in(fresh, "buyer")
    reveal = f"/api/v1/transactions/{transaction}/reveal"
    refused = buyer.post(reveal, {"password": PASSWORD})
    assert (refused.status_code, code_of(refused)) == (403, "second_factor_required")
    account = buyer.request("PUT", "/api/v1/users/me/payout-account", PAYOUT)
    assert (account.status_code, code_of(account)) == (403, "second_factor_required")

    assert buyer.post(f"{FACTOR}/code").status_code == 204
    code = fresh.codes[buyer.email]
    assert buyer.post(FACTOR, {"mailed_code": code}).status_code == 422
    wrong = buyer.post(FACTOR, {"mailed_code": code, "password": "not the password"})
    assert (wrong.status_code, code_of(wrong)) == (401, "sign_in_refused")
    assert buyer.post(FACTOR, {"mailed_code": code, "password": PASSWORD}).status_code == 204
    assert buyer.request("PUT", "/api/v1/users/me/payout-account", PAYOUT).status_code == 200
    assert buyer.post(reveal, {"password": PASSWORD}).status_code == 200


def test_password_and_mailbox_make_nobody_staff(fresh: Installation) -> None:
    admin = sign_in(fresh, "admin")
    assert code_of(admin.post(f"{FACTOR}/app", {"password": PASSWORD})) == "second_factor_not_given"
    confirm_by_mail(fresh, admin)
    assert admin.get(STUCK).status_code == 403
    assert code_of(admin.post(f"{FACTOR}/app", {"password": PASSWORD})) == "second_factor_not_given"
    refused = admin.post(f"{FACTOR}/app/begin", {"code": "123456"})
    assert (refused.status_code, code_of(refused)) == (403, "second_factor_not_given")


def test_a_password_alone_begins_no_second_factor(installation: Installation) -> None:
    seller = sign_in(installation, "seller")
    refused = seller.post(f"{FACTOR}/app", {"password": PASSWORD})
    assert (refused.status_code, code_of(refused)) == (403, "second_factor_required")
    refused = seller.post(f"{FACTOR}/app/begin", {"code": "123456"})
    assert (refused.status_code, code_of(refused)) == (403, "second_factor_required")
    assert seller.get(FACTOR).json()["confirmed_at"] is None


def test_after_a_code_by_mail_an_app_is_begun_and_the_mailbox_is_too_little_from_then_on(fresh: Installation) -> None:
    owner, thief = sign_in(fresh, "seller"), sign_in(fresh, "seller")
    confirm_by_mail(fresh, thief)
    assert code_of(thief.post(f"{FACTOR}/recovery-codes")) == "second_factor_required"
    fresh.clock.ahead += timedelta(minutes=1)
    confirm_by_mail(fresh, owner)
    _, codes = begin(fresh, owner)
    assert len(codes) == 10
    # Confirmed by the mailbox a minute ago, and the first factor has come into use since.
    assert code_of(thief.post(f"{FACTOR}/app", {"password": PASSWORD})) == "second_factor_required"
    assert code_of(thief.post(f"{FACTOR}/recovery-codes")) == "second_factor_required"
    fresh.clock.ahead += timedelta(minutes=1)
    assert thief.post(f"{FACTOR}/code").status_code == 204
    proof = {"mailed_code": fresh.codes[thief.email], "password": PASSWORD}
    assert code_of(thief.post(FACTOR, proof)) == "code_refused"


def test_wrong_passwords_of_a_session_are_counted_wherever_they_are_shown(
    fresh: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_guess, "GUESSES", replace(password_guess.GUESSES, free=4))
    seller = sign_in(fresh, "seller")
    confirm_by_mail(fresh, seller)
    wrong = {"password": "not the password"}
    assert code_of(seller.post(f"{FACTOR}/app", wrong)) == "sign_in_refused"
    assert code_of(seller.post("/api/v1/auth/recovery-key", wrong)) == "wrong_password"
    change = {**wrong, "new_password": "a much better password"}
    assert code_of(seller.post("/api/v1/auth/password", change)) == "wrong_password"
    assert code_of(seller.post(FACTOR, {**wrong, "mailed_code": "123456"})) == "sign_in_refused"
    paused = seller.post(f"{FACTOR}/app", {"password": PASSWORD})
    assert (paused.status_code, code_of(paused), paused.headers["retry-after"]) == (429, "too_many_tries", "5")
    fresh.clock.ahead += timedelta(seconds=6)
    assert seller.post(f"{FACTOR}/app", {"password": PASSWORD}).status_code == 200
    assert code_of(seller.post(f"{FACTOR}/app", wrong)) == "sign_in_refused"
    assert seller.post(f"{FACTOR}/app", {"password": PASSWORD}).status_code == 200


def test_recovery_codes_stand_in_for_a_lost_app_and_a_new_app_needs_a_fresh_proof(fresh: Installation) -> None:
    _, codes = be_given(fresh, sign_in(fresh, "auditor"))
    auditor = sign_in(fresh, "auditor")
    takeover = auditor.post(f"{FACTOR}/app", {"password": PASSWORD})
    assert (takeover.status_code, code_of(takeover)) == (403, "second_factor_required")
    assert auditor.post(FACTOR, {"recovery_code": codes[3]}).status_code == 204
    assert auditor.get(FACTOR).json()["recovery_codes_left"] == 9
    assert sign_in(fresh, "auditor").post(FACTOR, {"recovery_code": codes[3]}).status_code == 403
    begin(fresh, auditor)
    again = auditor.post(f"{FACTOR}/recovery-codes")
    assert again.status_code == 200
    assert len(again.json()["recovery_codes"]) == 10


def test_a_person_sees_and_ends_his_own_sessions_and_nobody_elses(fresh: Installation) -> None:
    here, there, stranger = (sign_in(fresh, name) for name in ("buyer", "buyer", "stranger"))
    shown = here.get(SESSIONS).json()["items"]
    assert [item["is_present"] for item in shown] == [False, True, False]
    other = shown[0]["id"]
    assert stranger.request("DELETE", f"{SESSIONS}/{other}").status_code == 404
    assert there.get(SESSIONS).status_code == 200
    assert here.request("DELETE", f"{SESSIONS}/{other}").status_code == 204
    assert there.get(SESSIONS).status_code == 401
    assert here.request("DELETE", f"{SESSIONS}/{other}").status_code == 404
    assert here.request("DELETE", SESSIONS).status_code == 204
    assert here.get(SESSIONS).status_code == 401
    assert stranger.get(SESSIONS).status_code == 200


PAYOUT = {
    "type": "mobile_money",
    "bank_code": "MPESA",
    "account_number": "0712345678",
    "account_name": "Buyer",
    "currency": "KES",
}
