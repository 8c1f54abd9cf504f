"""What an answer of Paystack amounts to: it did, it refused, or nobody can tell."""

import json

import pytest

from gateways.errors import (
    DuplicateReference,
    GatewayError,
    GatewayKeyRefused,
    GatewayRefused,
    GatewayThrottled,
    GatewayUnavailable,
    GatewayUncertain,
    InsufficientBalance,
    UnknownReference,
)
from gateways.paystack.errors import code_of, read_answer

DUPLICATE_CHARGE = {
    "status": False,
    "message": "Duplicate Transaction Reference",
    "meta": {"nextStep": "Ensure that the reference is unique"},
    "type": "validation_error",
    "code": "duplicate_reference",
}
DUPLICATE_TRANSFER = {
    "status": False,
    "message": "Please provide a unique reference. Reference already exists on a transfer",
    "type": "validation_error",
    "code": "duplicate_transfer_reference",
}
POOR = {"status": False, "message": "Your balance is not enough to fulfil this request", "type": "api_error"}
NO_RECIPIENT = {"status": False, "message": "Recipient is invalid", "code": "invalid_transfer_recipient"}
NOT_THERE = {"status": False, "message": "Transfer not found", "code": "transfer_not_found"}
NO = {"status": False, "message": "No"}


@pytest.mark.parametrize(
    ("method", "status", "body", "kind"),
    [
        ("POST", 400, DUPLICATE_CHARGE, DuplicateReference),
        ("POST", 400, DUPLICATE_TRANSFER, DuplicateReference),
        ("POST", 400, {**DUPLICATE_TRANSFER, "code": "unknown"}, DuplicateReference),
        ("POST", 400, POOR, InsufficientBalance),
        ("POST", 400, NO_RECIPIENT, GatewayRefused),
        ("POST", 404, NOT_THERE, GatewayRefused),
        ("POST", 422, NO, GatewayRefused),
        ("GET", 404, NOT_THERE, UnknownReference),
        ("GET", 400, {**NO, "code": "transaction_not_found"}, UnknownReference),
        ("GET", 400, NO, GatewayRefused),
        ("POST", 401, {**NO, "message": "Invalid key"}, GatewayKeyRefused),
        ("POST", 429, NO, GatewayThrottled),
        ("POST", 429, None, GatewayThrottled),
        ("POST", 500, NO, GatewayUncertain),
        ("POST", 502, None, GatewayUncertain),
        ("POST", 408, NO, GatewayUncertain),
        ("POST", 302, NO, GatewayUncertain),
        ("POST", 200, NO, GatewayUncertain),
        ("POST", 200, None, GatewayUncertain),
        ("POST", 403, None, GatewayUncertain),
        ("GET", 404, None, GatewayUncertain),
    ],
)
def test_each_answer_has_one_meaning(method: str, status: int, body: object | None, kind: type[GatewayError]) -> None:
    raw = b"<html>Bad gateway</html>" if body is None else json.dumps(body).encode()
    with pytest.raises(GatewayError) as caught:
        read_answer(method, status, raw)
    assert type(caught.value) is kind


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b'{"data": {}}', b'{"status": "true"}', b'{"status": NaN}'])
def test_a_success_without_its_envelope_is_uncertain(raw: bytes) -> None:
    with pytest.raises(GatewayUncertain):
        read_answer("POST", 200, raw)


def test_a_success_is_returned_whole() -> None:
    assert read_answer("POST", 201, b'{"status": true, "data": {"a": 1}}')["data"] == {"a": 1}


@pytest.mark.parametrize("kind", [DuplicateReference, UnknownReference, GatewayUncertain, GatewayUnavailable])
def test_catching_a_refusal_catches_nothing_doubtful(kind: type[GatewayError]) -> None:
    assert not issubclass(kind, GatewayRefused)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"type": "validation_error", "code": "duplicate_reference"}, "duplicate_reference"),
        ({"code": "validation_error", "type": "duplicate_reference"}, "duplicate_reference"),
        ({"code": "api_error"}, ""),
        ({"code": None, "type": 5}, ""),
        ({}, ""),
    ],
)
def test_type_and_code_may_be_swapped(fields: dict[str, object], code: str) -> None:
    assert code_of(fields) == code


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), (None, 10.0), ("soon", 10.0), ("-1", 10.0), ("9" * 9, 3600.0)]
)
def test_retry_after_is_read_in_seconds_and_bounded(header: str | None, seconds: float) -> None:
    with pytest.raises(GatewayThrottled) as caught:
        read_answer("GET", 429, b"", header)
    assert caught.value.retry_after_seconds == seconds


def test_a_key_that_paystack_echoes_does_not_reach_the_error() -> None:
    body = json.dumps({"status": False, "message": "Invalid key sk_live_canary123"}).encode()
    with pytest.raises(GatewayKeyRefused) as caught:
        read_answer("POST", 401, body)
    assert "canary" not in f"{caught.value} {caught.value!r} {caught.value.detail} {caught.value.facts}"


def test_public_facts_hold_codes_and_never_the_processors_words() -> None:
    with pytest.raises(InsufficientBalance) as caught:
        read_answer("POST", 400, json.dumps(POOR).encode())
    assert set(caught.value.facts) == {"gateway_code", "gateway_status"}
    assert "balance is not enough" not in str(caught.value.facts)
