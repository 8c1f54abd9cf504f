"""The secret key never shows itself, and its prefix says whether money is real."""

import pickle

import pytest

from domain.money import Currency, Money
from gateways.errors import BaseUrlUnsafe
from gateways.payment import Mode, NewCharge, NewRecipient
from gateways.paystack.client import Paystack
from gateways.paystack.http import PaystackHttp
from gateways.paystack.secret import SecretKey, SecretKeyInvalid


@pytest.mark.parametrize(("value", "mode"), [("sk_test_canary1", Mode.TEST), ("sk_live_canary1", Mode.LIVE)])
def test_the_prefix_tells_test_from_live(value: str, mode: Mode) -> None:
    assert SecretKey(value).mode is mode
    assert SecretKey(value).reveal() == value


@pytest.mark.parametrize(
    "value", ["", "canary", "pk_test_canary", "sk_test_", "SK_TEST_canary", "sk_test_canary\n", "sk_live_a b"]
)
def test_what_is_no_secret_key_is_refused_without_being_repeated(value: str) -> None:
    with pytest.raises(SecretKeyInvalid) as caught:
        SecretKey(value)
    assert "canary" not in str(caught.value)


def test_a_key_shows_only_its_mode() -> None:
    key = SecretKey("sk_live_canary")
    http = PaystackHttp(secret=key)
    shown = f"{key} {key!r} {http!r} {Paystack(http)!r} {vars(http)}"
    assert "canary" not in shown
    assert repr(key) == "SecretKey(sk_live_[redacted])"


def test_a_key_does_not_travel_in_a_pickle() -> None:
    with pytest.raises(SecretKeyInvalid):
        pickle.dumps(SecretKey("sk_test_canary"))


@pytest.mark.parametrize(
    "url",
    [
        "http://api.paystack.co",
        "http://127.0.0.1.evil.example",
        "ftp://x",
        "",
        "https://",
        "https://u:p@x",
        "https://x?y",
        "https://[x",
        "https://x:99999",
    ],
)
def test_the_key_is_never_sent_in_the_clear(url: str) -> None:
    with pytest.raises(BaseUrlUnsafe):
        PaystackHttp(secret=SecretKey("sk_test_a"), base_url=url)


def test_personal_data_stays_out_of_repr() -> None:
    charge = NewCharge(reference="ch-1", amount=Money(1, Currency.KES), email="canary@example.com")
    payee = NewRecipient(type="nuban", name="canary", account_number="canary", bank_code="1", currency=Currency.NGN)
    assert "canary" not in f"{charge} {payee}"
