"""What a settlement keeps for a chargeback or a refund: it is no difference, and what it keeps for nothing is one."""

import dataclasses
from collections import Counter
from datetime import timedelta

import pytest

from domain.journal import Account
from domain.money import Currency
from domain.reconciliation import DifferenceKind as Kind
from reconciliation.books import PADDING
from reconciliation.finding import Findings, Window, Withheld
from reconciliation.kept import explain_kept
from reconciliation.key import DISPUTE, SETTLEMENT, Key
from reconciliation.run import LENGTH
from tests.reconciliation.keeping import keep, lose
from tests.reconciliation.looking import reconcile
from tests.reconciliation.paper import START, Paper, write

NIGHT = timedelta(hours=10)
change = dataclasses.replace


def settled(seed: int = 1) -> Paper:
    paper = write(seed)
    paper.settle()
    paper.at += NIGHT
    return paper


def test_a_chargeback_that_a_settlement_keeps_a_night_later_is_no_difference_on_any_day() -> None:
    paper = settled()
    lose(paper)
    assert reconcile(paper, paper.at + timedelta(hours=1)).differences == ()
    lost_at, paper.at = paper.at, paper.at + NIGHT
    keep(paper)
    for hours in range(0, int((LENGTH + PADDING + 2 * NIGHT) / timedelta(hours=1)), 5):
        assert reconcile(paper, max(paper.at, lost_at + timedelta(hours=hours))).differences == (), hours


def test_another_chargeback_that_waits_meanwhile_is_no_difference_either() -> None:
    paper = settled()
    first_at = paper.at
    lose(paper)
    paper.at += NIGHT
    keep(paper)
    paper.at = first_at + LENGTH + NIGHT / 2
    lose(paper, 78, 800)
    assert reconcile(paper, paper.at + timedelta(hours=1)).differences == ()


def test_a_chargeback_that_is_heard_of_after_the_settlement_is_booked_is_no_difference() -> None:
    paper = settled()
    lose(paper, recorded_later=timedelta(hours=3))
    paper.at += timedelta(minutes=10)
    keep(paper)
    for days in (1, 30, 36, 80):
        assert reconcile(paper, paper.at + timedelta(days=days)).differences == (), days


def test_what_is_kept_at_the_moment_at_which_it_is_heard_of_waits_no_longer() -> None:
    settlement, dispute = Key(SETTLEMENT, "1"), Key(DISPUTE, "77")
    kept = Withheld(at=START, currency=Currency.KES, amount_minor=900)
    findings = Findings(kept={dispute}, withheld={settlement: kept})
    open_minor = {settlement: Counter(), dispute: Counter({(Account.BALANCE, Currency.KES): 900})}
    window = Window(since=START - LENGTH, now=START + timedelta(days=1))
    assert explain_kept(open_minor, {dispute: START}, window, findings)[Currency.KES] == 0


@pytest.mark.parametrize("days", [1, 34, 36, 69])
def test_what_a_settlement_keeps_for_nothing_is_a_difference_of_the_balance_at_once(days: int) -> None:
    paper = settled()
    keep(paper)
    assert reconcile(paper, paper.at + timedelta(minutes=20)).differences == ()
    (found,) = reconcile(paper, paper.at + timedelta(days=days)).differences
    assert found.kind is Kind.BALANCE
    assert found.command.startswith("escrow ledger record balance_short --currency KES --amount-minor 900 ")
    paper.at += timedelta(days=days)
    paper.paste(found.command)
    for later in (0, 1, 40, 90):
        assert reconcile(paper, paper.at + timedelta(days=later)).differences == ()
