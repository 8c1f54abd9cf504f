"""Paystack says the same thing in many shapes; each of these was seen in its specification, samples or in the wild."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateways.errors import GatewayUncertain
from gateways.payment import ChargeStatus, JsonObject, Mode, RefundStatus, TransferStatus
from gateways.paystack.balance import parse_balances
from gateways.paystack.charge import parse_charge
from gateways.paystack.payload import NotJson, as_integer, boolean, decode, moment
from gateways.paystack.recipient import parse_recipient
from gateways.paystack.refund import parse_refund
from gateways.paystack.transfer import parse_transfer
from tests.gateways.payloads import CHARGE, REFUND, TRANSFER

AT = datetime(2024, 8, 22, 9, 14, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5000, 5000),
        ("5000", 5000),
        (Decimal("5000.0"), 5000),
        ("-5", -5),
        (0, 0),
        (Decimal("50.5"), None),
        ("50.5", None),
        ("1_000", None),
        ("\u0665\u0660", None),
        (" 5", None),
        ("", None),
        (None, None),
        (True, None),
        (10**30, None),
        (Decimal("1e400"), None),
    ],
)
def test_an_amount_is_a_whole_number_in_any_writing(value: object, expected: int | None) -> None:
    assert as_integer(value) == expected


@pytest.mark.parametrize(
    ("metadata", "expected"), [(0, {}), ("", {}), (None, {}), ("x", {}), ({"a": 1}, {"a": 1}), ([], {})]
)
def test_metadata_that_is_no_object_counts_as_empty(metadata: object, expected: JsonObject) -> None:
    assert parse_charge({**CHARGE, "metadata": metadata}).metadata == expected


def test_a_charge_tells_what_was_requested_from_what_was_paid() -> None:
    charge = parse_charge(CHARGE)
    assert (charge.amount_minor, charge.requested_minor, charge.fee_minor) == (40333, 30050, 10283)
    assert (charge.mode, charge.created_at) == (Mode.TEST, AT)


@pytest.mark.parametrize("fees", [None, "", "n/a"])
def test_a_charge_whose_fee_is_not_known_yet_says_so(fees: object) -> None:
    assert parse_charge({**CHARGE, "fees": fees}).fee_minor is None


@pytest.mark.parametrize(
    "spelling", ["abandoned", "failed", "ongoing", "pending", "processing", "queued", "reversed", "success"]
)
def test_every_documented_status_of_a_charge_is_known(spelling: str) -> None:
    assert parse_charge({**CHARGE, "status": spelling}).status is ChargeStatus(spelling) is not ChargeStatus.UNKNOWN


@pytest.mark.parametrize("status", ["SUCCESS", "successful", "", None, 1, {}])
def test_a_status_never_met_concludes_nothing(status: object) -> None:
    assert parse_charge({**CHARGE, "status": status}).status is ChargeStatus.UNKNOWN
    assert parse_transfer({**TRANSFER, "status": status}).status is TransferStatus.UNKNOWN


@pytest.mark.parametrize(
    ("recipient", "code"),
    [(28, None), ({"recipient_code": "RCP_a"}, "RCP_a"), ("RCP_b", "RCP_b"), ({}, None), (None, None)],
)
def test_a_recipient_comes_as_a_number_or_as_an_object(recipient: object, code: str | None) -> None:
    assert parse_transfer({**TRANSFER, "recipient": recipient}).recipient_code == code


@pytest.mark.parametrize("name", ["createdAt", "created_at"])
def test_dates_come_in_two_spellings(name: str) -> None:
    bare = {key: value for key, value in TRANSFER.items() if key != "createdAt"}
    assert parse_transfer({**bare, name: "2024-08-22T09:14:24.000Z"}).created_at == AT


@pytest.mark.parametrize("value", ["2024-08-22T10:14:24+01:00", "2024-08-22 09:14:24", "2024-08-22T09:14:24Z"])
def test_a_time_is_utc_whatever_its_zone(value: str) -> None:
    assert moment({"at": value}, "at") == AT


@pytest.mark.parametrize("value", ["yesterday", "", 0, None, "0001-01-01T00:00:00+23:00"])
def test_a_time_that_cannot_be_read_is_absent(value: object) -> None:
    assert moment({"at": value}, "at") is None


@pytest.mark.parametrize("amount", [10000, "10000"])
@pytest.mark.parametrize("number", [1, "1"])
def test_a_refund_has_its_amount_and_id_as_number_or_text(amount: object, number: object) -> None:
    refund = parse_refund({**REFUND, "amount": amount, "id": number})
    assert (refund.processor_id, refund.amount_minor) == (1, 10000)


@pytest.mark.parametrize(("value", "expected"), [(True, True), (1, True), (0, False), (False, False), (None, None)])
def test_fully_deducted_is_a_bool_or_an_int(value: object, expected: bool | None) -> None:
    assert boolean({"fully_deducted": value}, "fully_deducted") is expected


@pytest.mark.parametrize(
    "shape",
    [
        {"transaction": 1004723697, "transaction_reference": "ch-1"},
        {"transaction": {"id": "1004723697", "reference": "ch-1"}},
    ],
)
def test_a_refund_names_its_charge_by_number_object_or_reference(shape: JsonObject) -> None:
    refund = parse_refund({**REFUND, **shape})
    assert (refund.charge_id, refund.charge_reference) == (1004723697, "ch-1")


def test_a_refund_that_needs_attention_is_known_by_its_hyphen() -> None:
    assert parse_refund({**REFUND, "status": "needs-attention"}).status is RefundStatus.NEEDS_ATTENTION


@pytest.mark.parametrize("lost", ["id", "amount", "currency", "reference"])
def test_an_answer_without_what_money_needs_is_no_answer(lost: str) -> None:
    with pytest.raises(GatewayUncertain):
        parse_charge({key: value for key, value in CHARGE.items() if key != lost})


def test_a_recipient_is_active_unless_told_otherwise() -> None:
    data: JsonObject = {"recipient_code": "RCP_a", "type": "nuban", "currency": "NGN", "details": None}
    assert parse_recipient(data).is_active
    assert not parse_recipient({**data, "active": 0}).is_active
    assert parse_recipient({**data, "isDeleted": True}).is_deleted


def test_balances_are_read_line_by_line_or_not_at_all() -> None:
    assert parse_balances({"data": [{"currency": "kes", "balance": "1700"}]})[0].currency == "KES"
    with pytest.raises(GatewayUncertain):
        parse_balances({"data": [{"currency": "KES", "balance": 1}, "?"]})


@pytest.mark.parametrize("raw", [b'{"a": NaN}', b"{", b"\xff", b"", b"[" * 100_000, b"9" * 5000])
def test_what_is_not_json_is_an_error_and_never_a_crash(raw: bytes) -> None:
    with pytest.raises(NotJson):
        decode(raw)
