"""The stand-in keeps Paystack's documented shapes, its own memory and its place on this machine."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.paystack.sim.control import CONTROLS
from gateways.paystack.sim.endpoints import ENDPOINTS
from gateways.paystack.sim.faults import KINDS
from gateways.paystack.sim.fees import Fee, FeeTable
from gateways.paystack.sim.server import StandIn, build_sim
from gateways.paystack.sim.state import Behaviour
from gateways.paystack.sim.store import StateFileInUse, Store
from tests.gateways.conftest import SECRET, Merchant, Panel

KEY = {"Authorization": f"Bearer {SECRET.reveal()}"}
TYPES = {"validation_error", "processor_error", "api_error"}
CHARGE = {"email": "buyer@example.com", "amount": 100_000, "currency": "KES", "reference": "ch-1"}
PAYEE = {"type": "mobile_money", "name": "S", "account_number": "0712", "bank_code": "MPESA", "currency": "KES"}
PAYOUT = {"source": "balance", "amount": 5, "currency": "KES", "recipient": "RCP_x", "reference": "po-0000000000000001"}


@pytest.fixture
def http(stand_in: StandIn) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stand_in.base_url, headers=KEY, trust_env=False) as http:
        yield http


@pytest.fixture(scope="module")
def strict() -> Iterator[httpx.Client]:
    """One stand-in for all tests that are only refused."""
    with (
        StandIn(build_sim(secret=SECRET)) as stand_in,
        httpx.Client(base_url=stand_in.base_url, headers=KEY, trust_env=False) as http,
    ):
        yield http


def assert_error(answer: httpx.Response, status: int, code: str | None = None) -> None:
    """The documented envelope: {status: false, message, meta: {nextStep}, type, code}."""
    body = answer.json()
    assert answer.status_code == status
    assert body["status"] is False
    assert isinstance(body["message"], str)
    assert isinstance(body["meta"]["nextStep"], str)
    assert body["type"] in TYPES
    assert body["code"] not in TYPES
    assert code in (None, body["code"])


@pytest.mark.parametrize("header", [None, "Bearer sk_test_wrong", SECRET.reveal(), "Bearer"])
def test_every_endpoint_refuses_a_wrong_key(strict: httpx.Client, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    with httpx.Client(base_url=strict.base_url, headers=headers, trust_env=False) as stranger:
        for method, path in ENDPOINTS:
            answer = stranger.request(method, path)
            assert_error(answer, 401)
            said = "No Authorization Header was found" if header is None else "Invalid key"
            assert answer.json()["message"] == said


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/transaction/initialize", {**CHARGE, "email": "nobody"}, 400, "invalid_email_address"),
        ("/transaction/initialize", {**CHARGE, "amount": 0}, 400, "invalid_amount"),
        ("/transaction/initialize", {**CHARGE, "amount": 1.5}, 400, "invalid_amount"),
        ("/transaction/initialize", {**CHARGE, "amount": None}, 400, "invalid_amount"),
        ("/transaction/initialize", {**CHARGE, "currency": "EUR"}, 400, "unsupported_currency"),
        ("/transaction/initialize", {**CHARGE, "reference": "a b"}, 400, "invalid_reference"),
        ("/transaction/initialize", {**CHARGE, "channels": ["pigeon"]}, 400, "invalid_params"),
        ("/transferrecipient", {**PAYEE, "type": "paypal"}, 400, "invalid_params"),
        ("/transferrecipient", {**PAYEE, "currency": "USD"}, 400, "unsupported_currency"),
        ("/transferrecipient", {**PAYEE, "name": ""}, 400, "missing_params"),
        ("/transfer", PAYOUT, 400, "invalid_transfer_recipient"),
        ("/transfer", {**PAYOUT, "source": "bank"}, 400, "invalid_params"),
        ("/transfer/finalize_transfer", {"transfer_code": "TRF_x", "otp": "123456"}, 404, "transfer_not_found"),
        ("/refund", {"transaction": "ch-none"}, 404, "transaction_not_found"),
        ("/refund", {}, 404, "transaction_not_found"),
    ],
)
def test_a_refusal_has_the_documented_envelope(
    strict: httpx.Client, path: str, body: object, status: int, code: str
) -> None:
    assert_error(strict.post(path, json=body), status, code)


@pytest.mark.parametrize(
    "path",
    [
        "/transaction/verify/none",
        "/transfer/verify/none",
        "/transfer/TRF_none",
        "/refund/1",
        "/transferrecipient/x",
        "/x",
    ],
)
def test_what_is_not_there_is_404_in_the_documented_envelope(strict: httpx.Client, path: str) -> None:
    assert_error(strict.get(path), 404)


@pytest.mark.parametrize("raw", [b"{", b"[1]", b"\xff", b'{"amount": NaN}', b"[" * 100_000])
def test_a_body_that_is_not_json_is_refused(strict: httpx.Client, raw: bytes) -> None:
    assert_error(strict.post("/transaction/initialize", content=raw), 400)


def test_a_body_of_megabytes_is_refused(strict: httpx.Client) -> None:
    assert_error(strict.post("/transaction/initialize", content=b" " * (1024 * 1024 + 1)), 413)


def test_a_charge_not_paid_cannot_be_refunded(http: httpx.Client) -> None:
    http.post("/transaction/initialize", json=CHARGE)
    assert_error(http.post("/refund", json={"transaction": "ch-1"}), 400, "transaction_not_successful")


def test_a_transfer_without_currency_is_in_naira_as_at_paystack(http: httpx.Client, panel: Panel) -> None:
    panel.top_up(1_000_000)
    code = http.post("/transferrecipient", json=PAYEE).json()["data"]["recipient_code"]
    wanted = {name: value for name, value in {**PAYOUT, "recipient": code}.items() if name != "currency"}
    assert_error(http.post("/transfer", json=wanted), 400, "invalid_transfer_recipient")


def test_a_transfer_is_found_by_code_and_in_lists(http: httpx.Client, panel: Panel) -> None:
    panel.top_up(1_000_000)
    code = http.post("/transferrecipient", json=PAYEE).json()["data"]["recipient_code"]
    sent = http.post("/transfer", json={**PAYOUT, "recipient": code}).json()
    assert (sent["message"], type(sent["data"]["recipient"])) == ("Transfer has been queued", int)
    assert http.get(f"/transfer/{sent['data']['transfer_code']}").json()["data"]["recipient"]["recipient_code"] == code
    assert [row["reference"] for row in http.get("/transfer?status=success").json()["data"]] == [PAYOUT["reference"]]
    assert http.get("/transfer?status=failed").json()["data"] == []


def test_a_transfer_that_waits_for_a_code_is_finalized_with_one(http: httpx.Client, panel: Panel) -> None:
    panel.top_up(1_000_000)
    panel.fault("transfer", "otp")
    code = http.post("/transferrecipient", json=PAYEE).json()["data"]["recipient_code"]
    sent = http.post("/transfer", json={**PAYOUT, "recipient": code}).json()
    assert (sent["message"], sent["data"]["status"]) == ("Transfer requires OTP to continue", "otp")
    wanted = {"transfer_code": sent["data"]["transfer_code"], "otp": "12"}
    assert_error(http.post("/transfer/finalize_transfer", json=wanted), 400, "invalid_otp")
    done = http.post("/transfer/finalize_transfer", json={**wanted, "otp": "123456"}).json()
    assert done["data"]["status"] == "success"


def test_banks_and_account_names_are_looked_up(http: httpx.Client) -> None:
    kenyan = http.get("/bank", params={"country": "kenya"}).json()["data"]
    assert {bank["currency"] for bank in kenyan} == {"KES"}
    found = http.get("/bank/resolve", params={"account_number": "0123456789", "bank_code": "058"})
    assert found.json()["data"]["account_number"] == "0123456789"
    for query in ({"account_number": "0000000000", "bank_code": "058"}, {"account_number": "1", "bank_code": "MPESA"}):
        assert_error(http.get("/bank/resolve", params=query), 422)


def test_the_ledger_of_the_balance_adds_up(http: httpx.Client, panel: Panel) -> None:
    panel.top_up(1_000_000)
    code = http.post("/transferrecipient", json=PAYEE).json()["data"]["recipient_code"]
    http.post("/transfer", json={**PAYOUT, "recipient": code})
    lines = http.get("/balance/ledger").json()["data"]
    assert sum(line["difference"] for line in lines) == lines[0]["balance"] == panel.held("balance")
    assert {line["model_responsible"] for line in lines} == {"Transaction", "Transfer"}


def test_the_checkout_page_escapes_what_came_from_outside(http: httpx.Client) -> None:
    link = http.post("/transaction/initialize", json={**CHARGE, "email": "<script>@x.y"}).json()["data"]
    page = http.get(link["authorization_url"])
    assert "<script>" not in page.text
    assert "&lt;script&gt;@x.y" in page.text
    assert "KES 1,000.00" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_buttons_of_the_checkout_send_the_payer_back(http: httpx.Client) -> None:
    body = {**CHARGE, "callback_url": "http://127.0.0.1:1/done?x=1"}
    link = http.post("/transaction/initialize", json=body).json()["data"]["authorization_url"]
    answer = http.post(link, data={"outcome": "success"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "http://127.0.0.1:1/done?x=1&trxref=ch-1&reference=ch-1"
    assert "This checkout is over" in http.get(link).text


@pytest.mark.parametrize("callback", ["javascript:alert(1)", "data:text/html,x", "//evil"])
def test_the_checkout_sends_nobody_to_what_is_no_web_address(http: httpx.Client, callback: str) -> None:
    body = {**CHARGE, "callback_url": callback}
    link = http.post("/transaction/initialize", json=body).json()["data"]["authorization_url"]
    assert http.post(link, data={"outcome": "success"}).status_code == 200


@pytest.mark.parametrize("outcome", [{"outcome": "stolen"}, {}, {"outcome": None}, []])
def test_a_button_that_does_not_exist_does_nothing(http: httpx.Client, panel: Panel, outcome: object) -> None:
    link = http.post("/transaction/initialize", json=CHARGE).json()["data"]["authorization_url"]
    assert_error(http.post(link, json=outcome), 400)
    assert panel.journal() == []


def test_a_misspelt_fault_is_refused(panel: Panel) -> None:
    for body in ({"kind": "500"}, {"kind": "fail", "tims": 2}, {"endpoint": "transfer"}, {"kind": "fail", "times": 0}):
        assert_error(panel.http.post("/_sim/faults", json=body), 400)


def test_a_foreign_web_page_cannot_work_the_controls(panel: Panel) -> None:
    body = json.dumps({"currency": "KES", "amount_minor": 5})
    assert panel.http.post("/_sim/balance", content=body, headers={"Content-Type": "text/plain"}).status_code == 415
    assert panel.http.post("/_sim/balance", data={"currency": "KES"}).status_code == 415
    assert panel.held("balance") == 0


def test_faults_happen_as_often_as_told_to_whom_they_are_meant_for(http: httpx.Client, panel: Panel) -> None:
    panel.fault("verify", "500_before", times=2, match={"reference": "ch-1"})
    http.post("/transaction/initialize", json=CHARGE)
    http.post("/transaction/initialize", json={**CHARGE, "reference": "ch-2"})
    statuses = [http.get(f"/transaction/verify/{name}").status_code for name in ("ch-2", "ch-1", "ch-1", "ch-1")]
    assert statuses == [200, 500, 500, 200]
    panel.fault("*", "500_before")
    panel.http.delete("/_sim/faults")
    assert http.get("/balance").status_code == 200


def test_a_stand_in_started_again_carries_on(tmp_path: Path) -> None:
    state_file = tmp_path / "paystack.jsonl"
    with StandIn(build_sim(secret=SECRET, state_file=state_file)) as first:
        link = _open_and_pay(first.base_url)
        panel = Panel(first.base_url)
        panel.advance(3600)
        journal, now = panel.journal(), panel.http.get("/_sim/clock").json()["now"]
        panel.top_up(5)
    with StandIn(build_sim(secret=SECRET, state_file=state_file)) as second:
        again = Panel(second.base_url)
        assert again.journal()[:-1] == journal
        assert again.http.get("/_sim/clock").json()["now"] >= now
        assert again.http.get(link.replace(first.base_url, second.base_url)).status_code == 200
        duplicate = again.http.post("/transaction/initialize", json=CHARGE, headers=KEY)
        assert duplicate.json()["code"] == "duplicate_reference"


def _open_and_pay(base_url: str) -> str:
    opened = httpx.post(f"{base_url}/transaction/initialize", json=CHARGE, headers=KEY, trust_env=False).json()
    link = opened["data"]["authorization_url"]
    assert httpx.post(link, json={"outcome": "success"}, trust_env=False).status_code == 200
    return link


def test_webhooks_that_were_waiting_survive_a_restart(tmp_path: Path, merchant: Merchant) -> None:
    state_file = tmp_path / "paystack.jsonl"
    with StandIn(build_sim(secret=SECRET, state_file=state_file)) as first:
        _open_and_pay(first.base_url)
    behaviour = Behaviour(webhook_url=merchant.url)
    with StandIn(build_sim(secret=SECRET, state_file=state_file, behaviour=behaviour)) as second:
        Panel(second.base_url).advance(3601)
        merchant.wait_for(1)


def test_a_line_torn_by_a_kill_is_a_commit_that_never_was(tmp_path: Path) -> None:
    state_file = tmp_path / "paystack.jsonl"
    store = Store(state_file)
    sim = build_sim(secret=SECRET)
    sim.store = store
    for amount_minor in (5, 7):
        sim.move("top_up", "balance", "KES", amount_minor, "", 0)
        store.commit()
    store.close()
    whole = state_file.read_bytes()
    for cut in range(len(whole) - 1, len(whole) - 40, -1):
        state_file.write_bytes(whole[:cut])
        again = Store(state_file)
        assert [line.balance_minor for line in again.journal.all()] == [5]
        again.close()


def test_two_stand_ins_do_not_share_a_state_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "paystack.jsonl")
    with pytest.raises(StateFileInUse):
        Store(tmp_path / "paystack.jsonl")
    store.close()
    Store(tmp_path / "paystack.jsonl").close()


def test_the_same_seed_hands_out_the_same_codes() -> None:
    codes = [build_sim(secret=SECRET, seed=7).code("TRF_") for _ in range(2)]
    assert codes[0] == codes[1] != build_sim(secret=SECRET, seed=8).code("TRF_")


@pytest.mark.parametrize(
    ("currency", "channel", "fee_minor"),
    [
        ("KES", "mobile_money", 1_500),
        ("KES", "card", 2_900),
        ("NGN", "card", 11_500),
        ("GHS", "card", 1_950),
        ("ZAR", "card", 3_000),
        ("XOF", "card", 0),
    ],
)
def test_the_charge_fee_is_the_published_one(currency: str, channel: str, fee_minor: int) -> None:
    assert FeeTable().charge_minor(currency, channel, 100_000) == fee_minor


@given(amount=st.integers(1, 10**12), points=st.integers(0, 10_000), flat=st.integers(0, 10**6))
def test_a_fee_is_never_negative_nor_above_the_amount(amount: int, points: int, flat: int) -> None:
    assert 0 <= Fee(points, flat).of(amount) <= amount


def test_every_fault_and_every_control_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "stand-in.md").read_text(encoding="utf-8")
    assert [kind for kind in sorted(KINDS) if f"`{kind}`" not in page] == []
    assert [f"{method} {path}" for method, path in CONTROLS if f"`{method} {path}`" not in page] == []
