"""Settlements of the stand-in: what was paid goes, less fees and refunds, to the balance or to the merchant's bank."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateways.paystack.sim.fees import FeeTable
from gateways.paystack.sim.server import StandIn, build_sim
from gateways.paystack.sim.state import Behaviour
from tests.gateways.conftest import SECRET, Panel
from tests.waiting import wait_until

FEE = 1_500
NET = 98_500


class Shop:
    """A merchant at a stand-in that settles only when it is told to."""

    def __init__(self, base_url: str) -> None:
        key = {"Authorization": f"Bearer {SECRET.reveal()}"}
        self.http = httpx.Client(base_url=base_url, headers=key, trust_env=False)
        self.panel = Panel(base_url)

    def sell(self, reference: str, amount: int = 100_000) -> int:
        wanted = {"email": "b@x.y", "amount": amount, "currency": "KES", "reference": reference}
        opened = self.http.post("/transaction/initialize", json=wanted).json()["data"]
        assert self.http.post(opened["authorization_url"], json={"outcome": "success"}).status_code == 200
        return self.http.get(f"/transaction/verify/{reference}").json()["data"]["id"]

    def refund(self, reference: str, amount: int) -> dict[str, object]:
        answer = self.http.post("/refund", json={"transaction": reference, "amount": amount, "merchant_note": "n"})
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def set(self, **settings: object) -> None:
        assert self.panel.http.post("/_sim/settings", json=settings).status_code == 200

    def settle(self) -> list[dict[str, object]]:
        return self.panel.http.post("/_sim/settlements", json={"currency": "KES"}).json()["settlements"]

    def ledger(self) -> list[dict[str, object]]:
        return self.http.get("/balance/ledger").json()["data"]


@pytest.fixture
def shop() -> Iterator[Shop]:
    with StandIn(build_sim(secret=SECRET, behaviour=Behaviour(settle_seconds=None))) as stand_in:
        yield Shop(stand_in.base_url)


def test_a_charge_waits_uncleared_until_it_is_settled(shop: Shop) -> None:
    number = shop.sell("ch-1")
    assert (shop.panel.held("uncleared"), shop.panel.held("balance")) == (NET, 0)
    shop.settle()
    assert (shop.panel.held("uncleared"), shop.panel.held("balance")) == (0, NET)
    line = shop.ledger()[0]
    assert (line["difference"], line["model_responsible"], line["model_row"]) == (NET, "Transaction", number)
    assert shop.settle() == []


def test_a_payout_to_the_bank_leaves_the_balance_alone(shop: Shop) -> None:
    shop.set(settles_to="bank")
    shop.sell("ch-1")
    shop.settle()
    assert [shop.panel.held(pocket) for pocket in ("uncleared", "balance", "bank")] == [0, 0, NET]
    assert shop.ledger() == []


def test_settlements_are_listed_with_their_charges(shop: Shop) -> None:
    shop.sell("ch-1")
    shop.sell("ch-2")
    shop.settle()
    shop.sell("ch-3")
    (row,) = shop.http.get("/settlement").json()["data"]
    amounts = [row[name] for name in ("total_amount", "total_fees", "deductions", "effective_amount")]
    assert amounts == [200_000, 2 * FEE, None, 2 * NET]
    charges = shop.http.get(f"/settlement/{row['id']}/transactions").json()["data"]
    assert {charge["reference"] for charge in charges} == {"ch-1", "ch-2"}
    listed = shop.http.get("/transaction", params={"settlement": row["id"]}).json()["data"]
    assert {charge["reference"] for charge in listed} == {"ch-1", "ch-2"}
    assert shop.http.get("/settlement/1/transactions").status_code == 404


def test_a_refund_before_the_payout_is_kept_back_from_it(shop: Shop) -> None:
    shop.sell("ch-1")
    refund = shop.refund("ch-1", 30_000)
    assert shop.panel.held("uncleared") == NET - 30_000
    (settlement,) = shop.settle()
    assert (settlement["deductions_minor"], shop.panel.held("uncleared")) == (30_000, 0)
    assert shop.panel.held("balance") == NET - 30_000
    assert [line["difference"] for line in shop.ledger()] == [-30_000, NET]
    assert shop.http.get(f"/refund/{refund['id']}").json()["data"]["settlement"] == settlement["id"]


def test_what_one_payout_cannot_keep_back_the_next_one_does(shop: Shop) -> None:
    shop.set(settle_seconds=60)
    shop.sell("ch-1")
    shop.panel.advance(30)
    shop.sell("ch-2", 50_000)
    refund = shop.refund("ch-1", 100_000)
    for kept in (NET, 100_000):
        shop.panel.advance(31)
        wait_until(lambda kept=kept: shop.http.get(f"/refund/{refund['id']}").json()["data"]["deducted_amount"] == kept)
    assert (shop.panel.held("uncleared"), shop.panel.held("balance")) == (0, NET + 49_250 - 100_000)


def test_a_refund_that_fails_after_the_payout_comes_back_to_the_balance(shop: Shop) -> None:
    shop.panel.fault("refund", "pending")
    shop.sell("ch-1")
    refund = shop.refund("ch-1", 30_000)
    shop.settle()
    assert shop.panel.drive(f"refunds/{refund['id']}", "failed").status_code == 200
    assert (shop.panel.held("uncleared"), shop.panel.held("balance")) == (0, NET)


def test_payouts_can_follow_a_schedule(shop: Shop) -> None:
    shop.set(settle_seconds=0, settle_every_seconds=86_400)
    shop.sell("ch-1")
    assert shop.panel.held("balance") == 0
    shop.panel.advance(86_401)
    shop.sell("ch-2")
    assert shop.panel.held("balance") == NET


def test_the_customer_can_bear_the_fee(shop: Shop) -> None:
    shop.set(customer_bears_fee=True)
    shop.sell("ch-1", 30_050)
    shown = shop.http.get("/transaction/verify/ch-1").json()["data"]
    assert shown["requested_amount"] == 30_050
    assert shown["amount"] == 30_050 + shown["fees"] > 30_050
    assert shop.panel.held("uncleared") == 30_050


@pytest.mark.parametrize(("currency", "channel"), [("KES", "mobile_money"), ("NGN", "card"), ("ZAR", "card")])
def test_what_the_customer_pays_covers_the_published_fee(currency: str, channel: str) -> None:
    fees = FeeTable()
    for requested in (1, 99, 100, 12_345, 100_000, 999_999_999):
        paid = fees.with_fee_minor(currency, channel, requested)
        assert paid - fees.charge_minor(currency, channel, paid) >= requested
        less = paid - 1
        assert less - fees.charge_minor(currency, channel, less) < requested


def test_the_fee_may_be_unknown_at_the_first_look(shop: Shop) -> None:
    shop.panel.fault("verify", "fees_unknown", match={"reference": "ch-1"})
    shop.sell("ch-1")
    assert shop.http.get("/transaction/verify/ch-1").json()["data"]["fees"] == FEE


@pytest.mark.parametrize("setting", [{"settles_to": "moon"}, {"settle_secs": 1}, {"settle_seconds": -1}])
def test_a_misspelt_setting_is_refused(shop: Shop, setting: dict[str, object]) -> None:
    before = shop.panel.http.get("/_sim/settings").json()
    assert shop.panel.http.post("/_sim/settings", json=setting).status_code == 400
    assert shop.panel.http.get("/_sim/settings").json() == before


def test_what_was_not_settled_still_waits_after_a_restart(tmp_path: Path) -> None:
    behaviour, file = Behaviour(settle_seconds=None), tmp_path / "state"
    with StandIn(build_sim(secret=SECRET, behaviour=behaviour, state_file=file)) as first:
        shop = Shop(first.base_url)
        shop.sell("ch-1")
        shop.settle()
        shop.sell("ch-2")
        shop.refund("ch-2", 30_000)
    with StandIn(build_sim(secret=SECRET, behaviour=behaviour, state_file=file)) as second:
        again = Shop(second.base_url)
        (settlement,) = again.settle()
        assert (settlement["total_minor"], settlement["deductions_minor"]) == (100_000, 30_000)
        assert (again.panel.held("uncleared"), again.panel.held("balance")) == (0, 2 * NET - 30_000)
        assert again.panel.http.get("/_sim/audit").json()["ok"]
