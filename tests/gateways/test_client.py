"""The client against answers that nobody should trust."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime

import pytest

from domain.money import Currency
from gateways.chargeback import Answer, ChargebackResolution, ChargebackStatus, Evidence, Upload
from gateways.errors import GatewayRefused, GatewayUncertain, WrongMode
from gateways.payment import JsonObject, RefundAccount, TransferStatus
from gateways.paystack.chargeback import parse_chargeback
from gateways.paystack.client import Paystack
from tests.gateways.conftest import SECRET, make_http, payee
from tests.gateways.payloads import CHARGE, REFUND, TRANSFER
from tests.gateways.scripted import Reply, Scripted

pytestmark = pytest.mark.anyio

SINCE = datetime(2024, 8, 22, tzinfo=UTC)
SENT: JsonObject = {**TRANSFER, "domain": "test"}
CODE = "TRF_1ptvuv321ahaa7q"
RECIPIENT: JsonObject = {"recipient_code": "RCP_a", "type": "nuban", "currency": "KES", "domain": "test"}
ENTRY: JsonObject = {"id": 1, "balance": 5, "difference": -5, "currency": "KES", "domain": "test"}
SETTLEMENT: JsonObject = {"id": 1, "total_amount": 5, "effective_amount": 5, "currency": "KES", "domain": "test"}
DISPUTE: JsonObject = {
    "id": 7,
    "domain": "test",
    "status": "awaiting-merchant-feedback",
    "refund_amount": "1000",
    "currency": "kes",
    "resolution": None,
    "category": "general",
    "transaction": {"id": 9, "reference": "ch-1", "amount": "3000", "domain": "test", "metadata": {"domain": "live"}},
    "dueAt": "2024-08-23T09:00:00.000Z",
}
EVIDENCE = Evidence(
    customer_email="canary@example.com",
    customer_name="canary",
    customer_phone="canary",
    service_details="canary",
    delivery_date=date(2024, 8, 22),
)
ACCOUNT = RefundAccount(currency=Currency.KES, account_number="canary", bank_id=9)
DECLINED = Answer(
    resolution=ChargebackResolution.DECLINED, message="Delivered", refund_minor=0, uploaded_file_name="f", evidence_id=3
)
Ask = Callable[[Paystack], Awaitable[object]]

ASKED: dict[str, tuple[JsonObject, bool, Ask]] = {
    "charge": (CHARGE, False, lambda it: it.verify_charge("ch-re4lyvq3s3")),
    "charge by id": (CHARGE, False, lambda it: it.fetch_charge(4099260516)),
    "charges": (CHARGE, True, lambda it: it.list_charges(since=SINCE)),
    "settled charges": (CHARGE, True, lambda it: it.list_settled_charges(1)),
    "recipient": (RECIPIENT, False, lambda it: it.create_recipient(payee())),
    "transfer": (SENT, False, lambda it: it.verify_transfer("po-ref-unique-key-1")),
    "transfer and its code": (SENT, False, lambda it: it.finalize_transfer(CODE, "123456")),
    "transfers": (SENT, True, lambda it: it.list_transfers(since=SINCE)),
    "refund": (REFUND, False, lambda it: it.fetch_refund(1)),
    "refund again": (REFUND, False, lambda it: it.retry_refund(1, ACCOUNT)),
    "refunds": (REFUND, True, lambda it: it.list_refunds(since=SINCE)),
    "balance ledger": (ENTRY, True, lambda it: it.list_balance_entries(since=SINCE)),
    "settlements": (SETTLEMENT, True, lambda it: it.list_settlements(since=SINCE)),
    "chargeback": (DISPUTE, False, lambda it: it.fetch_chargeback(7)),
    "chargeback answered": (DISPUTE, False, lambda it: it.answer_chargeback(7, DECLINED)),
    "chargebacks": (DISPUTE, True, lambda it: it.list_chargebacks(since=SINCE)),
    "chargebacks of a charge": (DISPUTE, True, lambda it: it.list_chargebacks_of(9)),
}

COMMANDS: Sequence[Ask] = (
    lambda it: it.finalize_transfer(CODE, "123456"),
    lambda it: it.resend_otp(CODE),
    lambda it: it.retry_refund(1, ACCOUNT),
    lambda it: it.send_evidence(7, EVIDENCE),
    lambda it: it.answer_chargeback(7, DECLINED),
)


async def ask(reply: Reply, question: Ask) -> tuple[object, Scripted]:
    async with Scripted(reply) as server, Paystack(make_http(server.url)) as paystack:
        return await question(paystack), server


def reply(data: JsonObject, *, is_list: bool) -> Reply:
    return Reply([data], meta={"total": "1"}) if is_list else Reply(data)


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("domain", ["test", None, ""])
async def test_an_object_of_the_own_mode_passes(kind: str, domain: object) -> None:
    data, is_list, question = ASKED[kind]
    assert (await ask(reply({**data, "domain": domain}, is_list=is_list), question))[0]


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("domain", ["live", "sandbox"])
async def test_an_object_of_the_other_mode_is_an_error_and_asked_for_once(kind: str, domain: str) -> None:
    data, is_list, question = ASKED[kind]
    async with Scripted(reply({**data, "domain": domain}, is_list=is_list)) as server:
        async with Paystack(make_http(server.url)) as paystack:
            with pytest.raises(WrongMode):
                await question(paystack)
        assert len(server.asked) == 1


@pytest.mark.parametrize("name", ["transaction", "recipient"])
async def test_an_object_about_one_of_the_other_mode_is_an_error(name: str) -> None:
    with pytest.raises(WrongMode):
        await ask(Reply({**REFUND, name: {"domain": "live"}}), lambda it: it.fetch_refund(1))


@pytest.mark.parametrize("kind", [kind for kind, (_, is_list, _) in ASKED.items() if not is_list])
async def test_an_answer_about_something_else_or_nothing_is_uncertain(kind: str) -> None:
    data, _, question = ASKED[kind]
    names = ("id", "reference", "transfer_code", "recipient_code")
    other = {**data, **{name: 99 if name == "id" else None for name in names if name in data}}
    shapes: Sequence[object] = (other, None, 0, "", [])
    for answered in shapes:
        with pytest.raises(GatewayUncertain):
            await ask(Reply(answered), question)


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_that_fails_is_sent_once(command: Ask, status: int) -> None:
    async with Scripted(Reply(status=status)) as server, Paystack(make_http(server.url)) as paystack:
        with pytest.raises(GatewayUncertain):
            await command(paystack)
        assert len(server.asked) == 1


async def test_a_refund_is_sent_to_an_account_with_the_bank_as_text() -> None:
    _, server = await ask(Reply({**REFUND, "status": "processing"}), lambda it: it.retry_refund(1, ACCOUNT))
    assert server.asked[0].path == "/refund/retry_with_customer_details/1"
    assert server.asked[0].json == {
        "refund_account_details": {"currency": "KES", "account_number": "canary", "bank_id": "9"}
    }


async def test_a_transfer_is_released_by_its_code() -> None:
    sent, server = await ask(Reply({**SENT, "status": "success"}), lambda it: it.finalize_transfer(CODE, "123456"))
    assert getattr(sent, "status", None) is TransferStatus.SUCCESS
    assert server.asked[0].json == {"transfer_code": CODE, "otp": "123456"}


async def test_evidence_carries_only_what_is_known() -> None:
    number, server = await ask(Reply({"id": "21", "dispute": 7}), lambda it: it.send_evidence(7, EVIDENCE))
    assert number == 21
    sent = server.asked[0].json
    assert isinstance(sent, dict)
    assert sent["delivery_date"] == "2024-08-22"
    with pytest.raises(GatewayUncertain):
        await ask(Reply({"id": 21, "dispute": 8}), lambda it: it.send_evidence(7, EVIDENCE))


@pytest.mark.parametrize("resolution", [ChargebackResolution.AUTO_ACCEPTED, ChargebackResolution.UNKNOWN])
async def test_a_word_that_is_not_the_merchants_is_never_sent(resolution: ChargebackResolution) -> None:
    wrong = Answer(resolution=resolution, message="m", refund_minor=0, uploaded_file_name="f")
    async with Scripted(Reply(DISPUTE)) as server, Paystack(make_http(server.url)) as paystack:
        with pytest.raises(GatewayRefused):
            await paystack.answer_chargeback(7, wrong)
        assert server.asked == []


@pytest.mark.parametrize(
    ("changes", "refund_minor"),
    [({}, 1000), ({"refund_amount": 0}, 0), ({"refund_amount": None}, 3000), ({"refund_amount": "?"}, 3000)],
)
def test_a_chargeback_without_an_amount_is_about_the_whole_charge(changes: JsonObject, refund_minor: int) -> None:
    assert parse_chargeback({**DISPUTE, **changes}).refund_minor == refund_minor


async def test_chargebacks_of_one_charge_are_never_those_of_another() -> None:
    question: Ask = lambda it: it.list_chargebacks_of(9)  # noqa: E731 - typed by its name
    other: JsonObject = {**DISPUTE, "id": 8, "transaction": 10}
    found, server = await ask(Reply([DISPUTE, other], meta={"total": 2}), question)
    assert found == (parse_chargeback(DISPUTE),)
    assert server.asked[0].query["transaction"] == ["9"]
    with pytest.raises(GatewayUncertain):
        await ask(Reply([{**other, "transaction": None}], meta={"total": 1}), question)


def test_a_chargeback_whose_amount_cannot_be_known_is_uncertain() -> None:
    with pytest.raises(GatewayUncertain):
        parse_chargeback({**DISPUTE, "refund_amount": None, "transaction": 9})


@pytest.mark.parametrize(
    ("said", "resolution"),
    [
        (None, None),
        ("", None),
        ("declined", ChargebackResolution.DECLINED),
        ("auto-accepted", ChargebackResolution.AUTO_ACCEPTED),
        ("won-in-court", ChargebackResolution.UNKNOWN),
    ],
)
def test_how_a_chargeback_ended_is_known_or_said_to_be_unknown(
    said: object, resolution: ChargebackResolution | None
) -> None:
    assert parse_chargeback({**DISPUTE, "resolution": said, "status": "odd"}).resolution is resolution
    assert parse_chargeback({**DISPUTE, "status": "odd"}).status is ChargebackStatus.UNKNOWN


async def test_an_account_that_is_not_found_is_a_refusal_whatever_the_status() -> None:
    for status in (404, 422, 400):
        with pytest.raises(GatewayRefused):
            await ask(Reply(status=status), lambda it: it.resolve_account("0123", "058"))
    holder: JsonObject = {"account_number": "9999", "account_name": "canary", "bank_id": 1}
    with pytest.raises(GatewayUncertain):
        await ask(Reply(holder), lambda it: it.resolve_account("0123", "058"))


async def test_what_is_looked_up_stands_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    holder: JsonObject = {"account_number": "0123777", "account_name": "canary", "bank_id": None}
    found, _ = await ask(Reply(holder), lambda it: it.resolve_account("0123777", "058"))
    assert "/bank/resolve" in caplog.text
    assert "0123777" not in f"{caplog.text} {found!r}"
    assert "canary" not in f"{found!r} {ACCOUNT!r} {EVIDENCE!r}"


async def test_an_upload_carries_the_file_and_never_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with Scripted(Reply(raw=b"")) as store, Paystack(make_http(store.url)) as paystack:
        target = Upload(signed_url=f"{store.url}/files/a?Signature=canary", file_name="a")
        await paystack.upload(target, b"%PDF-", "application/pdf")
    sent = store.asked[0]
    assert (sent.method, sent.path, sent.body) == ("PUT", "/files/a", b"%PDF-")
    assert sent.query == {"Signature": ["canary"]}
    assert "authorization" not in sent.headers
    assert SECRET.reveal() not in str(sent)
    assert "canary" not in f"{caplog.text} {target!r}"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(302, GatewayUncertain), (307, GatewayUncertain), (403, GatewayRefused), (500, GatewayUncertain)],
)
async def test_an_upload_follows_no_redirect_and_is_sent_once(status: int, kind: type[Exception]) -> None:
    async with Scripted(Reply(raw=b"")) as elsewhere:
        away = Reply(status=status, raw=b"", headers=f"Location: {elsewhere.url}/\r\n")
        async with Scripted(away) as store, Paystack(make_http(store.url)) as paystack:
            with pytest.raises(kind) as caught:
                await paystack.upload(Upload(signed_url=f"{store.url}/canary", file_name="a"), b"x", "image/jpeg")
            assert (len(store.asked), elsewhere.asked) == (1, [])
            assert "canary" not in f"{caught.value} {caught.value!r} {caught.value.__context__}"


@pytest.mark.parametrize(
    "address", ["http://storage.example/a", "ftp://x/a", "file:///etc/passwd", "https://u:p@x/a", "https://[x", "", "a"]
)
async def test_an_address_that_is_not_https_gets_no_file(address: str) -> None:
    async with Paystack(make_http("http://127.0.0.1:9")) as paystack:
        with pytest.raises(GatewayRefused):
            await paystack.upload(Upload(signed_url=address, file_name="a"), b"x", "image/jpeg")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_paystack_itself_cannot_send_a_file_to_this_machine(scheme: str) -> None:
    async with Scripted(Reply(raw=b"")) as store, Paystack(make_http("https://api.paystack.co")) as paystack:
        address = store.url.replace("http:", f"{scheme}:")
        with pytest.raises(GatewayRefused):
            await paystack.upload(Upload(signed_url=address, file_name="a"), b"x", "image/jpeg")
        assert store.asked == []


@pytest.mark.parametrize(
    ("content", "media_type"), [(b"", "image/jpeg"), (b"x", "text/html"), (bytes(10 * 2**20 + 1), "image/jpeg")]
)
async def test_what_is_no_small_pdf_or_jpeg_is_not_uploaded(content: bytes, media_type: str) -> None:
    async with Scripted(Reply(raw=b"")) as store, Paystack(make_http(store.url)) as paystack:
        with pytest.raises(GatewayRefused):
            await paystack.upload(Upload(signed_url=store.url, file_name="a"), content, media_type)
        assert store.asked == []
