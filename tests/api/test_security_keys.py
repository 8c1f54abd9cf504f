"""Security keys over HTTP, with one in software: it signs for one address, one session, one moment, once."""

import asyncio
from collections.abc import Callable, Generator
from datetime import timedelta
from typing import cast
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from database.connect import Connection
from identity.totp import has_totp
from identity.webauthn import NoPublicUrl, Site
from tests.api.password_reset import confirm as reset
from tests.api.password_reset import get_token
from tests.api.running import PASSWORD, Installation, Person
from tests.api.second_factor import FACTOR, be_given, confirm_by_mail
from tests.api.signing_in import sign_in
from tests.api.software_key import PRESENT, Json, SoftwareKey

KEYS = f"{FACTOR}/keys"
NO_CODE = "aaaa-aaaa-aaaa-aaaa"
STUCK = "/api/v1/admin/transactions?stuck=true"


@pytest.fixture(scope="module", autouse=True)
def public_url() -> Generator[None]:
    """Where people reach the API."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ESCROW_PUBLIC_URL", "http://localhost:8000/")
        yield


@pytest.fixture
def fresh(public_url: None, installation: Installation) -> Installation:
    """An installation where nobody has a second factor: cheaper than a new one."""
    with psycopg.connect(installation.superuser_dsn) as connection:
        connection.execute("DELETE FROM security_keys")
        connection.execute("DELETE FROM totp_secrets")
        connection.execute("DELETE FROM recovery_codes")
    return installation


def register(person: Person, key: SoftwareKey, name: str = "blue key") -> httpx.Response:
    options = person.post(f"{KEYS}/begin", {"password": PASSWORD})
    assert options.status_code == 200, options.text
    return person.post(KEYS, {"name": name, "credential": key.create(options.json())})


def begin_with_key(installation: Installation, name: str = "buyer") -> tuple[Person, SoftwareKey, list[str]]:
    """Somebody who has a key and nothing else, and recovery codes."""
    person, key = sign_in(installation, name), SoftwareKey()
    installation.clock.ahead += timedelta(minutes=1)  # codes go out once a minute
    confirm_by_mail(installation, person)
    made = register(person, key)
    assert made.status_code == 201, made.text
    return person, key, made.json()["recovery_codes"]


def challenge(person: Person) -> Json:
    answer = person.post(f"{KEYS}/challenge")
    assert answer.status_code == 200, answer.text
    return cast("Json", answer.json())


def confirm(person: Person, proof: Json) -> int | str:
    answer = person.post(FACTOR, {"security_key": proof})
    return answer.status_code if answer.status_code == 204 else str(answer.json()["code"])


def test_a_key_makes_staff_staff_as_the_app_does_that_they_were_given(fresh: Installation) -> None:
    admin, key = sign_in(fresh, "admin"), SoftwareKey()
    refused = admin.post(f"{KEYS}/begin", {"password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_not_given")
    be_given(fresh, admin)
    made = register(admin, key)
    assert (made.status_code, made.json()["recovery_codes"]) == (201, [])

    later = sign_in(fresh, "admin")
    assert later.get(STUCK).json()["code"] == "second_factor_required"
    assert confirm(later, key.get(challenge(later))) == 204
    assert later.get(STUCK).status_code == 200


def test_a_key_is_named_and_removed_and_needs_the_one_before(fresh: Installation) -> None:
    _, key, codes = begin_with_key(fresh)
    assert len(codes) == 10
    later = sign_in(fresh, "buyer")
    refused = later.post(f"{KEYS}/begin", {"password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    assert later.post(f"{FACTOR}/app", {"password": PASSWORD}).json()["code"] == "second_factor_required"
    assert confirm(later, key.get(challenge(later))) == 204
    assert later.get(FACTOR).json()["security_keys"] == 1

    item = later.get(KEYS).json()["items"][0]
    assert (item["name"], item["is_copied"]) == ("blue key", False)
    assert later.request("PATCH", f"{KEYS}/{item['id']}", {"name": "red key"}).json()["name"] == "red key"
    last = later.request("DELETE", f"{KEYS}/{item['id']}")
    assert (last.status_code, last.json()["code"]) == (409, "last_second_factor")
    assert register(later, SoftwareKey()).json()["recovery_codes"] == []
    assert later.request("DELETE", f"{KEYS}/{item['id']}").status_code == 204
    assert confirm(later, key.get(challenge(later))) == "security_key_refused"


def test_a_password_alone_registers_no_key(fresh: Installation) -> None:
    thief = sign_in(fresh, "seller")
    refused = thief.post(f"{KEYS}/begin", {"password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")


def test_a_proof_by_key_is_fresh_for_five_minutes(fresh: Installation) -> None:
    chief, key = sign_in(fresh, "super_admin"), SoftwareKey()
    be_given(fresh, chief)
    register(chief, key)
    release = f"/api/v1/admin/transactions/{uuid4()}/release"
    reason = {"reason": "Stuck transaction resolved"}
    assert chief.post(release, reason).status_code == 404
    fresh.clock.ahead += timedelta(minutes=5, seconds=1)
    assert chief.post(release, reason).json()["code"] == "second_factor_required"
    assert confirm(chief, key.get(challenge(chief))) == 204
    assert chief.post(release, reason).status_code == 404


LIES: dict[str, Callable[[SoftwareKey], object]] = {
    "another address": lambda key: setattr(key, "origin", "https://escrow.example"),
    "another port": lambda key: setattr(key, "origin", "http://localhost:8001"),
    "a sub-domain": lambda key: setattr(key, "origin", "http://phishing.localhost:8000"),
    "another host": lambda key: setattr(key, "host", "example.com"),
    "nobody asked for a PIN": lambda key: setattr(key, "flags", PRESENT),
    "nobody touched it": lambda key: setattr(key, "flags", 0),
}


@pytest.mark.guarantee("G19", faults="replayed, late, foreign and forged answers of security keys", runs="12 answers")
def test_an_answer_to_another_question_is_refused(fresh: Installation) -> None:
    buyer, key, _ = begin_with_key(fresh)
    for lie, tell in LIES.items():
        liar = SoftwareKey(private_key=key.private_key, credential_id=key.credential_id, count=key.count + 50)
        tell(liar)
        assert confirm(buyer, liar.get(challenge(buyer))) == "security_key_refused", lie
        options = buyer.post(f"{KEYS}/begin", {"password": PASSWORD}).json()
        unregistered = SoftwareKey()
        tell(unregistered)
        answer = buyer.post(KEYS, {"name": "n", "credential": unregistered.create(options)})
        assert answer.json()["code"] == "security_key_refused", lie

    asked = challenge(buyer)
    proof = key.get(asked)
    assert confirm(buyer, proof) == 204
    assert confirm(buyer, proof) == "security_key_refused"  # replayed
    fresh.clock.ahead += timedelta(minutes=5)
    old = challenge(buyer)
    fresh.clock.ahead += timedelta(minutes=5)
    assert confirm(buyer, key.get(old)) == "security_key_refused"
    assert confirm(buyer, key.get(asked)) == "security_key_refused"
    challenge(buyer)
    stranger = SoftwareKey(private_key=key.private_key, credential_id=b"unknown" * 4)
    assert confirm(buyer, stranger.get(challenge(buyer))) == "security_key_refused"
    forger = SoftwareKey(credential_id=key.credential_id, count=90)
    assert confirm(buyer, forger.get(challenge(buyer))) == "security_key_refused"
    assert confirm(buyer, {**key.get(challenge(buyer)), "rawId": "AAAA"}) == "security_key_refused"


def test_a_challenge_of_another_session_or_for_another_purpose_is_no_good(fresh: Installation) -> None:
    buyer, key, _ = begin_with_key(fresh)
    here, there = sign_in(fresh, "buyer"), sign_in(fresh, "buyer")
    mine, theirs = challenge(here), challenge(there)
    assert confirm(here, key.get(theirs)) == "security_key_refused"
    assert confirm(there, key.get(mine)) == "security_key_refused"
    registering = buyer.post(f"{KEYS}/begin", {"password": PASSWORD}).json()
    assert confirm(buyer, key.get(registering)) == "security_key_refused"


@pytest.mark.guarantee("G19", faults="a security key was copied", runs="1")
def test_a_copy_of_a_key_ends_both(fresh: Installation) -> None:
    check_copy(fresh)


def check_copy(fresh: Installation) -> None:
    buyer, key, _ = begin_with_key(fresh)
    assert confirm(buyer, key.get(challenge(buyer))) == 204
    copy = SoftwareKey(private_key=key.private_key, credential_id=key.credential_id, count=key.count)
    assert confirm(buyer, key.get(challenge(buyer))) == 204
    assert confirm(buyer, copy.get(challenge(buyer))) == "security_key_copied"
    assert buyer.get(KEYS).json()["items"][0]["is_copied"] is True
    assert buyer.post(f"{KEYS}/challenge").status_code == 404


@pytest.mark.guarantee("G19", planted="the counter of a security key is not looked at")
def test_a_counter_that_nobody_looks_at_is_found(fresh: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    from identity import security_key

    class Blind:
        count_use = "UPDATE public.security_keys SET last_used_at = %(at)s WHERE user_id = %(user_id)s RETURNING id"

        def __getattr__(self, name: str) -> object:
            return getattr(seeing, name)

    seeing = security_key.SQL
    monkeypatch.setattr(security_key, "SQL", Blind())
    with pytest.raises(AssertionError, match=r"^assert 204 == 'security_key_copied'"):
        check_copy(fresh)


def test_a_key_that_never_counts_is_no_copy_and_two_answers_at_once_are_one(fresh: Installation) -> None:
    buyer, key, _ = begin_with_key(fresh)
    for _ in range(2):
        key.count = -1
        assert confirm(buyer, key.get(challenge(buyer))) == 204
    key.count = 5
    proof = key.get(challenge(buyer))

    async def show_often() -> list[int]:
        async with httpx.AsyncClient(trust_env=False) as client:
            headers = {"Authorization": f"Bearer {buyer.token}"}
            body = {"security_key": proof}
            shown = [client.post(fresh.base_url + FACTOR, json=body, headers=headers) for _ in range(8)]
            return sorted(answer.status_code for answer in await asyncio.gather(*shown))

    assert asyncio.run(show_often()) == [204] + [403] * 7


def test_somebody_with_a_key_does_not_do_without_it_by_mail_and_a_key_belongs_to_one(fresh: Installation) -> None:
    buyer, key, _ = begin_with_key(fresh)
    thief = sign_in(fresh, "buyer")
    fresh.clock.ahead += timedelta(minutes=1)
    thief.post(f"{FACTOR}/code")
    mailed = {"mailed_code": fresh.codes[buyer.email], "password": PASSWORD}
    assert thief.post(FACTOR, mailed).json()["code"] == "code_refused"
    seller = sign_in(fresh, "seller")
    confirm_by_mail(fresh, seller)
    taken = register(seller, key)
    assert (taken.status_code, taken.json()["code"]) == (409, "security_key_taken")


def test_an_app_that_was_proposed_before_a_key_came_needs_the_key(fresh: Installation) -> None:
    thief = sign_in(fresh, "buyer")
    fresh.clock.ahead += timedelta(minutes=1)
    confirm_by_mail(fresh, thief)
    seed = thief.post(f"{FACTOR}/app", {"password": PASSWORD}).json()
    assert seed["secret"]
    begin_with_key(fresh)
    refused = thief.post(f"{FACTOR}/app/begin", {"code": "123456"})
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")


def test_bytes_that_are_none_of_a_key_are_refused_and_not_an_error(fresh: Installation) -> None:
    admin = sign_in(fresh, "admin")
    be_given(fresh, admin)
    register(admin, SoftwareKey())
    for junk in ("AA", "oWNmbXRkbm9uZQ", "_" * 8000, "gICAgICAgICA"):
        registration: Json = {"clientDataJSON": junk, "attestationObject": junk}
        admin.post(f"{KEYS}/begin", {"password": PASSWORD})
        body = {"id": junk, "rawId": junk, "type": "public-key", "response": registration}
        answer = admin.post(KEYS, {"name": "n", "credential": body})
        assert (answer.status_code, answer.json()["code"]) == (403, "security_key_refused")
        assertion: Json = {"clientDataJSON": junk, "authenticatorData": junk, "signature": junk}
        challenge(admin)
        assert confirm(admin, {**body, "response": assertion}) == "security_key_refused"


def test_a_site_is_the_public_address_and_nothing_less() -> None:
    assert Site.of("https://user@Escrow.example:8443/api/") == Site(
        host="escrow.example", origin="https://escrow.example:8443"
    )
    with pytest.raises(NoPublicUrl):
        Site.of(None)


@pytest.mark.guarantee("G19", faults="the mailbox is read; the only factor is a key, or a copied key", runs="4")
def test_a_key_is_asked_for_when_the_password_was_forgotten(fresh: Installation) -> None:
    check_reset(fresh)


def check_reset(fresh: Installation) -> None:
    owner, _, codes = begin_with_key(fresh)
    token = get_token(fresh, owner)
    for _ in range(2):
        assert reset(fresh, token, "?dry_run=true").json()["needs_second_factor"] is True
        assert reset(fresh, token).json()["code"] == "second_factor_required"
        assert reset(fresh, token, code="123456").json()["code"] == "code_refused"
        assert reset(fresh, token, recovery_code="aaaaa-aaaaa-aaaaa-aaaaa").json()["code"] in {
            "code_refused",
            "invalid",
        }
        with psycopg.connect(fresh.superuser_dsn) as connection:
            connection.execute("UPDATE security_keys SET copied_at = now() WHERE user_id = %s", (owner.id,))
    # It may be that all that is left of a key are the codes that came with it.
    with psycopg.connect(fresh.superuser_dsn) as connection:
        connection.execute("DELETE FROM security_keys WHERE user_id = %s", (owner.id,))
    assert reset(fresh, token).json()["code"] == "second_factor_required"
    assert reset(fresh, token, recovery_code=codes[0], new_password=PASSWORD).status_code == 200


def test_staff_without_any_factor_do_not_begin_anew_with_a_mailbox(fresh: Installation) -> None:
    chief, buyer = fresh.people["super_admin"], fresh.people["buyer"]
    token = get_token(fresh, chief)
    assert reset(fresh, token).json()["code"] == "second_factor_required"
    assert reset(fresh, token, recovery_code=NO_CODE).json()["code"] == "code_refused"
    assert reset(fresh, get_token(fresh, buyer), "?dry_run=true").json()["needs_second_factor"] is False


@pytest.mark.guarantee("G19", planted="only an app counts as a second factor when a password is reset")
def test_a_reset_that_asks_nobody_with_a_key_is_found(fresh: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.flows import password_reset

    async def ask_apps_alone(connection: Connection, user_id: UUID) -> bool:
        return await has_totp(connection, user_id)

    monkeypatch.setattr(password_reset, "_needs_second_factor", ask_apps_alone)
    with pytest.raises(AssertionError, match=r"^assert False is True"):
        check_reset(fresh)


def test_somebody_without_a_key_is_asked_nothing(fresh: Installation) -> None:
    answer = sign_in(fresh, "buyer").post(f"{KEYS}/challenge")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("word", ["begin", "challenge"])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_word_beside_the_ids_is_no_id(fresh: Installation, method: str, word: str) -> None:
    body = {"name": "mine"} if method == "PATCH" else None
    answer = fresh.people["seller"].request(method, f"{KEYS}/{word}", body)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST"), answer.text
