"""Chargebacks of money that is not the price's, and of more than is left: named or booked, and never dropped."""

from dataclasses import replace

import pytest

from domain.journal import Account
from domain.transaction.system_commands import RecordChargeback
from tests.domain.paths import PHASES, chargeback, funded, pending, releasing

A = Account


def foreign(outcome: str, number: str = "dispute-1", amount_minor: int = 5_000) -> RecordChargeback:
    report = chargeback(outcome, amount_minor, number=number).report
    return RecordChargeback(report=replace(report, currency="USD"))


@pytest.mark.parametrize("phase", PHASES)
def test_one_in_another_currency_is_named_and_moves_nothing(phase: str):
    story = PHASES[phase](pending())
    before, was = story.balances(), story.phase
    for outcome in ("open", "lost"):
        assert story.do(foreign(outcome, "another")) == ["foreign_chargeback_seen"]
        story.ignores(foreign(outcome, "another"))
    assert (story.balances(), story.phase) == (before, was)


@pytest.mark.parametrize("end", ["won", "lost"])
def test_one_in_another_currency_is_waited_for_until_it_is_over(end: str):
    story = PHASES["completed"](pending())
    story.do(foreign("open"))
    assert story.transaction.stuck_reason == "chargeback_open: in another currency"
    story.do(foreign(end))
    assert story.transaction.stuck_reason is None
    story.ignores(foreign("open"))
    story.ignores(foreign("lost"))


def test_in_whatever_order_it_is_heard_it_ends_the_same():
    story = funded(pending())
    assert story.do(foreign("lost")) == ["foreign_chargeback_seen"]
    story.ignores(foreign("open"))
    assert story.transaction.foreign_chargebacks == {"dispute-1": False}


def test_one_in_the_prices_currency_is_an_ordinary_one():
    story = funded(pending())
    report = replace(chargeback("open").report, currency="KES")
    assert story.do(RecordChargeback(report=report)) == ["dispute_opened"]


@pytest.mark.parametrize("stage", [funded, releasing])
def test_more_than_is_left_is_booked_whole_and_the_rest_is_a_loss(stage):
    story = stage(pending())
    story.do(chargeback("lost", 70_000, number="first"))
    story.do(chargeback("lost", 70_000, number="second"))
    assert story.transaction.charged_back_minor == 140_000
    assert (story.balance(A.LOSSES), story.balance(A.BALANCE)) == (40_000, -140_000)
    assert story.transaction.is_flat
