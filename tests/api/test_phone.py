"""A phone number is verified by a code that was sent to it, with the limits of the codes by mail."""

import asyncio
from datetime import timedelta

import httpx
import psycopg

from tests.api.running import Installation, Person

PHONE = "/api/v1/auth/phone"
NUMBER, SHOWN = "+254700000001", "+254 (700) 000-001"


def put(person: Person, number: object) -> httpx.Response:
    return person.request("PUT", PHONE, {"phone": number})


def verify(person: Person, code: str) -> int:
    return person.post(f"{PHONE}/verify", {"code": code}).status_code


def wrong(code: str) -> str:
    return "000000" if code != "000000" else "000001"


def test_a_number_is_set_a_code_sent_and_the_number_verified_once(fresh: Installation) -> None:
    buyer = fresh.people["buyer"]
    assert buyer.post(f"{PHONE}/code").json()["code"] == "no_phone"
    assert put(buyer, SHOWN).status_code == 204
    assert buyer.get(PHONE).json() == {"phone": NUMBER, "is_verified": False}
    code = fresh.codes[NUMBER]
    assert verify(buyer, wrong(code)) == 403
    assert verify(fresh.people["seller"], code) == 403, "it is somebody else's"
    assert verify(buyer, code) == 204
    assert verify(buyer, code) == 403, "it has served"
    assert buyer.get(PHONE).json() == {"phone": NUMBER, "is_verified": True}
    assert put(buyer, NUMBER).status_code == 204
    assert buyer.get(PHONE).json()["is_verified"], "the same number changes nothing"
    with psycopg.connect(fresh.superuser_dsn) as connection:
        query = "SELECT count(*) FROM notification_queue WHERE template = 'phone_changed'"
        assert connection.execute(query).fetchone() == (1,)


def test_a_code_for_one_number_verifies_no_other(fresh: Installation) -> None:
    buyer = fresh.people["buyer"]
    assert put(buyer, NUMBER).status_code == 204
    assert put(buyer, "+254700000002").status_code == 204
    assert verify(buyer, fresh.codes[NUMBER]) == 403 or fresh.codes[NUMBER] == fresh.codes["+254700000002"]
    assert verify(buyer, fresh.codes["+254700000002"]) == 204
    assert put(buyer, NUMBER).status_code == 204
    assert not buyer.get(PHONE).json()["is_verified"]


def test_five_tries_five_minutes_and_one_code_a_minute(fresh: Installation) -> None:
    buyer = fresh.people["buyer"]
    assert put(buyer, NUMBER).status_code == 204
    code = fresh.codes[NUMBER]
    assert buyer.post(f"{PHONE}/code").status_code == 204
    assert fresh.codes[NUMBER] == code, "within a minute there is no other"

    async def guess() -> list[int]:
        headers = {"Authorization": f"Bearer {buyer.token}"}
        async with httpx.AsyncClient(base_url=fresh.base_url, headers=headers, trust_env=False, timeout=30) as client:
            bodies = [{"code": wrong(code)} for _ in range(20)]
            answers = await asyncio.gather(*(client.post(f"{PHONE}/verify", json=body) for body in bodies))
        return [answer.status_code for answer in answers]

    assert set(asyncio.run(guess())) == {403}
    assert verify(buyer, code) == 403, "the tries are used up"
    fresh.clock.ahead += timedelta(minutes=2)
    assert buyer.post(f"{PHONE}/code").status_code == 204
    fresh.clock.ahead += timedelta(minutes=6)
    assert verify(buyer, fresh.codes[NUMBER]) == 403, "it has run out"
    text = httpx.get(f"{fresh.base_url}/metrics", trust_env=False).text
    assert 'escrow_otp_total{channel="sms",outcome="expired"} 1.0' in text
    assert 'escrow_otp_total{channel="sms",outcome="sent"} 2.0' in text


def test_whoever_has_many_codes_sent_waits(fresh: Installation) -> None:
    buyer = fresh.people["buyer"]
    answers = [put(buyer, f"+25470000000{number}") for number in range(8)]
    assert [answer.status_code for answer in answers].count(429) >= 1
    assert answers[-1].json()["code"] == "too_many_tries"


def test_what_is_no_number_is_refused_and_changes_nothing(fresh: Installation) -> None:
    buyer = fresh.people["buyer"]
    strange = "+2547" + "\u0660" * 5
    for bad in ("0700000001", "+0700000001", "+25470000000x", "+", "+1234567890123456", "", strange, 5, None):
        assert put(buyer, bad).status_code == 422, bad
    assert buyer.get(PHONE).json()["phone"] is None
