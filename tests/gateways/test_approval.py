"""Transfers that the merchant must approve, and transfers in bulk, at the stand-in."""

import json
from collections.abc import Iterator

import httpx
import pytest

from gateways.paystack.sim.server import StandIn, build_sim
from gateways.paystack.webhook import verify_signature
from tests.gateways.conftest import SECRET, Merchant, Panel
from tests.waiting import wait_until

PAYEE = {"type": "mobile_money", "name": "S", "account_number": "0712", "bank_code": "MPESA", "currency": "KES"}
TOP_UP = 1_000_000
Row = dict[str, object]


class Payer:
    """A merchant with a balance and one recipient."""

    def __init__(self, base_url: str) -> None:
        key = {"Authorization": f"Bearer {SECRET.reveal()}"}
        self.http = httpx.Client(base_url=base_url, headers=key, trust_env=False)
        self.panel = Panel(base_url)
        self.panel.top_up(TOP_UP)
        self.recipient: str = self.http.post("/transferrecipient", json=PAYEE).json()["data"]["recipient_code"]

    def line(self, number: int, amount: int = 5_000) -> Row:
        return {"amount": amount, "recipient": self.recipient, "reference": f"po-{number:016d}", "reason": "Payout"}

    def pay(self, number: int = 1) -> Row:
        body = {"source": "balance", "currency": "KES", **self.line(number)}
        return self.http.post("/transfer", json=body).json()["data"]

    def bulk(self, *lines: Row) -> httpx.Response:
        body = {"source": "balance", "currency": "KES", "transfers": list(lines)}
        return self.http.post("/transfer/bulk", json=body)

    def status(self, number: int = 1) -> str:
        return self.http.get(f"/transfer/verify/po-{number:016d}").json()["data"]["status"]

    def ask(self, url: str | None) -> None:
        assert self.panel.http.post("/_sim/settings", json={"approval_url": url}).status_code == 200


@pytest.fixture
def payer() -> Iterator[Payer]:
    with StandIn(build_sim(secret=SECRET, seed=1)) as stand_in:
        yield Payer(stand_in.base_url)


@pytest.mark.parametrize(
    ("answer", "status", "left"),
    [
        (200, "success", TOP_UP - 5_000 - 2_000),
        (400, "rejected", TOP_UP),
        (500, "blocked", TOP_UP),
        (204, "blocked", TOP_UP),
    ],
)
def test_the_answer_of_the_merchant_decides(
    payer: Payer, merchant: Merchant, answer: int, status: str, left: int
) -> None:
    payer.ask(merchant.url)
    merchant.statuses = [answer]
    assert payer.pay()["status"] == "received"
    wait_until(lambda: payer.status() == status)
    assert payer.panel.held("balance") == left


def test_silence_blocks_a_transfer(payer: Payer) -> None:
    payer.ask("http://127.0.0.1:9/nobody")
    payer.pay()
    wait_until(lambda: payer.status() == "blocked")
    (asked,) = payer.panel.webhooks()
    assert (asked["state"], asked["attempts"][0]["status"]) == ("blocked", 0)  # type: ignore[index]


def test_the_question_is_signed_and_says_what_was_posted(payer: Payer, merchant: Merchant) -> None:
    payer.ask(merchant.url)
    payer.pay()
    raw, header = merchant.wait_for(1)[0]
    assert verify_signature(SECRET, raw, header)
    body = json.loads(raw)
    assert body["event"] == "transferrequest.approval-required"
    posted, (transfer,) = body["data"]["details"]["body"], body["data"]["transfers"]
    assert (posted["amount"], posted["recipient"], posted["currency"]) == (5_000, payer.recipient, "KES")
    assert (transfer["reference"], transfer["status"]) == (posted["reference"], "received")
    assert transfer["recipient"]["recipient_code"] == payer.recipient


def test_an_approved_transfer_may_still_fail(payer: Payer, merchant: Merchant) -> None:
    payer.ask(merchant.url)
    payer.panel.fault("transfer", "fail")
    payer.pay()
    wait_until(lambda: payer.status() == "failed")
    assert payer.panel.held("balance") == TOP_UP


def test_a_batch_is_queued_and_paid(payer: Payer) -> None:
    answer = payer.bulk(payer.line(1), payer.line(2)).json()
    assert answer["message"] == "2 transfers queued."
    assert [row["status"] for row in answer["data"]] == ["received", "received"]
    assert {row["recipient"] for row in answer["data"]} == {payer.recipient}
    wait_until(lambda: payer.status(1) == payer.status(2) == "success")
    assert payer.panel.held("balance") == TOP_UP - 2 * 7_000


def test_a_batch_is_asked_about_one_by_one(payer: Payer, merchant: Merchant) -> None:
    payer.ask(merchant.url)
    merchant.statuses = [400]
    payer.bulk(payer.line(1), payer.line(2))
    wait_until(lambda: {payer.status(1), payer.status(2)} == {"rejected", "success"})


def test_one_duplicate_refuses_the_whole_batch(payer: Payer) -> None:
    payer.pay(1)
    for lines in ((payer.line(1), payer.line(2)), (payer.line(3), payer.line(3))):
        answer = payer.bulk(*lines)
        assert (answer.status_code, answer.json()["code"], answer.json()["type"]) == (400, "unknown", "api_error")
        assert answer.json()["message"].startswith("Duplicate reference(s) found: po-")
    assert payer.panel.moved("transfer") == [-5_000]


def test_what_the_balance_does_not_cover_refuses_the_whole_batch(payer: Payer) -> None:
    answer = payer.bulk(payer.line(1, 600_000), payer.line(2, 600_000))
    assert answer.json()["code"] == "insufficient_balance"
    assert payer.panel.held("balance") == TOP_UP


@pytest.mark.parametrize("lines", [[], ["x"], [{}], [{"amount": 1}]])
def test_a_batch_that_is_none_is_refused(payer: Payer, lines: list[object]) -> None:
    body = {"source": "balance", "currency": "KES", "transfers": lines}
    assert payer.http.post("/transfer/bulk", json=body).status_code == 400


def test_a_one_time_password_is_sent_again(payer: Payer) -> None:
    payer.panel.fault("transfer", "otp")
    code = payer.pay()["transfer_code"]
    answer = payer.http.post("/transfer/resend_otp", json={"transfer_code": code, "reason": "resend_otp"})
    assert answer.json() == {"status": True, "message": "OTP has been resent"}
    assert payer.http.post("/transfer/resend_otp", json={"transfer_code": code, "reason": "x"}).status_code == 400
    payer.http.post("/transfer/finalize_transfer", json={"transfer_code": code, "otp": "123456"})
    assert (
        payer.http.post("/transfer/resend_otp", json={"transfer_code": code, "reason": "transfer"}).status_code == 400
    )


def test_the_merchant_decides_whether_transfers_need_a_password(payer: Payer) -> None:
    payer.http.post("/transfer/enable_otp")
    assert payer.pay(1)["status"] == "otp"
    assert payer.bulk(payer.line(2)).status_code == 400
    assert payer.http.post("/transfer/disable_otp").status_code == 200
    assert payer.pay(3)["status"] == "otp", "asking alone changes nothing"
    assert payer.http.post("/transfer/disable_otp_finalize", json={"otp": "12"}).status_code == 400
    payer.http.post("/transfer/disable_otp_finalize", json={"otp": "123456"})
    assert payer.pay(4)["status"] == "success"


def test_a_password_that_is_not_typed_in_time_abandons_the_transfer(payer: Payer) -> None:
    payer.http.post("/transfer/enable_otp")
    payer.pay()
    payer.panel.advance(29 * 60)
    assert payer.status() == "otp"
    payer.panel.advance(2 * 60)
    wait_until(lambda: payer.status() == "abandoned")
    assert payer.panel.held("balance") == TOP_UP


def test_a_deleted_recipient_is_paid_only_after_it_is_created_again(payer: Payer) -> None:
    path = f"/transferrecipient/{payer.recipient}"
    assert payer.http.put(path, json={"name": "Other"}).json() == {"status": True, "message": "Recipient updated"}
    payer.http.delete(path)
    shown = payer.http.get(path).json()["data"]
    assert (shown["name"], shown["active"], shown["is_deleted"]) == ("Other", False, True)
    body = {"source": "balance", "currency": "KES", **payer.line(1)}
    assert payer.http.post("/transfer", json=body).json()["code"] == "invalid_transfer_recipient"
    assert payer.http.post("/transferrecipient", json=PAYEE).json()["data"]["recipient_code"] == payer.recipient
    assert payer.pay(1)["status"] == "success"
