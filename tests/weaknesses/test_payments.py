"""Money: believed only when the processor confirms it, sent once, to an account that is known."""

import json
from datetime import timedelta

import psycopg
import pytest

from gateways.paystack.webhook import SIGNATURE_HEADER, signature
from tests.api.running import SECRET, WIRE, Installation
from tests.waiting import wait_until
from tests.weaknesses.running import TRANSACTIONS, balances, books, complete, journal, read

PATH = "/api/v1/webhooks/paystack"


def reference_of(installation: Installation, transaction: str) -> str:
    return str(read(installation, "SELECT reference FROM payment_links WHERE transaction_id = %s", transaction)[0][0])


@pytest.mark.weakness("W1")
@pytest.mark.parametrize("outcome", ["failed", "abandoned"])
def test_nobody_can_declare_a_payment_that_was_not_made(installation: Installation, outcome: str) -> None:
    """Elsewhere the buyer says that he has paid, and is believed."""
    transaction, buyer = installation.open(), installation.people["buyer"]
    page = buyer.must(f"{TRANSACTIONS}/{transaction}/pay")
    assert WIRE.post(str(page["authorization_url"]), json={"outcome": outcome}).status_code == 200
    claim = {
        "event": "charge.success",
        "data": {"reference": page["reference"], "status": "success", "amount": 100_000},
    }
    raw = json.dumps(claim).encode()
    answer = WIRE.post(installation.base_url + PATH, content=raw, headers={SIGNATURE_HEADER: signature(SECRET, raw)})
    assert answer.status_code == 200
    query = "SELECT outcome FROM payment_events WHERE body = %s"
    wait_until(lambda: read(installation, query, raw) == [("applied",)])
    for word in ("confirm-payment", "paid", "confirm-access", "reveal"):
        assert buyer.post(f"{TRANSACTIONS}/{transaction}/{word}").status_code in {404, 409, 422}
    assert installation.view(transaction)["state"] == "pending"
    assert books(installation, transaction) == []


@pytest.mark.weakness("W3", "W4")
def test_a_sale_is_charged_once_and_paid_out_once(installation: Installation) -> None:
    """Elsewhere "capture" is a second charge, and the payout is only a change of state."""
    transaction = complete(installation)
    (payout,) = read(installation, "SELECT reference FROM payouts WHERE transaction_id = %s", transaction)
    assert len(journal(installation, "charge", reference_of(installation, transaction))) == 1
    assert journal(installation, "transfer", str(payout[0])) == [-90_000]


@pytest.mark.weakness("W3")
def test_a_refund_is_sent_back_to_who_paid(installation: Installation) -> None:
    """Elsewhere a refund is only a change of state, and the money stays where it is."""
    transaction = installation.hold()
    buyer, chief = installation.people["buyer"], installation.people["super_admin"]
    opened = buyer.must(f"{TRANSACTIONS}/{transaction}/disputes", {"category": "fraud", "statement": "No."})
    dispute = opened["disputes"][0]["dispute_id"]  # type: ignore[index]
    resolve = {"finding": "seller", "reason": "The account never existed"}
    chief.must(f"/api/v1/admin/transactions/{transaction}/disputes/{dispute}/resolve", resolve)
    wait_until(lambda: installation.view(transaction)["state"] == "refunded")
    assert (
        sum(line["credit_minor"] for line in books(installation, transaction) if line["account"] == "buyer:refund_due")
        == 100_000
    )  # type: ignore[misc]
    assert "escrow:held" not in balances(installation, transaction)
    assert journal(installation, "refund", reference_of(installation, transaction)) == [-100_000]


@pytest.mark.weakness("W5")
def test_a_payout_waits_until_the_seller_says_where_to(fresh: Installation) -> None:
    """Elsewhere nobody asks the seller for an account, and completed sales are never paid."""
    installation = fresh
    transaction = installation.sold()
    with psycopg.connect(installation.superuser_dsn) as connection:
        seller = installation.people["seller"]
        kept = connection.execute("DELETE FROM payout_accounts WHERE user_id = %s RETURNING *", (seller.id,)).fetchone()
    assert kept is not None
    installation.confirm(transaction)
    installation.wait(transaction, lambda view: view["stuck_reason"] is not None)
    account = {"type": "mobile_money", "bank_code": "MPESA", "account_number": "0712345678", "account_name": "seller"}
    answer = seller.request("PUT", "/api/v1/users/me/payout-account", {**account, "currency": "KES"})
    assert answer.status_code < 300, answer.text
    installation.wait(transaction, lambda view: str(view["stuck_reason"]).startswith("payout_account_cooling_off"))
    installation.clock.ahead += timedelta(hours=25)
    query = "SELECT state FROM transactions WHERE id = %s"
    wait_until(lambda: read(installation, query, transaction) == [("completed",)])


@pytest.mark.weakness("W8", "W9")
@pytest.mark.parametrize(("amount", "held", "back"), [(60_000, 0, 60_000), (150_000, 100_000, 50_000)])
def test_what_was_paid_is_compared_with_the_price(
    installation: Installation, amount: int, held: int, back: int
) -> None:
    """Elsewhere amount and currency of a charge are never looked at, and too much or too little has nowhere to go."""
    transaction = installation.open()
    fault = {"endpoint": "*", "kind": "other_amount", "amount_minor": amount}
    assert WIRE.post(f"{installation.stand_in.base_url}/_sim/faults", json=fault).status_code == 201
    installation.pay(transaction)

    def has_gone_back() -> bool:
        query = "SELECT amount_minor FROM refunds WHERE transaction_id = %s"
        return read(installation, query, transaction) == [(back,)]

    wait_until(has_gone_back)
    assert -balances(installation, transaction).get("escrow:held", 0) == held
    assert installation.view(transaction)["state"] == ("funds_held" if held else "pending")
