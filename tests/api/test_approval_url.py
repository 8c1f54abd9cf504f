"""The stand-in asks our API before each transfer: what the log ordered is paid, nothing else, whoever has the key."""

from collections.abc import Generator
from datetime import timedelta
from typing import cast

import pytest

from api.routes.webhook import APPROVAL
from tests.api.running import SECRET, WIRE, Installation, JsonObject
from tests.waiting import wait_until

T = "/api/v1/transactions"
KEY = {"Authorization": f"Bearer {SECRET.reveal()}"}
NOBODY = "http://127.0.0.1:9/nobody"
THIEF = {"type": "mobile_money", "name": "T", "account_number": "0700000001", "bank_code": "MPESA", "currency": "KES"}
SHARE = 90_000
PAUSE = timedelta(seconds=61)


@pytest.fixture
def asking(installation: Installation) -> Generator[Installation]:
    """An installation whose processor asks before each transfer."""
    ask(installation, installation.base_url + APPROVAL)
    yield installation
    ask(installation, None)


def ask(installation: Installation, url: str | None) -> None:
    answer = WIRE.post(f"{installation.stand_in.base_url}/_sim/settings", json={"approval_url": url})
    assert answer.status_code == 200, answer.text


def sell(installation: Installation) -> str:
    """A sale whose buyer has confirmed; its payout follows."""
    transaction = installation.sold()
    installation.confirm(transaction)
    return transaction


def transfers(installation: Installation, transaction: str) -> list[JsonObject]:
    """The transfers of a transaction at the processor, oldest first."""
    rows = cast("list[JsonObject]", WIRE.get(f"{installation.stand_in.base_url}/_sim/objects").json()["transfers"])
    return [row for row in rows if row["reason"] == f"escrow {transaction}"]


def verdicts(installation: Installation, reference: object) -> list[object]:
    """What the approval URL answered about a transfer."""
    rows = cast("list[JsonObject]", WIRE.get(f"{installation.stand_in.base_url}/_sim/webhooks").json()["webhooks"])
    event = "transferrequest.approval-required"
    return [row["state"] for row in rows if row["event"] == event and row["reference"] == reference]


def held(installation: Installation) -> object:
    """What the processor's balance holds."""
    pockets = WIRE.get(f"{installation.stand_in.base_url}/_sim/journal").json()["pockets"]
    return pockets["balance"]["KES"]


def steal(installation: Installation, reference: str, reason: str) -> None:
    """Order a transfer with our key, past the log, and wait until it is rejected."""
    http = installation.stand_in.base_url
    recipient = WIRE.post(f"{http}/transferrecipient", json=THIEF, headers=KEY).json()["data"]["recipient_code"]
    body = {"source": "balance", "currency": "KES", "amount": SHARE, "recipient": recipient, "reason": reason}
    sent = WIRE.post(f"{http}/transfer", json={**body, "reference": reference}, headers=KEY)
    assert sent.json()["data"]["status"] == "received", sent.text

    def is_rejected() -> bool:
        verified = WIRE.get(f"{http}/transfer/verify/{reference}", headers=KEY).json()
        return verified["data"]["status"] == "rejected"

    wait_until(is_rejected)


def test_what_the_log_ordered_is_asked_about_approved_and_paid(asking: Installation) -> None:
    transaction = sell(asking)
    asking.wait(transaction, lambda view: view["state"] == "completed")
    (transfer,) = transfers(asking, transaction)
    assert (transfer["status"], transfer["amount_minor"]) == ("success", SHARE)
    assert verdicts(asking, transfer["reference"]) == ["approved"]


def test_a_transfer_that_is_not_in_the_log_is_rejected_though_it_was_ordered_with_our_key(asking: Installation) -> None:
    transaction = sell(asking)
    asking.wait(transaction, lambda view: view["state"] == "completed")
    before = held(asking)
    steal(asking, "po-0000000000000001", "a refund")
    steal(asking, "po-0000000000000002", f"escrow {transaction}")
    assert held(asking) == before
    assert verdicts(asking, "po-0000000000000002") == ["rejected"]


def test_while_our_api_is_down_transfers_are_blocked_and_paid_once_under_a_new_reference(asking: Installation) -> None:
    ask(asking, NOBODY)
    transaction = sell(asking)
    waiting = asking.wait(transaction, lambda view: str(view["stuck_reason"]).startswith("payout_retry_scheduled"))
    assert waiting["state"] == "releasing"
    (blocked,) = transfers(asking, transaction)
    assert (blocked["status"], verdicts(asking, blocked["reference"])) == ("blocked", ["blocked"])

    ask(asking, asking.base_url + APPROVAL)
    asking.clock.ahead += PAUSE
    asking.wait(transaction, lambda view: view["state"] == "completed")
    first, second = transfers(asking, transaction)
    assert first["reference"] != second["reference"]
    assert [first["status"], second["status"]] == ["blocked", "success"]
    assert verdicts(asking, second["reference"]) == ["approved"]
