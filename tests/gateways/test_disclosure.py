"""Of a delivery people see what is known to be harmless; whatever else the processor sends is masked."""

import json

import pytest

from gateways.paystack.disclosure import MASK, disclose

DELIVERED = {
    "event": "charge.success",
    "data": {
        "id": 4099260516,
        "status": "success",
        "reference": "ch-abc",
        "amount": 40333,
        "currency": "KES",
        "ip_address": "197.210.54.33",
        "metadata": {"reference": "Ada Lovelace"},
        "log": {"history": [{"message": "Ada Lovelace"}]},
        "authorization": {"authorization_code": "AUTH_uh8bcl3zbn", "last4": "4081", "account_name": "Ada Lovelace"},
        "customer": {"id": 82796315, "first_name": "Ada", "email": "ada@example.com", "phone": "+254700000000"},
        "recipient": {"details": {"account_number": "0712345678"}, "name": "Ada Lovelace"},
        "new_field_of_next_year": "Ada Lovelace",
        "ada@example.com": 1,
        "list": ["Ada", {"name": "Ada"}],
    },
}


def test_what_is_known_is_shown() -> None:
    shown = disclose(json.dumps(DELIVERED).encode())
    assert isinstance(shown, dict)
    assert shown["event"] == "charge.success"
    data = shown["data"]
    assert {name: data[name] for name in ("id", "status", "reference", "amount", "currency")} == {
        "id": 4099260516,
        "status": "success",
        "reference": "ch-abc",
        "amount": 40333,
        "currency": "KES",
    }
    assert data["customer"]["email"] == data["metadata"] == MASK


@pytest.mark.parametrize("secret", ["Ada", "ada@example.com", "AUTH_", "4081", "0712345678", "+254", "197.210"])
def test_nothing_about_a_person_is_shown(secret: str) -> None:
    assert secret not in json.dumps(disclose(json.dumps(DELIVERED).encode()))


@pytest.mark.parametrize("raw", [b"", b"\xff", b"{", b"[" * 900 + b"]" * 900, b"NaN"])
def test_what_cannot_be_read_is_not_shown_at_all(raw: bytes) -> None:
    assert disclose(raw) is None
