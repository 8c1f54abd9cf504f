"""What a seller owes on one sale is taken from what he is owed on his next ones, once, and on both sales at once."""

from collections import Counter

import pytest

from domain.errors import Forbidden
from domain.journal import PER_TRANSACTION, Account
from domain.policy import Terms
from domain.transaction.clawback import NothingToWithhold
from domain.transaction.records import Finding
from domain.transaction.staff_commands import RecoverInCash, WriteOff
from domain.transaction.state import DisputeOpen
from domain.transaction.system_commands import EnforceDeadline, WithholdPayable
from tests.domain.chart import Wrong
from tests.domain.paths import (
    REASON,
    chargeback,
    completed,
    dispute,
    pay_out,
    pending,
    refunded,
    releasing,
    resolve,
    transfer,
)
from tests.domain.people import BUYER, SUPER
from tests.domain.story import Story

A = Account


def owing() -> Story:
    """A sale whose buyer got everything back after the payout: its seller owes 90 000."""
    story = completed(pending())
    story.do(dispute(), BUYER)
    story.do(resolve(story, Finding.SELLER), SUPER)
    story.do(refunded(story.refund(), "processed"))
    assert story.transaction.receivable_minor == 90_000
    return story


def withhold(debt: Story) -> WithholdPayable:
    return WithholdPayable(owing_transaction_id=debt.transaction_id)


def flat(story: Story) -> bool:
    balances: Counter[A] = story.transaction.balances
    return not any(balances[account] for account in (*PER_TRANSACTION, A.SELLER_RECEIVABLE))


def test_a_larger_sale_pays_the_debt_and_the_rest_is_paid_out():
    debt = owing()
    sale = releasing(debt.beside(price_minor=150_000))
    assert sale.do(withhold(debt)) == ["payable_withheld"]
    assert debt.topics()[-1] == "debt_recovered"
    assert debt.transaction.stuck_reason is None
    assert sale.transaction.stuck_reason == "awaiting_payout_request"
    sale.do(pay_out())
    assert sale.transaction.payouts[sale.payout()].amount_minor == 45_000
    sale.do(transfer(sale.payout(), "success"))
    assert (sale.phase, debt.phase) == ("completed", "refunded")
    assert flat(sale)
    assert flat(debt)
    assert sale.balance(A.SELLER_RECEIVABLE) == sale.balance(A.RECOVERIES) == 0


def test_a_smaller_sale_is_completed_without_any_payout():
    debt = owing()
    sale = releasing(debt.beside(price_minor=50_000))
    sale.do(withhold(debt))
    assert debt.transaction.receivable_minor == 45_000
    assert (sale.phase, sale.transaction.stuck_reason) == ("completed", None)
    assert sale.transaction.completed_at == sale.now
    assert debt.transaction.stuck_reason == "awaiting_recovery_from_seller"
    sale.refuses(NothingToWithhold, withhold(debt))


def test_it_happens_once():
    debt = owing()
    sale, other = (releasing(debt.beside(number)) for number in (1, 2))
    sale.do(withhold(debt))
    other.refuses(NothingToWithhold, withhold(debt))
    assert other.transaction.payable_minor(pay_out().purpose) == 90_000


def test_several_debts_are_paid_from_one_sale():
    debt = owing()
    second = completed(debt.beside(1, price_minor=10_000))
    second.do(chargeback("lost", 10_000))
    sale = releasing(debt.beside(2))
    sale.do(withhold(second))
    sale.do(withhold(debt))
    assert sale.phase == "completed"
    assert (second.transaction.receivable_minor, debt.transaction.receivable_minor) == (0, 9_000)


def test_what_is_disputed_or_in_flight_or_reserved_is_not_touched():
    debt = owing()
    sale = releasing(debt.beside(terms=Terms(reserve_bps=1_000, warranty_seconds=3_600)))
    sale.do(dispute(), BUYER)
    sale.refuses(DisputeOpen, withhold(debt))
    sale.do(resolve(sale, Finding.BUYER), SUPER)
    sale.do(pay_out())
    sale.refuses(NothingToWithhold, withhold(debt))
    sale.wait(hours=1).do(EnforceDeadline())
    sale.do(withhold(debt))
    assert debt.transaction.receivable_minor == 80_000
    sale.do(transfer(sale.payout(), "success"))
    assert sale.phase == "completed"


def test_it_is_the_programs_to_do_and_needs_another_sale_that_owes():
    debt = owing()
    sale = releasing(debt.beside())
    sale.refuses(Forbidden, withhold(debt), SUPER)
    sale.refuses(NothingToWithhold, withhold(sale))
    debt.do(WriteOff(amount_minor=90_000, reason=REASON), SUPER)
    sale.refuses(NothingToWithhold, withhold(debt))


def test_a_payout_that_fails_or_comes_back_leaves_the_debt_paid():
    debt = owing()
    sale = releasing(debt.beside(price_minor=150_000))
    sale.do(withhold(debt))
    sale.do(pay_out())
    sale.do(transfer(sale.payout(), "failed"))
    sale.wait(minutes=1).do(pay_out())
    sale.do(transfer(sale.payout(), "success"))
    sale.do(transfer(sale.payout(), "reversed"))
    assert sale.transaction.payable_minor(pay_out().purpose) == 45_000
    assert debt.transaction.receivable_minor == 0


def test_money_that_fails_to_reach_him_pays_his_debt_and_what_arrives_after_all_he_owes():
    debt = owing()
    sale = releasing(debt.beside())
    sale.do(pay_out())
    sale.do(transfer(sale.payout(), "refused"))
    sale.do(withhold(debt))
    assert sale.phase == "completed"
    sale.do(transfer(sale.payout(), "success"))
    assert sale.transaction.receivable_minor == 90_000


@pytest.mark.parametrize("price_minor", [50_000, 150_000])
def test_a_refund_after_it_makes_him_owe_what_was_withheld(price_minor: int):
    debt = owing()
    sale = releasing(debt.beside(price_minor=price_minor))
    sale.do(withhold(debt))
    if sale.phase != "completed":
        sale.do(pay_out())
        sale.do(transfer(sale.payout(), "success"))
    sale.do(dispute(), BUYER)
    sale.do(resolve(sale, Finding.SELLER), SUPER)
    assert sale.transaction.receivable_minor == price_minor * 9 // 10


@pytest.mark.parametrize("price_minor", [50_000, 150_000])
def test_a_chargeback_after_it_makes_him_owe_what_was_withheld(price_minor: int):
    debt = owing()
    sale = releasing(debt.beside(price_minor=price_minor))
    sale.do(withhold(debt))
    if sale.phase != "completed":
        sale.do(pay_out())
        sale.do(transfer(sale.payout(), "success"))
    sale.do(chargeback("lost", price_minor))
    assert sale.transaction.receivable_minor == price_minor * 9 // 10
    assert sale.balance(A.LOSSES) == 0


def test_what_another_sale_has_paid_is_not_owed_a_second_time():
    """A refund after the payout, recovered, and then the bank takes the same price back: that is our loss."""
    debt = owing()
    releasing(sale := debt.beside()).do(withhold(debt))
    debt.do(chargeback("lost"))
    assert debt.transaction.receivable_minor == 0
    assert debt.balance(A.LOSSES) == 100_000
    assert sale.phase == "completed"


def test_a_payout_that_comes_back_to_the_sale_that_owed_is_his_again():
    debt = owing()
    releasing(sale := debt.beside()).do(withhold(debt))
    debt.do(transfer(debt.payout(), "reversed"))
    assert debt.transaction.payable_minor(pay_out().purpose) == 90_000
    assert sale.phase == "completed"


def test_a_debt_is_as_old_as_its_beginning():
    debt = owing()
    since = debt.transaction.owing_since
    assert since == debt.now
    debt.wait(days=1).do(RecoverInCash(amount_minor=1, reason=REASON), SUPER)
    assert debt.transaction.owing_since == since
    debt.do(WriteOff(amount_minor=89_999, reason=REASON), SUPER)
    assert debt.transaction.owing_since is None


def test_a_reserve_settles_first_what_is_owed_on_its_own_sale():
    story = releasing(pending(100_000, Terms(reserve_bps=1_000, warranty_seconds=86_400)))
    story.do(pay_out())
    first = story.payout()
    story.do(transfer(first, "failed"))
    story.wait(minutes=1).do(pay_out())
    story.do(transfer(first, "success"))
    assert story.transaction.receivable_minor == 80_000
    story.do(transfer(story.payout(), "success"))
    story.wait(days=1).do(EnforceDeadline())
    assert story.transaction.receivable_minor == 70_000
    assert story.phase == "completed"


@pytest.mark.guarantee("G2", planted="one sale gives what the other does not take")
def test_the_judges_notice_a_recovery_of_which_one_half_is_missing(monkeypatch: pytest.MonkeyPatch):
    debt = owing()
    sale = releasing(debt.beside())
    monkeypatch.setattr(type(debt.transaction), "record", _forgetful)
    with pytest.raises(Wrong):
        sale.do(withhold(debt))


def _forgetful(self: object, event: type, **facts: object) -> None:
    from domain.aggregate import Aggregate

    if event.TOPIC != "transaction.debt_recovered.v1":
        Aggregate.record(self, event, **facts)
