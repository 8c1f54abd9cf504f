"""The checkout page of the stand-in: what a person can click, and how late."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from gateways.paystack.sim.server import StandIn, build_sim
from tests.gateways.conftest import SECRET, Panel
from tests.waiting import wait_until

CHARGE = {"email": "buyer@example.com", "amount": 100_000, "currency": "KES", "reference": "ch-1"}
HOUR = 3600


class Checkout:
    """One opened checkout."""

    def __init__(self, base_url: str, **more: object) -> None:
        key = {"Authorization": f"Bearer {SECRET.reveal()}"}
        self.http = httpx.Client(base_url=base_url, headers=key, trust_env=False)
        self.panel = Panel(base_url)
        opened = self.http.post("/transaction/initialize", json={**CHARGE, **more}).json()
        self.link: str = opened["data"]["authorization_url"]

    def post(self, outcome: str) -> httpx.Response:
        return self.http.post(self.link, json={"outcome": outcome})

    def click(self, outcome: str) -> httpx.Response:
        return self.http.post(self.link, data={"outcome": outcome})

    def page(self) -> str:
        return self.http.get(self.link).text

    def status(self) -> str:
        return self.http.get("/transaction/verify/ch-1").json()["data"]["status"]


class Seen(HTMLParser):
    """What a browser would show and load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.buttons: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        if tag == "button":
            self.buttons.append(facts.get("value") or "")
        self.loads += [facts[name] or "" for name in ("src", "href") if name in facts]


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    with StandIn(build_sim(secret=SECRET, seed=1)) as stand_in:
        yield Checkout(stand_in.base_url)


def test_the_page_has_a_button_for_everything_a_buyer_may_do(checkout: Checkout) -> None:
    seen = Seen(checkout.page())
    assert seen.buttons == ["success", "failed", "abandoned", "late"]
    assert seen.loads == [], "nothing comes from elsewhere"


@pytest.mark.parametrize(("outcome", "status"), [("success", "success"), ("failed", "failed")])
def test_a_click_ends_the_checkout(checkout: Checkout, outcome: str, status: str) -> None:
    answer = checkout.click(outcome)
    assert answer.status_code == 200
    assert "This checkout is over" in answer.text
    assert (checkout.status(), Seen(answer.text).buttons) == (status, [])
    assert checkout.post("success").status_code == 400


def test_an_abandoned_checkout_can_be_paid_after_all(checkout: Checkout) -> None:
    assert Seen(checkout.click("abandoned").text).buttons != []
    assert checkout.status() == "abandoned"
    checkout.click("success")
    assert checkout.status() == "success"


def test_paying_late_happens_by_itself_and_once(checkout: Checkout) -> None:
    checkout.click("late")
    checkout.click("late")
    assert checkout.status() == "abandoned"
    checkout.panel.advance(26 * HOUR)
    wait_until(lambda: checkout.status() == "success")
    assert checkout.panel.moved("charge") == [100_000]


def test_a_session_that_times_out_is_never_paid(checkout: Checkout) -> None:
    path = "/integration/payment_session_timeout"
    assert checkout.http.get(path).json()["data"] == {"payment_session_timeout": 0}
    assert checkout.http.put(path, json={"timeout": 600}).json()["data"] == {"payment_session_timeout": 600}
    checkout.click("late")
    checkout.panel.advance(599)
    assert Seen(checkout.page()).buttons != []
    checkout.panel.advance(26 * HOUR)
    assert Seen(checkout.page()).buttons == []
    assert checkout.post("success").status_code == 400
    assert checkout.status() == "abandoned"
    assert checkout.http.put(path, json={"timeout": -1}).status_code == 400


def test_the_page_leads_back_to_the_merchant(checkout: Checkout) -> None:
    other = Checkout(str(checkout.http.base_url), reference="ch-2", callback_url='http://127.0.0.1:1/x?"><b>')
    other.post("failed")
    (link,) = Seen(other.page()).loads
    assert link.startswith('http://127.0.0.1:1/x?"><b>&trxref=ch-2')
    assert "<b>" not in other.page()


def test_a_slow_network_pays_once_it_is_done(checkout: Checkout) -> None:
    checkout.panel.fault("checkout", "processing")
    checkout.click("success")
    assert checkout.status() == "processing"
    assert checkout.post("success").status_code == 400, "nobody pays twice meanwhile"
    checkout.panel.advance(61)
    wait_until(lambda: checkout.status() == "success")
    assert checkout.panel.moved("charge") == [100_000]


def test_the_session_timeout_outlives_a_restart(tmp_path: Path) -> None:
    path = "/integration/payment_session_timeout"
    with StandIn(build_sim(secret=SECRET, state_file=tmp_path / "state")) as first:
        Checkout(first.base_url).http.put(path, json={"timeout": 600})
    with StandIn(build_sim(secret=SECRET, state_file=tmp_path / "state")) as second:
        again = Checkout(second.base_url, reference="ch-2")
        assert again.http.get(path).json()["data"] == {"payment_session_timeout": 600}
