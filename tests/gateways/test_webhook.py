"""A webhook is believed to be Paystack's only if it signs the bytes as they came."""

import hashlib
import hmac

import pytest

from gateways.payment import JsonObject
from gateways.paystack.secret import SecretKey
from gateways.paystack.webhook import Envelope, parse_envelope, signature, verify_signature

SECRET = SecretKey("sk_test_0123456789abcdef")
RAW = b'{"event":"charge.success", "data":{"reference":"ch-1"}}'
GOOD = hmac.new(b"sk_test_0123456789abcdef", RAW, hashlib.sha512).hexdigest()


def test_the_signature_is_hmac_sha512_of_the_raw_body_in_lower_case_hex() -> None:
    assert signature(SECRET, RAW) == GOOD
    assert verify_signature(SECRET, RAW, GOOD)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        GOOD.upper(),
        GOOD[:-1],
        GOOD + "0",
        f" {GOOD}",
        f"{GOOD}\n",
        f"sha512={GOOD}",
        "0" * 128,
        hashlib.sha512(RAW).hexdigest(),
        "é" * 128,
    ],
)
def test_any_other_header_is_refused(header: str | None) -> None:
    assert not verify_signature(SECRET, RAW, header)


@pytest.mark.guarantee("G15", faults="a signed body that was changed", runs="every kind of change")
@pytest.mark.parametrize("raw", [RAW + b" ", RAW.replace(b", ", b","), RAW.replace(b"ch-1", b"ch-2"), b""])
def test_a_body_changed_in_any_byte_is_refused(raw: bytes) -> None:
    assert not verify_signature(SECRET, raw, GOOD)


def test_another_key_does_not_sign_for_us() -> None:
    assert not verify_signature(SecretKey("sk_live_0123456789abcdef"), RAW, GOOD)


@pytest.mark.parametrize(
    ("event", "data", "reference"),
    [
        ("charge.success", {"reference": "ch-1"}, "ch-1"),
        ("transfer.success", {"reference": "po-1", "recipient": {}}, "po-1"),
        ("transfer.reversed", {"reference": "po-1"}, "po-1"),
        ("refund.pending", {"transaction_reference": "ch-1", "refund_reference": None, "amount": "100"}, "ch-1"),
        ("refund.needs-attention", {"transaction_reference": "ch-1", "id": "7"}, "ch-1"),
        ("refund.failed", {"transaction": {"reference": "ch-1"}}, "ch-1"),
        ("charge.dispute.create", {"id": 1, "reference": "not-ours", "transaction": {"reference": "ch-1"}}, "ch-1"),
        ("charge.dispute.remind", {"transaction": 5}, None),
        ("subscription.create", {"reference": "x"}, None),
        ("charge.success", {"reference": 5}, None),
        ("charge", {"reference": "x"}, None),
        ("", {}, None),
    ],
)
def test_our_reference_is_found_wherever_the_event_keeps_it(
    event: str, data: JsonObject, reference: str | None
) -> None:
    assert Envelope(event, data).reference == reference


def test_the_envelope_is_read() -> None:
    envelope = parse_envelope(RAW)
    assert (envelope.event, envelope.reference) == ("charge.success", "ch-1")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"5", b'{"event": 5, "data": 7}', b"\xff\xfe", b'{"data": NaN}'])
def test_a_body_that_is_no_envelope_is_kept_and_means_nothing(raw: bytes) -> None:
    envelope = parse_envelope(raw)
    assert (envelope.event, dict(envelope.data), envelope.reference) == ("", {}, None)
