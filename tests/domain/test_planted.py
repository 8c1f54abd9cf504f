"""A checker must be seen to fail: each planted bug is caught by the model of the money or by the law.

The bugs are monkeypatched copies of methods of the domain; the product knows no switch for them.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

import domain.transaction.chargeback as chargeback_track
import domain.transaction.payout as payout_track
import domain.transaction.refund as refund_track
from domain.errors import EscrowError
from domain.journal import Account, Posting, credit, debit
from domain.policy import Terms
from domain.transaction import Transaction, approval, settlement
from domain.transaction.records import PayoutPurpose, RefundStatus
from domain.transaction.staff_commands import GrantApproval, RecoverInCash
from domain.transaction.system_commands import DistrustAccount, EnforceDeadline, ReturnReceipts
from domain.user import AccountDoubt
from eventstore.transcoder import Unencodable
from tests.domain.chart import Wrong
from tests.domain.paths import (
    REASON,
    charge,
    chargeback,
    completed,
    confirm,
    dispute,
    disputed,
    funded,
    pay_out,
    paying,
    payout_failed,
    pending,
    refund,
    refunded,
    refunding,
    release,
    releasing,
    reveal,
    signed,
    transfer,
)
from tests.domain.people import BUYER, SECOND, SELLER, SUPER
from tests.domain.story import Story

Plant = Callable[[pytest.MonkeyPatch], None]
Tell = Callable[[Story], object]


def nothing(*_: object, **__: object) -> None:
    """A guard that is not there."""


def drop_a_posting(patch: pytest.MonkeyPatch) -> None:
    """The commission is never booked, and nobody checks the balance."""
    patch.setattr(
        settlement, "journal", lambda *lines: tuple(p for p in lines if p.account is not Account.PLATFORM_FEE)
    )


def round_the_fee_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Terms, "fee_minor", lambda self, amount: -(-round(amount * self.fee_bps / 10_000 * 10) // 10) + 1)


def fee_of_the_price(patch: pytest.MonkeyPatch) -> None:
    """The commission is taken from the price, not from what is released."""
    patch.setattr(Terms, "fee_minor", lambda self, amount: 100_000 * self.fee_bps // 10_000)


def release_in_a_dispute(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Transaction, "require_no_dispute", nothing)
    patch.setattr(Transaction, "is_frozen", lambda self, purpose: False)


def return_what_is_disputed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Transaction, "returnable_receipts", property(lambda self: tuple(self.suspense.values())))


def reveal_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Transaction, "check_reveal", nothing)


def reveal_when_all_is_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Transaction, "require_live", nothing)


def reveal_to_anybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Transaction, "require_buyer", nothing)


def approve_your_own(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(approval, "OwnApproval", type("Never", (Exception,), {}))
    patch.setattr(Transaction, "_pending", lambda self, i: replace(self.approvals[i], requested_by="somebody else"))


def pay_out_twice(patch: pytest.MonkeyPatch) -> None:
    """An open payout does not keep the next one away, and what is payable is the price."""
    patch.setattr(Transaction, "require_payable", nothing)
    patch.setattr(Transaction, "payable_minor", lambda self, purpose: 90_000)


def new_reference_for_the_same_attempt(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(payout_track, "derive_reference", lambda *_: "po-always-the-same")


def forget_to_give_back(patch: pytest.MonkeyPatch) -> None:
    """A refused payout is not owed again."""
    patch.setattr(Transaction, "_owed_again", lambda self, payout: ())


def keep_the_debtors_money(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Transaction, "recover_from_payable", nothing)


def count_a_charge_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Transaction, "_mismatch", nothing)


def refund_without_limit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Transaction, "refundable_minor", property(lambda self: 10**9))


def book_a_refund_from_the_wrong_account(patch: pytest.MonkeyPatch) -> None:
    def wrong(account: Account, amount: int, subject: str = "") -> Posting:
        return credit(Account.BANK if account is Account.BALANCE else account, amount, subject)

    patch.setattr(refund_track, "credit", wrong)


def chargeback_from_the_seller_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(chargeback_track, "AFTER_RELEASE", (Account.PLATFORM_FEE, Account.SELLER_PAYABLE))


def cancel_a_refund_that_was_sent(patch: pytest.MonkeyPatch) -> None:
    every = lambda self: tuple(r for r in self.refunds.values() if r.status is not RefundStatus.PROCESSED)  # noqa: E731
    patch.setattr(Transaction, "unsent_refunds", property(every))


def recover_more_than_is_owed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Transaction, "_require_owed", nothing)


def float_money(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(settlement, "debit", lambda account, amount, subject="": debit(account, float(amount), subject))
    patch.setattr(settlement, "journal", lambda *lines: lines)


def lapse_in_a_dispute(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Transaction, "has_dispute_against_refund", property(lambda self: False))
    patch.setattr(Transaction, "has_open_dispute", property(lambda self: False))


def _two_payouts(s: Story) -> None:
    paying(s)
    s.do(pay_out())


def _crossing(s: Story) -> None:
    paying(s)
    s.do(chargeback("lost"))
    s.do(transfer(s.payout(), "refused"))


def _reveal_again(s: Story) -> None:
    signed(s)
    s.do(reveal(), BUYER)
    s.do(reveal(), BUYER)


def _reveal_returned(s: Story) -> None:
    signed(s)
    s.wait(hours=72).do(EnforceDeadline())
    s.do(reveal(), BUYER)


def _own_approval(s: Story) -> None:
    disputed(s)
    s.do(refund(limit=0), SUPER)
    s.do(GrantApproval(approval_id=s.approval()), SUPER)


def _charge_again(s: Story) -> None:
    funded(s)
    s.do(charge(s, processor_id="charge-2"))


def _return_disputed(s: Story) -> None:
    _charge_again(s)
    s.do(chargeback("open", of=charge(s, processor_id="charge-2")))
    s.do(ReturnReceipts())


def _refund_again(s: Story) -> None:
    disputed(s)
    s.do(refund(70_000), SUPER)
    s.do(refund(70_000), SUPER)


def _sent_and_charged_back(s: Story) -> None:
    disputed(s)
    s.do(refund(10_000), SUPER)
    s.do(refunded(s.refund(), "pending"))
    s.do(refund(10_000), SUPER)
    s.do(chargeback("lost"))


def _owing(s: Story) -> None:
    completed(s)
    s.do(chargeback("lost"))
    s.do(RecoverInCash(amount_minor=90_001, reason=REASON), SUPER)


def _partly_released(s: Story) -> None:
    disputed(s)
    s.do(refund(30_000), SUPER)
    s.do(release(), SUPER)


def _lapse(s: Story) -> None:
    disputed(s)
    s.wait(days=30).do(EnforceDeadline())


def release_whatever_was_agreed_to(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Transaction, "_carry_out_release", lambda self, decision: self.release_by_force(decision.reason))


def _two_agree_to_pay_the_buyer(s: Story) -> None:
    disputed(s)
    s.do(refund(30_000), SUPER)
    s.do(refunded(s.refund(), "failed"))
    s.do(DistrustAccount(purpose=PayoutPurpose.REFUND, doubt=AccountDoubt.DIFFERS))
    s.do(release("RCP_buyer", PayoutPurpose.REFUND, limit=0), SUPER)
    s.do(GrantApproval(approval_id=s.approval()), SECOND)


PLANTS: dict[str, tuple[Plant, Tell]] = {
    "a posting is dropped": (drop_a_posting, releasing),
    "the fee is rounded twice": (round_the_fee_twice, releasing),
    "the fee is of the price": (fee_of_the_price, _partly_released),
    "released in a dispute": (release_in_a_dispute, lambda s: (disputed(s), s.do(confirm(), BUYER))),
    "paid out in a dispute": (release_in_a_dispute, lambda s: (releasing(s), s.do(dispute(), BUYER), s.do(pay_out()))),
    "sent back while disputed": (return_what_is_disputed, _return_disputed),
    "revealed twice": (reveal_twice, _reveal_again),
    "revealed after everything went back": (reveal_when_all_is_over, _reveal_returned),
    "revealed to the seller": (reveal_to_anybody, lambda s: (signed(s), s.do(reveal(), SELLER))),
    "approved by the asker": (approve_your_own, _own_approval),
    "another payment than two agreed to": (release_whatever_was_agreed_to, _two_agree_to_pay_the_buyer),
    "paid out twice": (pay_out_twice, _two_payouts),
    "one reference for two attempts": (
        new_reference_for_the_same_attempt,
        lambda s: (payout_failed(s), s.do(pay_out())),
    ),
    "a refused payout is forgotten": (forget_to_give_back, payout_failed),
    "a debtor's money stays payable": (keep_the_debtors_money, _crossing),
    "a charge is counted twice": (count_a_charge_twice, _charge_again),
    "refunded without limit": (refund_without_limit, _refund_again),
    "a refund from the wrong account": (
        book_a_refund_from_the_wrong_account,
        lambda s: (refunding(s), s.do(refunded(s.refund(), "pending"))),
    ),
    "a chargeback in the wrong order": (
        chargeback_from_the_seller_first,
        lambda s: (releasing(s), s.do(chargeback("lost", 50_000))),
    ),
    "a sent refund is cancelled": (cancel_a_refund_that_was_sent, _sent_and_charged_back),
    "more is recovered than owed": (recover_more_than_is_owed, _owing),
    "money in floats": (float_money, releasing),
    "lapsed in a dispute": (lapse_in_a_dispute, _lapse),
}


@pytest.mark.guarantee(
    "G1", "G2", planted="bugs in the rules, from a posting that is dropped to a payout that goes out twice"
)
@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_bug_is_caught(name: str, monkeypatch: pytest.MonkeyPatch):
    plant, tell = PLANTS[name]
    tell_without_the_bug(tell)
    plant(monkeypatch)
    with pytest.raises(Unencodable if name == "money in floats" else Wrong):
        tell(pending())


def tell_without_the_bug(tell: Tell) -> None:
    """The story is lawful as it is: as far as it goes, nothing is wrong with it."""
    try:
        tell(pending())
    except EscrowError:
        return
