"""The credentials are shown once, to the buyer, and a retry gets the same bytes."""

import base64
import os
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.api.running import PASSWORD, Installation, Person
from tests.vault.client import open_answer
from tests.waiting import wait_until
from vault.keypair import generate_private_key, get_public_key
from vault.reveal import Reveal
from vault.secret import Secret

T = "/api/v1/transactions"
SECRET = {"username": "someone", "password": "hunter2"}


def body_for(private_key: Secret) -> dict[str, object]:
    key = base64.b64encode(get_public_key(private_key).raw).decode()
    return {"password": PASSWORD, "client_public_key": key}


def test_a_sealed_answer_is_the_same_for_a_retry_and_opens_for_the_client_alone(installation: Installation) -> None:
    buyer, transaction, key = installation.people["buyer"], installation.sold(), str(uuid4())
    private_key = generate_private_key(os.urandom)
    first = buyer.post(f"{T}/{transaction}/reveal", body_for(private_key), key=key)
    again = buyer.post(f"{T}/{transaction}/reveal", body_for(private_key), key=key)
    assert (first.status_code, again.status_code) == (200, 200), first.text
    assert again.content == first.content
    assert first.headers["Cache-Control"] == "no-store"
    assert again.headers["Idempotency-Replayed"] == "true"
    shown = first.json()
    showing = Reveal(
        transaction_id=UUID(transaction),
        deposit_id=UUID(shown["vault_id"]),
        user_id=buyer.id,
        command_id=command_id(installation, transaction),
    )
    document = open_answer(base64.b64decode(shown["sealed"]), showing, private_key)
    assert b"hunter2" in document.content.reveal()
    assert "hunter2" not in first.text
    assert shown["document"] is None


def command_id(installation: Installation, transaction: str) -> bytes:
    query = "SELECT data ->> 'command_id' FROM event_log WHERE stream = %s AND type LIKE %s"
    with psycopg.connect(installation.app_dsn) as connection:
        row = connection.execute(query, (transaction, "transaction.credentials_revealed.%")).fetchone()
    assert row is not None
    return bytes.fromhex(row[0])


def test_a_plaintext_answer_can_be_repeated_once(installation: Installation) -> None:
    buyer, transaction, key = installation.people["buyer"], installation.sold(), str(uuid4())
    answers = [buyer.post(f"{T}/{transaction}/reveal", {"password": PASSWORD}, key=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 409]
    assert answers[1].content == answers[0].content
    assert answers[0].json()["document"]["credentials"] == SECRET
    assert answers[2].json()["code"] == "already_revealed"


@pytest.mark.weakness("W20")
def test_any_other_second_attempt_is_refused_and_recorded(installation: Installation) -> None:
    buyer, transaction = installation.people["buyer"], installation.sold()
    assert buyer.post(f"{T}/{transaction}/reveal", {"password": PASSWORD}).status_code == 200
    second = buyer.post(f"{T}/{transaction}/reveal", {"password": PASSWORD})
    assert (second.status_code, second.json()["code"]) == (409, "already_revealed")
    assert installation.people["seller"].post(f"{T}/{transaction}/reveal", {"password": PASSWORD}).status_code == 403
    assert installation.people["stranger"].post(f"{T}/{transaction}/reveal", {"password": PASSWORD}).status_code == 404
    with psycopg.connect(installation.app_dsn) as connection:
        query = "SELECT code FROM refused_reveals WHERE transaction_id = %s ORDER BY id"
        codes = [row[0] for row in connection.execute(query, (transaction,)).fetchall()]
    assert codes == ["already_revealed", "forbidden", "not_found"]


def test_a_wrong_password_shows_nothing_and_uses_nothing_up(installation: Installation) -> None:
    buyer, transaction, key = installation.people["buyer"], installation.sold(), str(uuid4())
    wrong = buyer.post(f"{T}/{transaction}/reveal", {"password": "not the password"}, key=key)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
    assert buyer.post(f"{T}/{transaction}/reveal", {"password": PASSWORD}, key=key).status_code == 200


@pytest.mark.weakness("W18", "W30")
def test_of_many_at_once_one_is_shown(installation: Installation) -> None:
    buyer, transaction = installation.people["buyer"], installation.sold()

    def attempt(_: int) -> int:
        return buyer.post(f"{T}/{transaction}/reveal", {"password": PASSWORD}).status_code

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(attempt, range(12)))
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 409, 429}


def test_a_reveal_that_was_acknowledged_has_no_answer_any_more(installation: Installation) -> None:
    buyer, transaction, key = installation.people["buyer"], installation.sold(), str(uuid4())
    sent = body_for(generate_private_key(os.urandom))
    assert buyer.post(f"{T}/{transaction}/reveal", sent, key=key).status_code == 200
    buyer.must(f"{T}/{transaction}/reveal/acknowledge")
    wait_until(lambda: buyer.post(f"{T}/{transaction}/reveal", sent, key=key).status_code == 409)


@pytest.mark.weakness("W31")
def test_nothing_secret_stands_in_the_database(installation: Installation) -> None:
    transaction = installation.sold()
    buyer = installation.people["buyer"]
    assert buyer.post(f"{T}/{transaction}/reveal", {"password": PASSWORD}).status_code == 200
    needles = [b"hunter2", b"hunter2".hex().encode(), base64.b64encode(b"hunter2")[:8], PASSWORD.encode()]
    with psycopg.connect(installation.app_dsn) as connection:
        states = [row[0] for row in connection.execute("SELECT state FROM escrow_events").fetchall()]
    assert not [needle for needle in needles for state in states if needle in state]


def test_the_seller_needs_the_password_and_both_need_their_names(installation: Installation) -> None:
    transaction = installation.hold()
    contract = installation.view(transaction)["contract"]
    assert isinstance(contract, dict)
    sign = f"{T}/{transaction}/contract/sign"
    body = {"content_sha256": contract["sha256"], "legal_name": "seller"}
    seller, buyer = installation.people["seller"], installation.people["buyer"]
    assert code(seller, sign, body) == (422, "password_missing")
    assert code(seller, sign, body | {"password": "something else"}) == (403, "wrong_password")
    assert code(buyer, sign, body) == (422, "name_differs")
    assert code(buyer, sign, body | {"legal_name": "buyer", "content_sha256": "0" * 64}) == (422, "contract_differs")
    text = buyer.get(f"{T}/{transaction}/contract")
    assert text.headers["Escrow-Contract-SHA256"] == contract["sha256"]
    installation.sign(transaction)
    assert installation.view(transaction)["state"] == "contract_signed"
    after = buyer.get(f"{T}/{transaction}/contract")
    assert after.content == text.content


def code(person: Person, path: str, body: object) -> tuple[int, str]:
    answer = person.post(path, body)
    return answer.status_code, answer.json()["code"]


def test_a_retried_signature_is_answered_without_the_password(installation: Installation) -> None:
    transaction, key = installation.hold(), str(uuid4())
    contract = installation.view(transaction)["contract"]
    assert isinstance(contract, dict)
    body = {"content_sha256": contract["sha256"], "legal_name": "seller", "password": PASSWORD}
    seller, path = installation.people["seller"], f"{T}/{transaction}/contract/sign"
    first, again = seller.post(path, body, key=key), seller.post(path, body, key=key)
    assert (first.status_code, again.content) == (200, first.content)


def test_a_repeated_deposit_leaves_no_key_behind(installation: Installation) -> None:
    seller, key = installation.people["seller"], str(uuid4())
    draft = {"title": "t", "description": "d", "price": {"amount_minor": 1000, "currency": "KES"}}
    listing = seller.must("/api/v1/listings", draft)["id"]
    path, body = f"/api/v1/listings/{listing}/credentials", {"credentials": {"a": "b"}}
    first = seller.request("PUT", path, body, Idempotency_Key=key)
    again = seller.request("PUT", path, body, Idempotency_Key=key)
    assert (first.status_code, again.content) == (200, first.content)
    with psycopg.connect(installation.app_dsn) as connection:
        query = "SELECT deposit_id FROM vault_grants WHERE listing_id = %s"
        kept = [str(row[0]) for row in connection.execute(query, (listing,)).fetchall()]
    assert kept == [first.json()["vault_id"]]
