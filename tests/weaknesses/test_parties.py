"""The parties: nobody sells to himself, both are heard, what they signed stays, and what failed can be sold again."""

import hashlib
from typing import cast

import pytest

from tests.api.running import PASSWORD, Installation, JsonObject
from tests.waiting import wait_until
from tests.weaknesses.running import TRANSACTIONS, balances, complete, journal, read, settle

ADMIN = "/api/v1/admin/transactions"


@pytest.mark.weakness("W28")
def test_a_seller_does_not_buy_from_himself(installation: Installation) -> None:
    """Elsewhere the way to buy asks who sells only where the catalogue is shown, so that a seller pays himself."""
    listing = installation.list_account()
    seller, written = installation.people["seller"], installation.written()
    refused = seller.post(TRANSACTIONS, {"listing_id": listing})
    assert (refused.status_code, refused.json()["code"]) == (422, "self_dealing"), refused.text
    assert installation.written() == written


@pytest.mark.weakness("W25")
def test_a_buyer_who_is_not_content_is_heard_and_so_is_the_seller(installation: Installation) -> None:
    """Elsewhere "not verified" is a button that leads nowhere: there is nothing to open, to say, or to decide."""
    transaction = installation.sold()
    buyer, seller, chief = (installation.people[name] for name in ("buyer", "seller", "super_admin"))
    buyer.must(f"{TRANSACTIONS}/{transaction}/reveal", {"password": PASSWORD})
    for person, category, said in (
        (buyer, "not_working", "It is refused."),
        (seller, "payment_not_received", "It worked at noon."),
    ):
        opened = person.must(f"{TRANSACTIONS}/{transaction}/disputes", {"category": category, "statement": said})
    kept = "SELECT body::text FROM contents WHERE kind = 'statement' AND body::text LIKE %s"
    assert [len(read(installation, kept, f"%{said}%")) for said in ("It is refused.", "It worked at noon.")] == [1, 1]
    frozen = buyer.post(f"{TRANSACTIONS}/{transaction}/confirm-access")
    assert (frozen.status_code, frozen.json()["code"]) == (409, "dispute_open")
    dispute = cast("list[JsonObject]", opened["disputes"])[0]["dispute_id"]
    divided = {"finding": "unclear", "to_buyer_minor": 60_000, "to_seller_minor": 36_000}
    resolve = {**divided, "reason": "Neither of the two could show it"}
    chief.must(f"{ADMIN}/{transaction}/disputes/{dispute}/resolve", resolve)
    installation.wait(transaction, lambda view: not cast("JsonObject", view["held"])["amount_minor"])
    charge, payout = references(installation, transaction)
    assert journal(installation, "refund", charge) == [-60_000]
    assert journal(installation, "transfer", payout) == [-36_000]
    assert balances(installation, transaction)["revenue:platform_fee"] == -4_000


def references(installation: Installation, transaction: str) -> tuple[str, str]:
    """Of the charge, and of the payout once it has gone out."""
    paid_out = "SELECT reference FROM payouts WHERE transaction_id = %s AND status = 'succeeded'"
    wait_until(lambda: len(read(installation, paid_out, transaction)) == 1)
    charge = read(installation, "SELECT reference FROM payment_links WHERE transaction_id = %s", transaction)
    returned = "SELECT status FROM refunds WHERE transaction_id = %s"
    wait_until(lambda: read(installation, returned, transaction) == [("processed",)])
    return str(charge[0][0]), str(read(installation, paid_out, transaction)[0][0])


@pytest.mark.weakness("W23")
def test_what_was_refunded_can_be_sold_to_somebody_else(installation: Installation) -> None:
    """Elsewhere a refunded listing is offered again and refuses every buyer: it had its one transaction."""
    transaction = installation.hold()
    for name in ("buyer", "seller"):
        installation.people[name].must(f"{TRANSACTIONS}/{transaction}/cancel", {"reason": "we changed our minds"})
    view = installation.wait(transaction, lambda view: view["state"] == "refunded")
    stranger = installation.people["stranger"]
    wait_until(lambda: stranger.post(TRANSACTIONS, {"listing_id": view["listing_id"]}).status_code == 201)


@pytest.mark.weakness("W32")
def test_the_hash_that_was_signed_is_that_of_the_text_for_ever(installation: Installation) -> None:
    """Elsewhere the contract is drawn anew each time it is shown, so that the hash fits no text that anybody has."""
    transaction = complete(installation)
    signed = cast("JsonObject", installation.view(transaction)["contract"])["sha256"]
    for name in ("buyer", "seller"):
        text = installation.people[name].get(f"{TRANSACTIONS}/{transaction}/contract")
        assert hashlib.sha256(text.content).hexdigest() == signed
    query = """SELECT DISTINCT data ->> 'content_sha256' FROM event_log
               WHERE stream = %s AND type = 'transaction.contract_signed.v1'"""
    assert read(installation, query, transaction) == [(signed,)]


@pytest.mark.weakness("W20")
def test_whoever_reads_the_history_alone_knows_where_the_money_is(installation: Installation) -> None:
    """Elsewhere the audit trail has no key, wrong names and free text: nothing can be told from it."""
    transaction = complete(installation)
    settle(installation)
    auditor, found, cursor = installation.people["auditor"], list[JsonObject](), ""
    while True:
        page = auditor.get(f"{TRANSACTIONS}/{transaction}/events?limit=100{cursor}").json()
        found += page["items"]
        if not page["next_cursor"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    told: dict[str, int] = {}
    for event in found:
        data = cast("JsonObject", event["data"])
        assert data["actor_role"]
        for account, _, amount in cast("list[tuple[str, str, int]]", data.get("postings", ())):
            told[account] = told.get(account, 0) + amount
    assert {account: amount for account, amount in told.items() if amount} == balances(installation, transaction)
