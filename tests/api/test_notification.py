"""What happens to an account is told to its owner, and codes and sign-ins are counted."""

import re
from datetime import timedelta
from itertools import product
from uuid import uuid4

import psycopg

from tests.api.running import PASSWORD, WIRE, Installation
from tests.api.signing_in import ask_to_sign_in
from tests.waiting import wait_until

AUTH = "/api/v1/auth"
ACCOUNT = {
    "type": "mobile_money",
    "bank_code": "MPESA",
    "account_number": "0712345678",
    "account_name": "Demo",
    "currency": "KES",
}
SERIES = re.compile(r'escrow_otp_total\{channel="(\w+)",outcome="(\w+)"\} ([\d.]+)')


def told(installation: Installation, user_id: object) -> list[tuple[str, str]]:
    """What is queued about somebody's account."""
    query = """
        SELECT template, facts ->> 'what' FROM notification_queue
        WHERE user_id = %s AND transaction_id IS NULL ORDER BY created_at, template
    """
    with psycopg.connect(installation.superuser_dsn) as connection:
        return connection.execute(query, (user_id,)).fetchall()


def codes(installation: Installation) -> dict[tuple[str, str], float]:
    """The counters of one-time codes."""
    text = WIRE.get(f"{installation.base_url}/metrics").text
    return {(channel, outcome): float(number) for channel, outcome, number in SERIES.findall(text)}


def test_a_sign_in_on_a_device_that_is_not_known_is_told_once_an_hour(fresh: Installation) -> None:
    buyer = fresh.people["buyer"]
    first = ask_to_sign_in(fresh, buyer.email).json()
    before = told(fresh, buyer.id).count(("new_sign_in", ""))
    ask_to_sign_in(fresh, buyer.email, device_token=first["device_token"])
    assert told(fresh, buyer.id).count(("new_sign_in", "")) == before, "this one is known"
    for _ in range(3):
        ask_to_sign_in(fresh, buyer.email)
    ask_to_sign_in(fresh, buyer.email, password="not the password")
    assert told(fresh, buyer.id).count(("new_sign_in", "")) == 1


def test_changes_of_password_payout_account_and_second_factor_are_told(fresh: Installation) -> None:
    seller = fresh.people["seller"]
    assert seller.request("PUT", "/api/v1/users/me/payout-account", ACCOUNT).status_code == 200
    before = [template for template, _ in told(fresh, seller.id)]
    assert seller.request("PUT", "/api/v1/users/me/payout-account", ACCOUNT).status_code == 200
    assert [template for template, _ in told(fresh, seller.id)] == before, "nothing has changed"
    other = {**ACCOUNT, "account_number": "0799999999"}
    assert seller.request("PUT", "/api/v1/users/me/payout-account", other).status_code == 200
    assert seller.post(f"{AUTH}/second-factor/recovery-codes", None).status_code == 200
    wrong = {"password": "not the password", "new_password": "a much better password"}
    assert seller.post(f"{AUTH}/password", wrong).status_code == 403
    right = {"password": PASSWORD, "new_password": "a much better password"}
    assert seller.post(f"{AUTH}/password", right).status_code == 204
    new = told(fresh, seller.id)
    assert ("payout_account_changed", "") in new
    assert ("second_factor_changed", "recovery_codes") in new
    assert [template for template, _ in new].count("password_changed") == 1


def test_codes_are_counted_by_channel_and_outcome_from_zero_on(fresh: Installation) -> None:
    outcomes = ("sent", "undelivered", "verified", "failed", "expired")
    start = codes(fresh)
    assert set(start) == set(product(("email", "sms"), outcomes))
    email = f"{uuid4()}@example.com"
    person = {"email": email, "password": "a long enough one", "display_name": "N", "legal_name": "N N"}
    auth = f"{fresh.base_url}{AUTH}"
    assert WIRE.post(f"{auth}/register", json=person).status_code == 201
    good = fresh.codes[email]
    wrong = "000000" if good != "000000" else "000001"
    refused = WIRE.post(f"{auth}/verify-email", json={"email": email, "code": wrong})
    fresh.clock.ahead += timedelta(minutes=6)
    late = WIRE.post(f"{auth}/verify-email", json={"email": email, "code": good})
    assert (late.status_code, late.json()["code"]) == (refused.status_code, refused.json()["code"])
    assert late.json()["detail"] == refused.json()["detail"], "only the counters tell"
    assert WIRE.post(f"{auth}/resend-code", json={"email": email}).status_code == 204
    wait_until(lambda: fresh.codes[email] != good)
    assert WIRE.post(f"{auth}/verify-email", json={"email": email, "code": fresh.codes[email]}).status_code == 200
    end = codes(fresh)
    grown = {key: end[key] - start[key] for key in end if end[key] != start[key]}
    assert grown == {
        ("email", "sent"): 2,
        ("email", "failed"): 1,
        ("email", "expired"): 1,
        ("email", "verified"): 1,
    }


def test_throttled_sign_ins_are_counted_by_themselves_and_notifications_show_their_outcomes(
    fresh: Installation,
) -> None:
    for _ in range(8):
        ask_to_sign_in(fresh, fresh.people["stranger"].email, password="not the password")
    text = WIRE.get(f"{fresh.base_url}/metrics").text
    assert float(re.search(r'escrow_login_total\{outcome="throttled"\} ([\d.]+)', text)[1]) >= 1  # type: ignore[index]
    assert float(re.search(r'escrow_login_total\{outcome="failed"\} ([\d.]+)', text)[1]) >= 5  # type: ignore[index]
    for outcome in ("sent", "refused", "given_up"):
        assert f'escrow_notifications{{channel="email",outcome="{outcome}"}} 0.0' in text
    assert "escrow_notifications_waiting" in text
