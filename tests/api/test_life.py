"""A transaction from the listing to the payout, over HTTP, with the stand-in Paystack."""

import pytest

from tests.api.running import PASSWORD, Installation


@pytest.mark.weakness("W33", "W35")
def test_a_transaction_lives_from_listing_to_payout(installation: Installation) -> None:
    transaction = installation.sold()
    buyer = installation.people["buyer"]
    shown = buyer.must(f"/api/v1/transactions/{transaction}/reveal", {"password": PASSWORD})
    assert shown["document"]["credentials"] == {"username": "someone", "password": "hunter2"}
    buyer.must(f"/api/v1/transactions/{transaction}/reveal/acknowledge")
    confirmed = buyer.must(f"/api/v1/transactions/{transaction}/confirm-access", {"statements": ["It works."]})
    assert confirmed["state"] == "releasing"
    done = installation.wait(transaction, lambda view: view["state"] == "completed")
    assert done["held"] == {"amount_minor": 0, "currency": "KES"}
    assert done["stuck_reason"] is None
