"""Money that is not the price: it waits in suspense and goes back to who paid it, however it is heard of, once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from domain.ids import derive_reference
from domain.journal import PER_TRANSACTION, Account
from domain.money import Currency, Money
from domain.policy import Terms
from domain.transaction.commands import CancelTransaction
from domain.treasury import MoveFunds, Movement, OpenTreasury, treasury_id
from gateways.errors import GatewayError
from gateways.payment import NewRefund
from projections.alert import list_alerts
from reactions import worker as worker_module
from reactions.worker import Worker
from tests.conftest import Database
from tests.reactions.working import beside, deliver, read
from tests.reconciliation.world import OWNER, Business, has_no_open_refund, run
from tests.waiting import until

KEY = {"Authorization": "Bearer sk_test_0123456789abcdef"}
PATIENCE_SECONDS = 30.0
PRICE = 100_000
OWN = (*(account.value for account in PER_TRANSACTION), Account.UNMATCHED_RECEIPTS.value)


@dataclass(frozen=True)
class Misfit:
    """A payment that is about to come, and what is to become of it."""

    transaction_id: UUID
    reference: str
    kinds: tuple[str, ...]
    held_minor: int
    returned: tuple[tuple[int, str], ...]
    pay: Callable[[], Awaitable[None]]


Prepare = Callable[[Business], Awaitable[Misfit]]


async def checkout(business: Business, reference: str) -> str:
    """Where a reference is paid, also one whose address we never got."""
    charges = (await business.world.panel.get("/_sim/objects")).json()["charges"]
    (code,) = [charge["access_code"] for charge in charges if charge["reference"] == reference]
    return f"/checkout/{code}"


async def pay(business: Business, reference: str, **other: object) -> None:
    if other:
        await business.world.fault("checkout", "other_amount", match={"reference": reference}, **other)
    answer = await business.world.panel.post(await checkout(business, reference), json={"outcome": "success"})
    assert answer.status_code == 200, answer.text


async def page_of(business: Business, terms: Terms | None = None) -> tuple[UUID, str]:
    transaction_id = await business.world.open(terms)
    return transaction_id, (await business.world.page(transaction_id)).reference


async def expired(business: Business) -> Misfit:
    transaction_id, reference = await page_of(business, Terms(payment_seconds=3_600))
    business.world.wait(hours=1)
    assert (await business.world.advance(transaction_id)).state == "expired"
    return late(business, transaction_id, reference)


async def cancelled(business: Business) -> Misfit:
    transaction_id, reference = await page_of(business)
    world = business.world
    await world.do(world.as_buyer, transaction_id, CancelTransaction(reason="found another"))  # type: ignore[arg-type]
    return late(business, transaction_id, reference)


def late(business: Business, transaction_id: UUID, reference: str) -> Misfit:
    back = ((PRICE, "KES"),)
    return Misfit(transaction_id, reference, ("late",), 0, back, lambda: pay(business, reference))


async def under(business: Business) -> Misfit:
    transaction_id, reference = await page_of(business)
    back = ((60_000, "KES"),)
    return Misfit(transaction_id, reference, ("under",), 0, back, lambda: pay(business, reference, amount_minor=60_000))


async def over(business: Business) -> Misfit:
    transaction_id, reference = await page_of(business)
    back = ((50_000, "KES"),)
    return Misfit(
        transaction_id, reference, ("over",), PRICE, back, lambda: pay(business, reference, amount_minor=150_000)
    )


async def foreign(business: Business) -> Misfit:
    """Its fee was kept from money that goes back in full, so somebody pays in what is missing in that currency."""
    transaction_id, reference = await page_of(business)
    await top_up(business, Currency.GHS, PRICE)
    back = ((PRICE, "GHS"),)
    return Misfit(transaction_id, reference, ("currency",), 0, back, lambda: pay(business, reference, currency="GHS"))


async def twice_under_two_references(business: Business) -> Misfit:
    """The address of the first page was lost on its way, and both pages are paid."""
    world = business.world
    transaction_id = await world.open()
    await world.fault("initialize", "500_after_commit")
    with suppress(GatewayError):
        await world.page(transaction_id)
    await world.pay(transaction_id)
    transaction = await world.advance(transaction_id)
    assert (transaction.held_minor, transaction.payment_attempts) == (PRICE, 2)
    first = derive_reference("ch", transaction_id, "payment", 1)
    back = ((PRICE, "KES"),)
    return Misfit(transaction_id, first, ("duplicate",), PRICE, back, lambda: pay(business, first))


async def twice_under_one_reference(business: Business) -> Misfit:
    """The processor takes money once for a reference; that it is told of twice is all that can happen."""
    transaction_id, reference = await page_of(business)

    async def pay_twice() -> None:
        await pay(business, reference)
        again = await business.world.panel.post(await checkout(business, reference), json={"outcome": "success"})
        assert again.status_code == 400

    return Misfit(transaction_id, reference, (), PRICE, (), pay_twice)


CASES: tuple[Prepare, ...] = (
    expired,
    cancelled,
    under,
    over,
    foreign,
    twice_under_two_references,
    twice_under_one_reference,
)


async def top_up(business: Business, currency: Currency, amount_minor: int) -> None:
    """The platform's own money, on both sides."""
    stream_id, amount = treasury_id(currency), Money(amount_minor, currency)
    await business.world.panel.post("/_sim/balance", json={"currency": currency.value, "amount_minor": amount_minor})
    await business.world.do(OWNER, stream_id, OpenTreasury(currency=currency))  # type: ignore[arg-type]
    for movement in (Movement.CAPITAL_PAID_IN, Movement.BALANCE_TOPPED_UP):
        order = MoveFunds(movement=movement, amount=amount, evidence="statement 1")
        await business.world.do(OWNER, stream_id, order)  # type: ignore[arg-type]


class Mail:
    """Brings each webhook so many times: the same bytes again, and the same news in other bytes."""

    def __init__(self, business: Business, times: int) -> None:
        self._business, self._times = business, times
        self._brought: set[int] = set()

    async def bring(self) -> None:
        for row in (await self._business.world.panel.get("/_sim/webhooks")).json()["webhooks"]:
            if row["id"] not in self._brought:
                self._brought.add(row["id"])
                await self._bring(row["body"].encode())

    async def _bring(self, raw: bytes) -> None:
        for number in range(self._times):
            await deliver(self._business.world, raw)
            await deliver(self._business.world, raw + b" " * number)


async def settled(business: Business, misfit: Misfit) -> bool:
    transaction = await business.world.transaction(misfit.transaction_id)
    refunds = list(transaction.refunds.values())
    come = len(transaction.seen_charges) == len(misfit.kinds) and transaction.held_minor == misfit.held_minor
    return come and len(refunds) == len(misfit.returned) and not any(refund.status.is_open for refund in refunds)


async def work(business: Business, database: Database, misfits: list[Misfit], mail: Mail, poll: timedelta) -> None:
    """Let the worker come to rest, pay, and wait until it has dealt with every payment."""
    async with beside(Worker(business.world.tools, database.app_dsn, poll_every=poll).run()):
        await asyncio.sleep(0.5)
        for misfit in misfits:
            await misfit.pay()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while left := [one.kinds for one in misfits if not await settled(business, one)]:
                    await mail.bring()
                    await asyncio.sleep(0.1)
                    business.world.wait(seconds=1)
        except TimeoutError:
            raise AssertionError(f"not dealt with: {left}") from None


async def agree(business: Business, database: Database, misfits: list[Misfit]) -> None:
    """Each transaction, the books as a whole, the processor's own books, and both against each other."""
    business.fold()
    for misfit in misfits:
        transaction = await business.world.transaction(misfit.transaction_id)
        assert own_accounts(database, misfit) == (
            {("KES", "escrow:held"): -misfit.held_minor} if misfit.held_minor else {}
        )
        assert kinds_of(database, misfit) == list(misfit.kinds)
        assert transaction.is_over or misfit.held_minor or transaction.state == "pending"
    assert await refunded(business) == Counter((m.reference, *back) for m in misfits for back in m.returned)
    await books_balance(business, database)
    business.world.wait(hours=1)
    assert (await business.reconcile()).outcome.differences == ()


async def books_balance(business: Business, database: Database) -> None:
    assert read(database, "SELECT currency FROM ledger_accounts GROUP BY 1 HAVING sum(balance_minor) <> 0") == []
    assert (await business.world.panel.get("/_sim/audit")).json()["ok"]
    pockets = (await business.world.panel.get("/_sim/journal")).json()["pockets"]
    there = {c: pockets["uncleared"][c] + pockets["balance"][c] for c in ("KES", "GHS")}
    query = (
        "SELECT currency, sum(balance_minor)::bigint FROM ledger_accounts WHERE account LIKE 'paystack:%' GROUP BY 1"
    )
    assert {c: minor for c, minor in there.items() if minor} == dict(read(database, query))  # type: ignore[arg-type]


def own_accounts(database: Database, misfit: Misfit) -> dict[tuple[object, object], object]:
    query = f"""SELECT currency, account, sum(amount_minor)::bigint FROM ledger_entries
        WHERE transaction_id = '{misfit.transaction_id}' GROUP BY 1, 2 HAVING sum(amount_minor) <> 0"""
    return {(currency, account): minor for currency, account, minor in read(database, query) if account in OWN}


def kinds_of(database: Database, misfit: Misfit) -> list[object]:
    query = f"""SELECT data ->> 'kind' FROM event_log
        WHERE stream = '{misfit.transaction_id}' AND type = 'transaction.payment_mismatched.v1'"""
    return [kind for (kind,) in read(database, query)]


async def refunded(business: Business) -> Counter[tuple[str, int, str]]:
    """What really went back at the processor."""
    refunds = (await business.world.panel.get("/_sim/objects")).json()["refunds"]
    return Counter(
        (r["charge_reference"], r["amount_minor"], r["currency"]) for r in refunds if r["status"] == "processed"
    )


@pytest.mark.weakness("W9")
@pytest.mark.parametrize(
    ("times", "poll"),
    [(1, timedelta(hours=1)), (2, timedelta(hours=1)), (0, timedelta(seconds=0.2))],
    ids=["webhook", "webhook twice", "polling"],
)
def test_what_does_not_fit_goes_back_once_however_it_is_heard_of(
    database: Database, monkeypatch: pytest.MonkeyPatch, times: int, poll: timedelta
) -> None:
    monkeypatch.setattr(worker_module, "SWEEP_SECONDS", poll.total_seconds())

    async def story(business: Business) -> None:
        misfits = [await prepare(business) for prepare in CASES]
        await work(business, database, misfits, Mail(business, times), poll)
        await agree(business, database, misfits)

    run(database, story)


def test_a_foreign_payment_waits_with_an_alert_until_its_fee_is_paid_in(database: Database) -> None:
    async def story(business: Business) -> None:
        world = business.world
        transaction_id, reference = await page_of(business)
        await pay(business, reference, currency="GHS")
        transaction = await world.advance(transaction_id)
        (refund,) = transaction.refunds.values()
        assert (refund.currency, refund.amount_minor, refund.status.is_open) == (Currency.GHS, PRICE, True)
        assert await refunded(business) == {}
        business.fold()
        (alert,) = await list_alerts(world.pool, kind="balance_insufficient")
        assert (alert.amount_minor, alert.detail) == (PRICE, "the refund waits: top up GHS")
        await top_up(business, Currency.GHS, PRICE)
        world.wait(minutes=3)
        await until(lambda: world.advance(transaction_id), has_no_open_refund)
        nothing_held = Misfit(transaction_id, reference, ("currency",), 0, ((PRICE, "GHS"),), world.open)  # type: ignore[arg-type]
        await agree(business, database, [nothing_held])

    run(database, story)


def test_after_an_under_payment_goes_back_nobody_waits_for_ever(database: Database) -> None:
    """The page is used up: the processor takes money once for a reference."""

    async def story(business: Business) -> None:
        misfit = await under(business)
        await misfit.pay()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await settled(business, misfit):
                await business.world.advance(misfit.transaction_id)
        page = await business.world.page(misfit.transaction_id)
        assert page.reference != misfit.reference
        await pay(business, page.reference)
        assert (await business.world.advance(misfit.transaction_id)).held_minor == PRICE

    run(database, story)


def test_a_payment_of_an_unknown_reference_waits_for_a_person_who_has_the_words_for_it(database: Database) -> None:
    """It is no transaction's, so no program decides whose it is: reconciliation names it, people give it back."""

    async def story(business: Business) -> None:
        world = business.world
        new = {"email": "somebody@example.com", "amount": 70_000, "currency": "KES", "reference": "shop-42"}
        assert (await world.panel.post("/transaction/initialize", json=new, headers=KEY)).status_code == 200
        await pay(business, "shop-42")
        await Mail(business, 2).bring()
        await hear(business, database)
        outcomes = read(database, "SELECT DISTINCT outcome, transaction_id FROM payment_events")
        assert outcomes == [("unmatched", None)]
        world.wait(hours=1)
        (found,) = (await business.reconcile("found")).outcome.differences
        assert (found.reference, found.kind) == ("shop-42", "missing_here")
        await business.paste(found.command)
        business.fold()
        query = "SELECT balance_minor FROM ledger_accounts WHERE account = 'suspense:unmatched_receipts'"
        assert read(database, query) == [(-70_000,)]
        await give_back_by_hand(business)
        assert read(database, query) == [(0,)]
        await books_balance(business, database)
        world.wait(hours=1)
        assert (await business.reconcile("settled")).outcome.differences == ()

    run(database, story)


async def hear(business: Business, database: Database) -> None:
    """Let a worker work the inbox off."""
    worker = Worker(business.world.tools, database.app_dsn, poll_every=timedelta(hours=1))
    async with beside(worker.run()), asyncio.timeout(PATIENCE_SECONDS):
        while read(database, "SELECT count(*) FROM payment_events WHERE processed_at IS NULL") != [(0,)]:
            await asyncio.sleep(0.05)
            business.world.wait(seconds=1)


async def give_back_by_hand(business: Business) -> None:
    """The button in the processor's dashboard, and the line in the books that goes with it."""
    money = Money(70_000, Currency.KES)
    refund = await business.processor.create_refund(
        NewRefund(charge_reference="shop-42", amount=money, merchant_note="not ours")
    )
    order = MoveFunds(
        movement=Movement.UNKNOWN_RECEIPT_RETURNED, amount=money, evidence=f"refund {refund.processor_id}"
    )
    await business.world.do(OWNER, treasury_id(Currency.KES), order)  # type: ignore[arg-type]
    await until(lambda: business.processor.fetch_refund(refund.processor_id), lambda found: found.refunded_at)
    business.fold()
