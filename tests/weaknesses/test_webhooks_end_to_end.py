"""The webhook route as the processor meets it: answered at once, kept whatever it says, worked off afterwards."""

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from uuid import uuid4

import pytest

from gateways.paystack.webhook import SIGNATURE_HEADER, signature
from tests.api.running import SECRET, WIRE, Installation
from tests.raw_http import raw_request
from tests.waiting import wait_until
from tests.weaknesses.running import Row, books, complete, read

PATH = "/api/v1/webhooks/paystack"
AT_ONCE = 200


def deliver(installation: Installation, event: str, **data: object) -> bytes:
    """Send one delivery as the processor does; its bytes."""
    raw = json.dumps({"event": event, "data": {**data, "nonce": str(uuid4())}}).encode()
    answer = WIRE.post(installation.base_url + PATH, content=raw, headers={SIGNATURE_HEADER: signature(SECRET, raw)})
    assert answer.status_code == 200, answer.text
    return raw


def outcome(installation: Installation, raw: bytes) -> Row:
    """What became of a delivery, once it has been worked off."""
    query = "SELECT outcome, event, reference, transaction_id FROM payment_events WHERE body = %s"
    wait_until(lambda: read(installation, query, raw)[0][0] is not None)
    return read(installation, query, raw)[0]


@pytest.mark.weakness("W14")
def test_two_hundred_deliveries_at_once_are_all_kept_before_they_are_answered(
    installation: Installation, tmp_path: Path
) -> None:
    """Elsewhere the work is done before the answer, and the processor gives up and sends it all again."""
    number = 5 * AT_ONCE
    flood = tmp_path / "flood"
    flood.write_text("".join(f"{each % AT_ONCE} {b64encode(request(each)).decode()}\n" for each in range(number)))
    port = installation.base_url.rpartition(":")[2]
    load = [sys.executable, "-m", "bench.load", port, str(flood)]
    answered = json.loads(subprocess.run(load, capture_output=True, check=True).stdout)
    print(
        f"{AT_ONCE} in flight, {answered['rate']:.0f}/s: p50 {answered['p50_ms']:.0f}, p99 {answered['p99_ms']:.0f} ms"
    )
    assert answered["statuses"] == {"200": number}
    assert read(installation, "SELECT count(*) FROM payment_events WHERE event = 'unheard.of'") == [(number,)]


def request(number: int) -> bytes:
    """A delivery as it stands on the wire."""
    raw = json.dumps({"event": "unheard.of", "data": {"flood": number}}).encode()
    return raw_request(f"POST {PATH}", raw, **{SIGNATURE_HEADER: signature(SECRET, raw)})


@pytest.mark.weakness("W13")
def test_what_the_processor_has_never_sent_before_is_kept_under_its_own_name(installation: Installation) -> None:
    """Elsewhere an unknown kind is stored as a successful charge."""
    raw = deliver(installation, "preauthorization.reserve.success", reference="pre-1")
    assert outcome(installation, raw)[:2] == ("ignored", "preauthorization.reserve.success")


@pytest.mark.weakness("W11")
@pytest.mark.parametrize("event", ["charge.success", "transfer.success", "refund.processed"])
def test_what_nobody_can_match_is_kept_and_answered(installation: Installation, event: str) -> None:
    """Elsewhere a delivery without a transaction fails, is sent for three days, and is gone."""
    reference = f"nobodys-{uuid4()}"
    raw = deliver(installation, event, reference=reference, transaction_reference=reference)
    assert outcome(installation, raw) == ("unmatched", event, reference, None)


@pytest.mark.weakness("W12")
def test_transfers_refunds_and_charges_each_find_their_transaction(installation: Installation) -> None:
    """Elsewhere every reference is looked up among charges, so that no transfer and no refund is ever matched."""
    transaction = complete(installation)
    (charge,) = read(installation, "SELECT reference FROM payment_links WHERE transaction_id = %s", transaction)[0]
    (payout,) = read(installation, "SELECT reference FROM payouts WHERE transaction_id = %s", transaction)[0]
    for event, data in {
        "charge.success": {"reference": charge},
        "transfer.success": {"reference": payout},
        "refund.pending": {"transaction_reference": charge, "refund_reference": None, "amount": "100000"},
    }.items():
        found = outcome(installation, deliver(installation, event, **data))
        assert (found[0], str(found[3])) == ("applied", transaction), event


@pytest.mark.weakness("W15")
def test_a_failure_reported_after_the_success_does_not_take_the_success_back(installation: Installation) -> None:
    """Elsewhere the last delivery wins, in whatever order they come."""
    transaction = complete(installation)
    (payout,) = read(installation, "SELECT reference FROM payouts WHERE transaction_id = %s", transaction)[0]
    before = books(installation, transaction)
    for event in ("transfer.failed", "transfer.success", "transfer.reversed"):
        outcome(installation, deliver(installation, event, reference=payout))
    assert installation.view(transaction)["state"] == "completed"
    assert books(installation, transaction) == before


@pytest.mark.weakness("W10")
def test_the_same_bytes_again_are_the_same_delivery(installation: Installation) -> None:
    """Elsewhere duplicates are told by an id that the processor does not send, so that none is ever found."""
    raw = deliver(installation, "charge.success", reference=f"nobodys-{uuid4()}")
    for _ in range(4):
        headers = {SIGNATURE_HEADER: signature(SECRET, raw)}
        assert WIRE.post(installation.base_url + PATH, content=raw, headers=headers).status_code == 200
    assert read(installation, "SELECT deliveries FROM payment_events WHERE body = %s", raw) == [(5,)]


def test_a_paid_charge_that_only_a_webhook_tells_of_moves_the_transaction_on(installation: Installation) -> None:
    """Elsewhere the genuine delivery is refused, and paid transactions never move."""
    transaction = installation.open()
    installation.pay(transaction)
    (charge,) = read(installation, "SELECT reference FROM payment_links WHERE transaction_id = %s", transaction)[0]
    assert outcome(installation, deliver(installation, "charge.success", reference=charge))[0] == "applied"
    assert installation.view(transaction)["state"] == "funds_held"
