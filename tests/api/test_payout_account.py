"""The payout account: asked at the bank, told in the log without saying where, and a change waits."""

from datetime import timedelta

import psycopg
import pytest

from identity.payout_account import is_same_person
from tests.api.running import PASSWORD, Installation, Person

NIGERIAN = {
    "type": "nuban",
    "bank_code": "058",
    "account_number": "0123456789",
    "account_name": "somebody",
    "currency": "NGN",
}
KENYAN = {
    "type": "mobile_money",
    "bank_code": "MPESA",
    "account_number": "0722000001",
    "account_name": "seller",
    "currency": "KES",
}
WAITS = "SELECT count(*) FROM event_log WHERE type = 'transaction.payout_waits_for_account.v1' AND stream = %s"


def put(person: Person, account: dict[str, str]) -> dict[str, object]:
    answer = person.request("PUT", "/api/v1/users/me/payout-account", account)
    assert answer.status_code == 200, answer.text
    return answer.json()


def changes(installation: Installation, person: Person) -> list[dict[str, object]]:
    query = "SELECT data FROM event_log WHERE stream = %s AND type = 'user.payout_account_changed.v1' ORDER BY version"
    with psycopg.connect(installation.app_dsn) as connection:
        return [row[0] for row in connection.execute(query, (str(person.id),)).fetchall()]


def test_the_bank_is_asked_and_another_name_is_flagged(installation: Installation):
    other = installation.people["other"]
    shown = put(other, NIGERIAN)
    assert isinstance(shown["resolved_name"], str)
    assert shown["name_matches"] is False
    (change,) = changes(installation, other)
    assert change["name_matches"] is False
    assert "0123456789" not in str(change)
    put(other, NIGERIAN)
    assert len(changes(installation, other)) == 1, "the same again is no change"


def test_two_people_with_one_account_are_shown_to_staff(installation: Installation):
    buyer, stranger, admin = (installation.people[name] for name in ("buyer", "stranger", "admin"))
    shared = KENYAN | {"account_number": "0733000002"}
    put(buyer, shared)
    put(stranger, shared)
    (change,) = changes(installation, stranger)
    assert change["shared_with"] == [str(buyer.id)]
    alerts = admin.get("/api/v1/admin/alerts", Wait_For_Position=str(installation.head())).json()["items"]
    assert [a["kind"] for a in alerts if a["subject"] == str(stranger.id)] == ["payout_account_shared"]


@pytest.mark.parametrize(
    "account", [NIGERIAN | {"account_number": "0000000000"}, KENYAN | {"bank_code": "NOBANK"}], ids=["number", "bank"]
)
def test_what_no_bank_knows_is_refused(installation: Installation, account: dict[str, str]):
    seller, written = installation.people["seller"], installation.written()
    answer = seller.request("PUT", "/api/v1/users/me/payout-account", account)
    assert (answer.status_code, answer.json()["code"]) == (422, "payout_account_unknown")
    assert installation.written() == written


def test_a_payout_waits_until_a_changed_account_may_be_used(installation: Installation):
    seller, buyer = installation.people["seller"], installation.people["buyer"]
    transaction = installation.sold()
    changed_at = installation.clock()
    assert put(seller, KENYAN)["usable_at"] is not None
    buyer.must(f"/api/v1/transactions/{transaction}/reveal", {"password": PASSWORD})
    buyer.must(f"/api/v1/transactions/{transaction}/reveal/acknowledge", {})
    buyer.must(f"/api/v1/transactions/{transaction}/confirm-access", {})
    waiting = installation.wait(
        transaction, lambda view: str(view["stuck_reason"]).startswith("payout_account_cooling_off: until ")
    )
    assert waiting["state"] == "releasing"
    until = (changed_at + timedelta(hours=24)).strftime("%Y-%m-%dT%H")
    assert until in str(waiting["stuck_reason"])
    installation.clock.ahead += timedelta(hours=25)
    query = "SELECT state FROM transactions WHERE id = %s"

    def is_paid() -> bool:
        with psycopg.connect(installation.app_dsn) as connection:
            return connection.execute(query, (transaction,)).fetchone() == ("completed",)

    installation.eventually(is_paid)
    with psycopg.connect(installation.app_dsn) as connection:
        assert connection.execute(WAITS, (transaction,)).fetchone() == (1,), "that it still waits is no news"


NAMES = (
    ("Ada Lovelace", "LOVELACE ADA", True),
    ("Ada Lovelace", "Ada Byron Lovelace", True),
    ("José Núñez", "JOSE NUNEZ", True),
    ("Ada Lovelace", "Grace Hopper", False),
    ("Ada Lovelace", "Ada Hopper", False),
    ("", "Ada", False),
    ("...", "...", False),
)


@pytest.mark.parametrize(("one", "other", "same"), NAMES)
def test_names_are_compared_by_their_words(one: str, other: str, *, same: bool):
    assert is_same_person(one, other) is same
