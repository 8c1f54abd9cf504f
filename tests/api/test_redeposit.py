"""What was lost on its way is handed over once more, under an addendum; else the buyer is refunded."""

from datetime import timedelta
from typing import cast
from uuid import uuid4

import psycopg

from tests.api.password_reset import NEW, begin_anew
from tests.api.redeposit import CREDENTIALS, T, again, living_grants, reveal, vault_of
from tests.api.running import PASSWORD, Installation, JsonObject
from tests.waiting import wait_until


def test_a_buyer_who_missed_the_answer_is_shown_a_new_deposit_and_the_old_one_is_destroyed(
    installation: Installation,
) -> None:
    transaction, buyer = installation.sold(), installation.people["buyer"]
    old = vault_of(installation, transaction)
    assert buyer.post(f"{T}/{transaction}/reveal/missed").json()["code"] == "not_revealed"
    assert reveal(installation, transaction) == "hunter2"
    assert installation.people["seller"].post(f"{T}/{transaction}/reveal/missed").status_code == 403
    buyer.must(f"{T}/{transaction}/reveal/missed")
    wait_until(lambda: living_grants(installation, old) == 0)
    wrong = again(installation, transaction, content_sha256="0" * 64, credentials=CREDENTIALS)
    assert wrong.json()["code"] == "contract_differs"
    assert again(installation, transaction).json()["code"] == "already_revealed"
    assert again(installation, transaction, legal_name="x", credentials=CREDENTIALS).json()["code"] == "name_differs"
    assert again(installation, transaction, password="x", credentials=CREDENTIALS).json()["code"] == "wrong_password"
    key = str(uuid4())
    first = again(installation, transaction, key, credentials=CREDENTIALS)
    assert first.status_code == 200, first.text
    sha256 = {"content_sha256": first.request.content.decode().split('content_sha256":"')[1][:64]}
    repeated = again(installation, transaction, key, credentials=CREDENTIALS, **sha256)
    assert (repeated.status_code, repeated.content) == (200, first.content)
    assert reveal(installation, transaction) == "hunter3"
    buyer.must(f"{T}/{transaction}/reveal/acknowledge")
    buyer.must(f"{T}/{transaction}/confirm-access")
    installation.wait(transaction, lambda view: view["state"] == "completed")


def test_a_seller_who_began_anew_before_signing_deposits_again_and_then_signs(fresh: Installation) -> None:
    transaction = fresh.hold()
    begin_anew(fresh, fresh.people["seller"])
    fresh.wait(transaction, lambda view: view["stuck_reason"] == "awaiting_redeposit")
    assert again(fresh, transaction, password=NEW).json()["code"] == "grant_gone"
    assert again(fresh, transaction, password=NEW, credentials=CREDENTIALS).status_code == 200
    sha256 = cast("JsonObject", fresh.view(transaction)["contract"])["sha256"]
    for name, password in (("buyer", PASSWORD), ("seller", NEW)):
        body = {"content_sha256": sha256, "legal_name": name, "password": password}
        fresh.people[name].must(f"{T}/{transaction}/contract/sign", body)
    assert reveal(fresh, transaction) == "hunter3"


def test_a_buyer_who_began_anew_gets_the_same_deposit_for_his_new_key(fresh: Installation) -> None:
    transaction = fresh.sold()
    begin_anew(fresh, fresh.people["buyer"])
    fresh.wait(transaction, lambda view: view["stuck_reason"] == "awaiting_redeposit")
    assert again(fresh, transaction).status_code == 200
    assert reveal(fresh, transaction, NEW) == "hunter2"


def test_nobody_is_paid_for_what_is_not_handed_over_again(fresh: Installation) -> None:
    transaction = fresh.sold()
    begin_anew(fresh, fresh.people["buyer"])
    fresh.wait(transaction, lambda view: view["stuck_reason"] == "awaiting_redeposit")
    fresh.let_pass(timedelta(hours=73))
    wait_until(lambda: refunds(fresh, transaction) == ["redeposit_lapsed"])


def refunds(installation: Installation, transaction: str) -> list[str]:
    with psycopg.connect(installation.app_dsn) as connection:
        query = (
            "SELECT data ->> 'reason' FROM event_log WHERE type = 'transaction.refund_ordered.v1' AND stream::text = %s"
        )
        return [row[0] for row in connection.execute(query, (transaction,)).fetchall()]
