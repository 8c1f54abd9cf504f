"""State: one of many at once wins, what belongs together is one append, and history outlives everybody."""

from uuid import uuid4

import psycopg
import pytest

from tests.api.running import Installation
from tests.waiting import wait_until
from tests.weaknesses.running import TRANSACTIONS, at_once, balances, books, complete, journal, read, settle

AT_ONCE = 8
HISTORY = (
    "SELECT id, seller_id, buyer_id FROM transactions WHERE id = %s",
    "SELECT position, type FROM event_log WHERE stream = %s",
    "SELECT position, line, account, amount_minor FROM ledger_entries WHERE transaction_id = %s",
    "SELECT reference, amount_minor FROM payouts WHERE transaction_id = %s",
)


@pytest.mark.weakness("W18")
def test_of_many_buyers_at_once_one_gets_the_listing(installation: Installation) -> None:
    """Elsewhere the state is checked and then changed, and both buyers pay."""
    listing = installation.list_account()
    people = [installation.people[name] for name in ("buyer", "stranger", "other") for _ in range(3)]
    answers = at_once([lambda who=who: who.post(TRANSACTIONS, {"listing_id": listing}) for who in people])
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * (len(people) - 1)]
    settle(installation)
    assert read(installation, "SELECT count(*) FROM transactions WHERE listing_id = %s", listing) == [(1,)]


@pytest.mark.weakness("W18")
@pytest.mark.guarantee(
    "G3", faults="the same confirmation at the same moment, with different keys", runs=f"{AT_ONCE} at once"
)
def test_of_many_confirmations_at_once_one_releases_the_money(installation: Installation) -> None:
    """Elsewhere every confirmation that comes before the first has committed sends a payout of its own."""
    transaction, buyer = installation.sold(), installation.people["buyer"]
    buyer.must(f"{TRANSACTIONS}/{transaction}/reveal", {"password": "correct horse battery"})
    buyer.must(f"{TRANSACTIONS}/{transaction}/reveal/acknowledge")
    path = f"{TRANSACTIONS}/{transaction}/confirm-access"
    answers = at_once([lambda: buyer.post(path, key=str(uuid4())) for _ in range(AT_ONCE)])
    assert {answer.status_code for answer in answers} <= {200, 409}
    installation.wait(transaction, lambda view: view["state"] == "completed")
    settle(installation)
    (payout,) = read(installation, "SELECT reference FROM payouts WHERE transaction_id = %s", transaction)
    assert journal(installation, "transfer", str(payout[0])) == [-90_000]
    assert balances(installation, transaction)["revenue:platform_fee"] == -10_000


@pytest.mark.weakness("W19")
def test_a_release_is_one_append_with_its_money(installation: Installation) -> None:
    """Elsewhere money, audit and listing commit one after the other, and a crash between them leaves two truths."""
    transaction = complete(installation)
    query = """SELECT type, position, data ->> 'command_id' FROM event_log
               WHERE stream = %s AND type IN ('transaction.access_confirmed.v1', 'transaction.release_ordered.v1')
               ORDER BY position"""
    confirmed, released = read(installation, query, transaction)
    assert confirmed[1] + 1 == released[1]  # type: ignore[operator]
    assert confirmed[2] == released[2]
    lines = [line for line in books(installation, transaction) if line["position"] == released[1]]
    assert sum(line["debit_minor"] - line["credit_minor"] for line in lines) == 0  # type: ignore[operator]
    assert len(lines) >= 3


@pytest.mark.weakness("W21")
def test_deleting_a_person_deletes_no_history(installation: Installation) -> None:
    """Elsewhere the user's transactions, payments and audit rows go with him."""
    transaction = complete(installation)
    before = {query: set(read(installation, query, transaction)) for query in HISTORY}
    assert all(before.values())
    seller = installation.people["seller"].id
    for dsn in (installation.app_dsn, installation.superuser_dsn):
        with psycopg.connect(dsn) as connection:
            try:
                connection.execute("DELETE FROM users WHERE id = %s", (seller,))
            except psycopg.Error:
                connection.rollback()
            # Whether it is refused or not: history stands.
            for query, rows in before.items():
                assert rows <= set(connection.execute(query.encode(), (transaction,)).fetchall()), query
            connection.rollback()


@pytest.mark.weakness("W22")
def test_a_second_note_leaves_the_first_as_it_was(installation: Installation) -> None:
    """Elsewhere there is one field for notes, and the last one to write in it wins."""
    transaction, admin = installation.open(), installation.people["admin"]
    for text in ("called the seller", "called the buyer"):
        admin.must(f"/api/v1/admin/transactions/{transaction}/notes", {"text": text})
    settle(installation)
    query = "SELECT count(*) FROM transaction_notes WHERE transaction_id = %s"
    assert read(installation, query, transaction) == [(2,)]
    said = str(admin.get(f"/api/v1/transactions/{transaction}/events?limit=100").json())
    assert "called the seller" in said
    assert "called the buyer" in said


@pytest.mark.weakness("W23")
def test_a_sale_that_came_to_nothing_can_be_made_again(installation: Installation) -> None:
    """Elsewhere a listing has one transaction for ever, and after a refund it is for sale and cannot be bought."""
    listing = installation.list_account()
    for name in ("buyer", "stranger", "buyer"):
        buyer = installation.people[name]

        def opens() -> bool:
            answer = buyer.post(TRANSACTIONS, {"listing_id": listing})  # noqa: B023 - called before the next one
            if answer.status_code != 201:
                return False
            opened.append(str(answer.json()["id"]))  # noqa: B023
            return True

        opened: list[str] = []
        wait_until(opens)
        buyer.must(f"{TRANSACTIONS}/{opened[0]}/cancel")


@pytest.mark.weakness("W29")
@pytest.mark.parametrize("category", ["access_lost", "platform_ban"])
def test_after_the_sale_an_account_pulled_back_is_refunded_and_owed_by_the_seller(
    installation: Installation, category: str
) -> None:
    """Elsewhere nothing comes after "completed", and the buyer of an account pulled back has lost his money."""
    transaction = complete(installation)
    buyer, chief = installation.people["buyer"], installation.people["super_admin"]
    statement = {"category": category, "statement": "It is gone."}
    opened = buyer.must(f"{TRANSACTIONS}/{transaction}/disputes", statement)
    assert opened["state"] == "disputed"
    dispute = opened["disputes"][0]["dispute_id"]  # type: ignore[index]
    resolve = {"finding": "seller", "reason": "The seller recovered the account"}
    chief.must(f"/api/v1/admin/transactions/{transaction}/disputes/{dispute}/resolve", resolve)
    installation.wait(transaction, lambda view: view["state"] == "refunded")
    found = balances(installation, transaction)
    assert found["receivable:seller"] == 90_000
    assert found.get("revenue:platform_fee", 0) == 0
    listing = buyer.get(f"{TRANSACTIONS}/{transaction}").json()["listing_id"]
    wait_until(
        lambda: chief.get(f"/api/v1/listings/{listing}").json()["state"] == "removed",
    )
