"""The payout account: asked at the bank, told in the log without saying where, and a change waits."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
import pytest

from api.banks import Banks
from domain.content import hash_content
from domain.money import Currency
from gateways.bank import Bank, Holder
from gateways.errors import GatewayUnavailable
from identity.payout_account import is_same_person
from tests.api.running import Installation, Person
from tests.waiting import wait_until
from tests.weaknesses.running import at_once

NIGERIAN = {
    "type": "nuban",
    "bank_code": "058",
    "account_number": "0123456789",
    "account_name": "somebody",
    "currency": "NGN",
}
KENYAN = {
    "type": "mobile_money",
    "bank_code": "MPESA",
    "account_number": "0722000001",
    "account_name": "seller",
    "currency": "KES",
}
WAITS = "SELECT count(*) FROM event_log WHERE type = 'transaction.payout_waits_for_account.v1' AND stream = %s"


def put(person: Person, account: dict[str, str]) -> dict[str, object]:
    answer = person.request("PUT", "/api/v1/users/me/payout-account", account)
    assert answer.status_code == 200, answer.text
    return answer.json()


def changes(installation: Installation, person: Person) -> list[dict[str, object]]:
    query = "SELECT data FROM event_log WHERE stream = %s AND type = 'user.payout_account_changed.v2' ORDER BY version"
    with psycopg.connect(installation.app_dsn) as connection:
        return [row[0] for row in connection.execute(query, (str(person.id),)).fetchall()]


def is_completed(installation: Installation, transaction: str) -> bool:
    query = "SELECT state FROM transactions WHERE id = %s"
    with psycopg.connect(installation.app_dsn) as connection:
        return connection.execute(query, (transaction,)).fetchone() == ("completed",)


def test_the_bank_is_asked_and_another_name_is_flagged(installation: Installation):
    other = installation.people["other"]
    shown = put(other, NIGERIAN)
    assert isinstance(shown["resolved_name"], str)
    assert shown["name_matches"] is False
    (_, change) = changes(installation, other)
    assert change["name_matches"] is False
    assert "0123456789" not in str(change)
    with psycopg.connect(installation.app_dsn) as connection:
        found = connection.execute("SELECT salt FROM payout_accounts WHERE user_id = %s", (other.id,)).fetchone()
    assert found is not None
    assert len(found[0]) == 32
    assert change["account_sha256"] == hash_content(found[0], NIGERIAN), (
        "whoever has the account and the salt can check"
    )
    put(other, NIGERIAN)
    assert len(changes(installation, other)) == 2, "the same again is no change"


def test_many_changes_at_once_leave_connections_for_everybody_else(installation: Installation):
    person, changing = installation.people["operator"], 2 * installation.dependencies.pool.max_size
    accounts = [KENYAN | {"account_number": f"07330001{number:02}"} for number in range(changing)]
    changed = at_once([partial(person.request, "PUT", "/api/v1/users/me/payout-account", each) for each in accounts])
    assert [answer.status_code for answer in changed] == [200] * changing
    kept = str(person.get("/api/v1/users/me/payout-account").json())
    assert sum(account["account_number"][-4:] in kept for account in accounts) == 1


def test_two_people_with_one_account_are_shown_to_staff(installation: Installation):
    buyer, stranger, admin = (installation.people[name] for name in ("buyer", "stranger", "admin"))
    shared = KENYAN | {"account_number": "0733000002"}
    put(buyer, shared)
    put(stranger, shared)
    (_, change) = changes(installation, stranger)
    assert change["shared_with"] == [str(buyer.id)]
    alerts = admin.get("/api/v1/admin/alerts", Wait_For_Position=str(installation.head())).json()["items"]
    assert [a["kind"] for a in alerts if a["subject"] == str(stranger.id)] == ["payout_account_shared"]


def test_your_account_is_shown_without_its_number(installation: Installation):
    person = installation.people["seller"]
    shown = person.get("/api/v1/users/me/payout-account")
    assert shown.status_code == 200, shown.text
    assert len(shown.json()["account_number_ends_in"]) == 4
    assert "0712345678" not in shown.text
    assert set(shown.json()) == {"type", "bank_code", "account_number_ends_in", "account_name", "currency", "usable_at"}


def test_banks_are_listed_by_currency_and_asked_for_once(installation: Installation):
    person = installation.people["buyer"]
    banks = person.get("/api/v1/banks?currency=KES")
    assert banks.status_code == 200, banks.text
    assert "MPESA" in {bank["code"] for bank in banks.json()["items"]}
    for query in ("", "?currency=USD", "?currency=XXX", "?currency=KES&currency=KES", "?currency=KES&more=1"):
        refused = person.get(f"/api/v1/banks{query}")
        assert (refused.status_code, refused.json()["code"]) == (422, "query_invalid"), query


class Directory:
    """Banks that can be out of reach; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked, self.is_out = 0, False
        self.silent_about: Currency | None = None
        self.speaks = asyncio.Event()

    async def list_banks(self, currency: Currency, /) -> tuple[Bank, ...]:
        self.asked += 1
        if currency is self.silent_about:
            await self.speaks.wait()
        if self.is_out:
            raise GatewayUnavailable
        names = ("open", True), ("closed", False)
        return tuple(
            Bank(processor_id=1, code=name, name=name, type=None, currency=currency, is_active=is_active)
            for name, is_active in names
        )

    async def resolve_account(self, account_number: str, bank_code: str) -> Holder:
        raise NotImplementedError


def test_banks_are_asked_for_once_an_hour_whoever_looks():
    async def scenario() -> None:
        banks, directory, at = Banks(), Directory(), datetime(2026, 1, 1, tzinfo=UTC)
        lists = await asyncio.gather(*(banks.list(directory, Currency.KES, at) for _ in range(50)))
        assert {tuple(bank.code for bank in found) for found in lists} == {("open",)}
        assert directory.asked == 1
        directory.is_out = True
        with pytest.raises(GatewayUnavailable):
            await banks.list(directory, Currency.GHS, at)
        await banks.list(directory, Currency.KES, at + timedelta(minutes=59))
        with pytest.raises(GatewayUnavailable):
            await banks.list(directory, Currency.KES, at + timedelta(hours=1))
        assert directory.asked == 3

    asyncio.run(scenario())


def test_a_silent_paystack_holds_up_only_those_who_ask_about_the_currency_it_is_silent_about():
    async def scenario() -> None:
        banks, directory, at = Banks(), Directory(), datetime(2026, 1, 1, tzinfo=UTC)
        await banks.list(directory, Currency.KES, at)
        directory.silent_about = Currency.GHS
        waiting = [asyncio.create_task(banks.list(directory, Currency.GHS, at)) for _ in range(20)]
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await banks.list(directory, Currency.KES, at)
            await banks.list(directory, Currency.ZAR, at)
        waiting[0].cancel()
        directory.is_out = True
        directory.speaks.set()
        async with asyncio.timeout(5):
            cancelled, *answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(cancelled, asyncio.CancelledError)
        assert {type(answer) for answer in answers} == {GatewayUnavailable}
        assert directory.asked == 3, "all who wait are told what the one question was answered"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "account", [NIGERIAN | {"account_number": "0000000000"}, KENYAN | {"bank_code": "NOBANK"}], ids=["number", "bank"]
)
def test_what_no_bank_knows_is_refused(installation: Installation, account: dict[str, str]):
    seller, written = installation.people["seller"], installation.written()
    answer = seller.request("PUT", "/api/v1/users/me/payout-account", account)
    assert (answer.status_code, answer.json()["code"]) == (422, "payout_account_unknown")
    assert installation.written() == written


def test_a_payout_waits_until_a_changed_account_may_be_used(installation: Installation):
    seller = installation.people["seller"]
    transaction = installation.sold()
    changed_at = installation.clock()
    assert put(seller, KENYAN)["usable_at"] is not None
    installation.confirm(transaction)
    waiting = installation.wait(
        transaction, lambda view: str(view["stuck_reason"]).startswith("payout_account_cooling_off: until ")
    )
    assert waiting["state"] == "releasing"
    until = (changed_at + timedelta(hours=24)).strftime("%Y-%m-%dT%H")
    assert until in str(waiting["stuck_reason"])
    installation.clock.ahead += timedelta(hours=25)
    wait_until(lambda: is_completed(installation, transaction))
    with psycopg.connect(installation.app_dsn) as connection:
        assert connection.execute(WAITS, (transaction,)).fetchone() == (1,), "that it still waits is no news"


def test_an_account_in_doubt_is_paid_once_its_owner_has_named_it_again(fresh: Installation):
    installation, seller, admin = fresh, fresh.people["seller"], fresh.people["admin"]
    transaction = installation.sold()
    with psycopg.connect(installation.superuser_dsn) as connection:
        tamper = "UPDATE payout_accounts SET account_number = '0722000009' WHERE user_id = %s"
        connection.execute(tamper, (seller.id,))
    installation.confirm(transaction)
    stuck = installation.wait(transaction, lambda view: str(view["stuck_reason"]).startswith("payout_account_unproven"))
    assert stuck["stuck_reason"] == "payout_account_unproven: differs"
    alerts = admin.get("/api/v1/admin/alerts", Wait_For_Position=str(installation.head())).json()["items"]
    assert [(alert["severity"], alert["detail"]) for alert in alerts if alert["kind"] == "payout_account_unproven"] == [
        ("P0", "differs")
    ]

    put(seller, KENYAN | {"account_number": "0722000009"})
    assert len(changes(installation, seller)) == 2, "it is named anew although it stands there"
    installation.wait(transaction, lambda view: str(view["stuck_reason"]).startswith("payout_account_cooling_off"))
    installation.clock.ahead += timedelta(hours=25)
    wait_until(lambda: is_completed(installation, transaction))


NAMES = (
    ("Ada Lovelace", "LOVELACE ADA", True),
    ("Ada Lovelace", "Ada Byron Lovelace", True),
    ("José Núñez", "JOSE NUNEZ", True),
    ("Ada Lovelace", "Grace Hopper", False),
    ("Ada Lovelace", "Ada Hopper", False),
    ("", "Ada", False),
    ("...", "...", False),
)


@pytest.mark.parametrize(("one", "other", "same"), NAMES)
def test_names_are_compared_by_their_words(one: str, other: str, *, same: bool):
    assert is_same_person(one, other) is same
