"""What is older than the window explains nothing: a theft is not forgotten, and what is only half read is no alarm."""

import dataclasses
from datetime import timedelta
from uuid import UUID

import pytest

from domain.journal import Account, credit, debit, journal
from domain.money import Currency
from domain.reconciliation import DifferenceKind as Kind
from domain.transaction.refund import RefundSubmitted
from domain.treasury import Movement
from gateways.bookkeeping import BalanceCause
from gateways.paystack.sim.state import Behaviour
from reconciliation.books import PADDING
from reconciliation.run import LENGTH
from reconciliation.run import reconcile as run_reconciliation
from tests.conftest import Database
from tests.reactions.holding import send_unheard
from tests.reconciliation.looking import reconcile
from tests.reconciliation.paper import START, Paper, write
from tests.reconciliation.world import Business, run

STOLEN_MINOR = 500_000
STOLEN = "transfer zz-stolen-0123456789"
SEEDS = (0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 5)))
change = dataclasses.replace


def steal(paper: Paper) -> None:
    """A transfer that nobody ordered."""
    number = paper.new_id()
    reference, code = STOLEN.removeprefix("transfer "), f"TRF_{number}"
    facts = {"amount_minor": STOLEN_MINOR, "currency": Currency.KES, "created_at": paper.at, "transferred_at": paper.at}
    paper.transfers.append(
        change(paper.transfers[0], processor_id=number, transfer_code=code, reference=reference, **facts)
    )
    paper.move(BalanceCause.TRANSFER, number, Currency.KES, -STOLEN_MINOR)


@pytest.mark.guarantee("G17", faults="a transfer that nobody ordered and nobody looks into for ten weeks")
@pytest.mark.parametrize("days", [1, 34, 36, 50, 69, 71, 400])
def test_a_theft_is_listed_until_somebody_settles_it(days: int) -> None:
    paper = write(1)
    paper.settle()
    steal(paper)
    now = paper.at + timedelta(days=days)
    (found,) = reconcile(paper, now).differences
    is_named = days < LENGTH.days
    assert found.kind is (Kind.MISSING_HERE if is_named else Kind.BALANCE)
    assert (found.processor_minor or 0) - (found.ledger_minor or 0) in {STOLEN_MINOR, -STOLEN_MINOR}
    paper.at = now
    paper.paste(found.command)
    for later in range(1, (LENGTH + PADDING).days + 2):
        assert reconcile(paper, now + timedelta(days=later)).differences == ()


@pytest.mark.guarantee("G17", faults="a transfer that nobody ordered, listed every two weeks and settled after ten")
def test_what_was_listed_by_its_name_stays_so_until_it_is_settled(database: Database) -> None:
    async def story(business: Business) -> None:
        await send_unordered(business)
        begun, since = business.world.at, []
        for week in range(0, 12, 2):
            business.world.at = begun + timedelta(hours=1, weeks=week)
            found = await business.reconcile(f"week {week}")
            since.append(found.since)
            (listed,) = found.outcome.differences
            assert (listed.kind, listed.subject) == (Kind.MISSING_HERE, "transfer"), week
        assert set(since) == {begun + timedelta(hours=1) - LENGTH}
        await business.paste(listed.command)
        for key in ("settled", "again"):
            business.world.wait(days=1)
            found = await business.reconcile(key)
            assert found.outcome.differences == ()
        assert found.since == business.world.at - LENGTH

    run(database, story)


def test_what_happened_while_no_run_came_is_listed_by_its_name(database: Database) -> None:
    async def story(business: Business) -> None:
        await business.reconcile("first")
        business.world.wait(minutes=5)
        await send_unordered(business)
        business.world.wait(days=50)
        (listed,) = (await business.reconcile("at last")).outcome.differences
        assert listed.kind is Kind.MISSING_HERE

    run(database, story)


async def send_unordered(business: Business) -> None:
    """Somebody who has the key sends money."""
    transfer = await send_unheard(business.world, UUID(int=7), "seller", STOLEN_MINOR)
    assert transfer.amount_minor == STOLEN_MINOR


def test_what_was_settled_by_name_late_is_no_difference_when_the_thing_is_read_no_more() -> None:
    paper = write(1)
    paper.settle()
    steal(paper)
    stolen_at, paper.at = paper.at, paper.at + timedelta(days=60)
    paper.paste(
        f'escrow ledger record balance_short --currency KES --amount-minor {STOLEN_MINOR} --evidence "{STOLEN}"'
    )
    for days in range(61, 150):
        assert reconcile(paper, stolen_at + timedelta(days=days)).differences == ()


def test_a_correction_of_what_never_was_is_a_difference_of_the_balance() -> None:
    paper = write(1)
    paper.settle()
    paper.paste('escrow ledger record balance_short --currency KES --amount-minor 700 --evidence "transfer po-4711"')
    for days in (1, 36, 80):
        (found,) = reconcile(paper, paper.at + timedelta(days=days)).differences
        assert found.kind is Kind.BALANCE
        assert found.command.startswith("escrow ledger record balance_over --currency KES --amount-minor 700 ")


def keep_refund(paper: Paper) -> None:
    """A refund out of money that was not settled yet, and the settlement to the bank that keeps it a day later."""
    transaction_id, charge = paper.charge(Currency.KES)
    refund = paper.give_back(transaction_id, charge)
    paper.entries.pop()
    paper.balance[refund.currency] += refund.amount_minor
    (submitted,) = (event for _, event in paper.events[-3:] if isinstance(event, RefundSubmitted))
    taken = journal(
        debit(Account.REFUNDS_IN_TRANSIT, refund.amount_minor), credit(Account.UNCLEARED, refund.amount_minor)
    )
    vars(submitted).update(source=Account.UNCLEARED, postings=taken)
    paper.at += timedelta(days=1)
    paper.charge(Currency.KES)
    paper.settle(to_bank=True)
    paper.events.pop()
    last = paper.settlements[-1]
    arrived = last.effective_minor - refund.amount_minor
    paper.settlements[-1] = change(last, effective_minor=arrived, deductions_minor=refund.amount_minor)
    evidence = f"settlement {last.processor_id}"
    paper.record(Movement.CHARGES_SETTLED, Currency.KES, refund.amount_minor, evidence)
    paper.record(Movement.CHARGES_SETTLED_TO_BANK, Currency.KES, arrived, evidence)
    paper.record(Movement.REFUND_DEDUCTED, Currency.KES, refund.amount_minor, f"refund {refund.processor_id}")


@pytest.mark.guarantee("G17", faults="a run whose lists begin between any two lines of both books")
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_read_only_in_part_is_no_difference(seed: int) -> None:
    paper = write(seed)
    paper.settle()
    keep_refund(paper)
    assert paper.match(now=paper.at).differences == ()
    lines = int((paper.at - START) / timedelta(minutes=1)) + 2
    for edge in (START + timedelta(minutes=number) for number in range(lines)):
        assert reconcile(paper, edge + LENGTH).differences == ()
        assert reconcile(paper, edge + LENGTH + PADDING).differences == ()


def test_what_is_on_its_way_for_longer_than_a_short_look_is_no_difference(database: Database) -> None:
    async def story(business: Business) -> None:
        await business.world.hold()
        await business.sell(2)  # refunded from what is not settled yet
        business.world.wait(days=3)
        business.fold()
        now = business.world.at
        short = await run_reconciliation(business.desk, None, since=now - timedelta(days=1))
        assert short.outcome.differences == ()
        assert short.since == now - LENGTH

    run(database, story, Behaviour(settles_to="bank", settle_seconds=30 * 86_400.0))
