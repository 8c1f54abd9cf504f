"""Chargebacks at the stand-in, over real HTTP: opened, reminded of, accepted, declined, won and lost."""

import json
from collections.abc import Iterator

import httpx
import pytest

from gateways.paystack.sim.server import StandIn
from gateways.paystack.webhook import parse_envelope
from tests.gateways.conftest import SECRET, Merchant, Panel
from tests.waiting import wait_until

PRICE = 100_000
NET = 98_500
HOUR = 3600
EVIDENCE = {
    "customer_email": "b@x.y",
    "customer_name": "Buyer",
    "customer_phone": "0712",
    "service_details": "An account, handed over",
}
Row = dict[str, object]


class DisputedCharge:
    """A merchant with one charge of 1,000 KES, and the buyer's bank."""

    def __init__(self, base_url: str, panel: Panel) -> None:
        key = {"Authorization": f"Bearer {SECRET.reveal()}"}
        self.http = httpx.Client(base_url=base_url, headers=key, trust_env=False)
        self.panel = panel
        wanted = {"email": "b@x.y", "amount": PRICE, "currency": "KES", "reference": "ch-1"}
        opened = self.http.post("/transaction/initialize", json=wanted).json()["data"]
        self.http.post(opened["authorization_url"], json={"outcome": "success"})

    def open(self, **details: object) -> Row:
        answer = self.panel.http.post("/_sim/disputes", json={"reference": "ch-1", **details})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def fetch(self, dispute: Row) -> Row:
        return self.http.get(f"/dispute/{dispute['id']}").json()["data"]

    def upload(self, dispute: Row, content: bytes = b"%PDF-1.7", media_type: str = "application/pdf") -> str:
        target = self.http.get(f"/dispute/{dispute['id']}/upload_url?upload_filename=proof.pdf").json()["data"]
        answer = httpx.put(target["signedUrl"], content=content, headers={"Content-Type": media_type}, trust_env=False)
        assert answer.status_code == 200
        return target["fileName"]

    def answer(self, dispute: Row, resolution: str, **details: object) -> httpx.Response:
        body = {"resolution": resolution, "message": "Our word", "refund_amount": PRICE, "uploaded_filename": "none"}
        return self.http.put(f"/dispute/{dispute['id']}/resolve", json={**body, **details})

    def charge(self) -> Row:
        return self.http.get("/transaction/verify/ch-1").json()["data"]

    def refunds(self) -> list[Row]:
        return self.http.get("/refund").json()["data"]


@pytest.fixture
def disputed(stand_in: StandIn, panel: Panel) -> Iterator[DisputedCharge]:
    disputed = DisputedCharge(stand_in.base_url, panel)
    yield disputed
    disputed.http.close()


def told(merchant: Merchant, event: str) -> list[Row]:
    return [json.loads(raw)["data"] for raw, _ in merchant.received if parse_envelope(raw).event == event]


def test_silence_accepts_a_chargeback_when_it_is_due(disputed: DisputedCharge, merchant: Merchant) -> None:
    dispute = disputed.open()
    shown = disputed.fetch(dispute)
    assert (shown["status"], shown["resolution"], shown["refund_amount"]) == ("awaiting-merchant-feedback", None, PRICE)
    assert disputed.charge()["status"] == "success"
    disputed.panel.advance(17 * HOUR)
    wait_until(lambda: disputed.fetch(dispute)["resolution"] == "auto-accepted")
    assert disputed.charge()["status"] == "reversed"
    assert disputed.panel.held("balance") == NET - PRICE
    (refund,) = disputed.refunds()
    assert (refund["dispute"], refund["amount"], refund["status"]) == (dispute["id"], PRICE, "processed")
    line = disputed.http.get("/balance/ledger").json()["data"][0]
    assert (line["difference"], line["model_responsible"], line["model_row"]) == (-PRICE, "Refund", refund["id"])
    wait_until(lambda: len(told(merchant, "charge.dispute.resolve")) == 1)


def test_the_merchant_is_told_and_reminded_until_he_answers(disputed: DisputedCharge, merchant: Merchant) -> None:
    dispute = disputed.open(category="fraud", due_seconds=10 * HOUR)
    for count in (1, 2):
        disputed.panel.advance(4 * HOUR)
        wait_until(lambda count=count: len(told(merchant, "charge.dispute.remind")) == count)
    assert {row["id"] for row in told(merchant, "charge.dispute.remind")} == {dispute["id"]}
    (created,) = told(merchant, "charge.dispute.create")
    transaction = created["transaction"]
    assert isinstance(transaction, dict)
    assert (created["category"], transaction["reference"]) == ("fraud", "ch-1")
    disputed.answer(dispute, "merchant-accepted")
    disputed.panel.advance(4 * HOUR)
    wait_until(lambda: len(told(merchant, "charge.dispute.resolve")) == 1)
    assert len(told(merchant, "charge.dispute.remind")) == 2


def test_the_merchant_may_accept_a_part(disputed: DisputedCharge) -> None:
    dispute = disputed.open()
    done = disputed.answer(dispute, "merchant-accepted", refund_amount=40_000).json()
    assert (done["message"], done["data"]["status"]) == ("Dispute successfully resolved", "resolved")
    assert (disputed.refunds()[0]["amount"], disputed.charge()["status"]) == (40_000, "success")
    assert disputed.answer(dispute, "merchant-accepted").status_code == 400


@pytest.mark.parametrize(("outcome", "word", "left"), [("won", "declined", NET), ("lost", "merchant-accepted", -1_500)])
def test_the_bank_decides_about_what_was_declined(disputed: DisputedCharge, outcome: str, word: str, left: int) -> None:
    dispute = disputed.open()
    answer = disputed.answer(dispute, "declined", uploaded_filename=disputed.upload(dispute))
    assert answer.json()["data"]["status"] == "awaiting-bank-feedback"
    disputed.panel.advance(20 * HOUR)
    assert disputed.fetch(dispute)["status"] == "awaiting-bank-feedback"
    assert disputed.panel.http.post(f"/_sim/disputes/{dispute['id']}", json={"outcome": outcome}).status_code == 200
    shown = disputed.fetch(dispute)
    assert (shown["status"], shown["resolution"], disputed.panel.held("balance")) == ("resolved", word, left)
    assert len(disputed.refunds()) == (outcome == "lost")


@pytest.mark.parametrize(("fate", "refunded"), [("chargeback_won", []), ("chargeback_lost", ["ch-2"])])
def test_a_planned_chargeback_comes_and_is_decided_by_itself(
    disputed: DisputedCharge, fate: str, refunded: list[str]
) -> None:
    disputed.panel.fault("checkout", "chargeback", delay_seconds=60)
    disputed.panel.fault("dispute", fate, delay_seconds=60)
    body = {"email": "b@x.y", "amount": PRICE, "currency": "KES", "reference": "ch-2"}
    opened = disputed.http.post("/transaction/initialize", json=body).json()["data"]
    disputed.http.post(opened["authorization_url"], json={"outcome": "success"})
    assert disputed.http.get("/dispute").json()["data"] == []
    disputed.panel.advance(61)
    wait_until(lambda: len(disputed.http.get("/dispute").json()["data"]) == 1)
    dispute = disputed.http.get("/dispute").json()["data"][0]
    disputed.answer(dispute, "declined", uploaded_filename=disputed.upload(dispute))
    disputed.panel.advance(61)
    wait_until(lambda: disputed.fetch(dispute)["status"] == "resolved")
    assert [refund["transaction_reference"] for refund in disputed.refunds()] == refunded


def test_a_planned_chargeback_of_what_is_disputed_already_does_not_come(disputed: DisputedCharge) -> None:
    disputed.panel.fault("checkout", "chargeback", delay_seconds=60)
    body = {"email": "b@x.y", "amount": PRICE, "currency": "KES", "reference": "ch-2"}
    opened = disputed.http.post("/transaction/initialize", json=body).json()["data"]
    disputed.http.post(opened["authorization_url"], json={"outcome": "success"})
    dispute = disputed.panel.http.post("/_sim/disputes", json={"reference": "ch-2"}).json()
    disputed.panel.advance(61)
    disputed.panel.advance(17 * HOUR)
    wait_until(lambda: disputed.fetch(dispute)["status"] == "resolved")
    assert len(disputed.http.get("/dispute").json()["data"]) == 1


def test_evidence_and_files_are_kept(disputed: DisputedCharge) -> None:
    dispute = disputed.open(category="fraud")
    path = f"/dispute/{dispute['id']}/evidence"
    first = disputed.http.post(path, json=EVIDENCE).json()
    assert (first["message"], first["data"]["dispute"]) == ("Evidence created", dispute["id"])
    again = disputed.http.post(path, json={**EVIDENCE, "delivery_date": "2026-01-02"}).json()["data"]
    assert again["id"] == first["data"]["id"]
    assert disputed.http.post(path, json={"customer_email": "b@x.y"}).status_code == 400
    name = disputed.upload(dispute, b"\xff\xd8\xff", "image/jpeg")
    assert disputed.answer(dispute, "declined", uploaded_filename=name).status_code == 400, (
        "a fraud claim needs evidence"
    )
    done = disputed.answer(dispute, "declined", uploaded_filename=name, evidence=again["id"])
    assert done.json()["data"]["attachments"] == name
    (upload,) = disputed.panel.http.get("/_sim/objects").json()["uploads"]
    assert (upload["size_bytes"], upload["media_type"]) == (3, "image/jpeg")


@pytest.mark.parametrize(
    ("media_type", "content", "later", "status"),
    [
        ("application/pdf", b"", 0, 400),
        ("text/html", b"<p>", 0, 400),
        ("application/pdf", b"x", 1801, 403),
        ("application/pdf", b"x" * (1024 * 1024 + 1), 0, 413),
    ],
)
def test_a_file_must_be_one_and_come_in_time(
    disputed: DisputedCharge, media_type: str, content: bytes, later: int, status: int
) -> None:
    dispute = disputed.open(due_seconds=10 * HOUR)
    target = disputed.http.get(f"/dispute/{dispute['id']}/upload_url?upload_filename=a.JPG").json()["data"]
    disputed.panel.advance(later)
    answer = disputed.http.put(target["signedUrl"], content=content, headers={"Content-Type": media_type})
    assert answer.status_code == status
    assert disputed.answer(dispute, "declined", uploaded_filename=target["fileName"]).status_code == 400
    assert disputed.http.get(f"/dispute/{dispute['id']}/upload_url?upload_filename=a.exe").status_code == 400


def test_disputes_are_listed_filtered_and_found_by_charge(disputed: DisputedCharge) -> None:
    dispute, number = disputed.open(amount_minor=30_000), disputed.charge()["id"]
    assert disputed.http.get("/dispute", params={"status": "resolved"}).json()["data"] == []
    assert len(disputed.http.get("/dispute", params={"transaction": str(number)}).json()["data"]) == 1
    assert disputed.http.get(f"/dispute/transaction/{number}").json()["data"]["id"] == dispute["id"]
    disputed.answer(dispute, "merchant-accepted", refund_amount=30_000)
    disputed.open()
    assert len(disputed.http.get(f"/dispute/transaction/{number}").json()["data"]) == 2
    assert disputed.http.get("/dispute/transaction/1").json()["data"] == []
    assert disputed.http.get("/dispute/1").status_code == 404


def test_an_update_answers_with_an_array(disputed: DisputedCharge) -> None:
    dispute = disputed.open()
    updated = disputed.http.put(f"/dispute/{dispute['id']}", json={"refund_amount": 1_002}).json()
    assert (updated["message"], updated["data"][0]["refund_amount"]) == ("Dispute updated successfully", 1_002)
    assert disputed.http.put(f"/dispute/{dispute['id']}", json={"refund_amount": PRICE}).status_code == 400


@pytest.mark.parametrize(
    "body", [{"reference": "none"}, {"amount_minor": PRICE + 1}, {"category": "spite"}, {"amount_minor": 0}]
)
def test_a_dispute_that_makes_no_sense_is_not_opened(disputed: DisputedCharge, body: dict[str, object]) -> None:
    assert disputed.panel.http.post("/_sim/disputes", json={"reference": "ch-1", **body}).status_code in (400, 404)
    assert disputed.http.get("/dispute").json()["data"] == []


def test_a_charge_is_not_disputed_twice_at_once(disputed: DisputedCharge) -> None:
    disputed.open()
    assert disputed.panel.http.post("/_sim/disputes", json={"reference": "ch-1"}).status_code == 400


def test_what_was_refunded_meanwhile_is_not_taken_again(disputed: DisputedCharge) -> None:
    dispute = disputed.open()
    disputed.http.post("/refund", json={"transaction": "ch-1", "amount": 70_000})
    disputed.panel.advance(17 * HOUR)
    wait_until(lambda: disputed.fetch(dispute)["status"] == "resolved")
    assert sorted(row["amount"] for row in disputed.refunds()) == [30_000, 70_000]  # type: ignore[type-var]


def test_a_refund_that_needs_attention_is_retried_with_an_account(disputed: DisputedCharge) -> None:
    disputed.panel.top_up(PRICE)
    disputed.panel.fault("refund", "needs_attention")
    refund = disputed.http.post("/refund", json={"transaction": "ch-1", "merchant_note": "rf-1"}).json()["data"]
    path = f"/refund/retry_with_customer_details/{refund['id']}"
    details = {"refund_account_details": {"currency": "KES", "account_number": "0712", "bank_id": "9"}}
    wait_until(lambda: disputed.refunds()[0]["status"] == "needs-attention")
    assert disputed.http.post(path, json={}).status_code == 400
    assert disputed.http.post(path, json=details).json()["data"]["status"] == "processing"
    wait_until(lambda: disputed.refunds()[0]["status"] == "processed")
    assert disputed.http.post(path, json=details).status_code == 422
