"""The seven worked examples of the ledger: P 1000, f 15, c 100, t 20 in KES; what is left at the end, to the cent.

After every append the story's books check each posting against the table, and that all accounts sum to zero.
"""

import pytest

from domain.journal import PER_TRANSACTION, Account
from domain.money import Currency, Money
from domain.policy import Terms
from domain.transaction.commands import AcknowledgeReveal, RequestPayment
from domain.transaction.records import Finding, PayoutPurpose
from domain.transaction.staff_commands import RecoverInCash, WriteOff
from domain.treasury import MoveFunds, Movement, OpenTreasury, treasury_id
from tests.domain.paths import (
    BUYER_KEY,
    REASON,
    TRANSFER_FEE,
    charge,
    chargeback,
    confirm,
    contract,
    dispute,
    pay_out,
    pending,
    refund,
    refunded,
    resolve,
    reveal,
    sign,
    transfer,
)
from tests.domain.people import BUYER, SELLER, SUPER, SYSTEM
from tests.domain.story import Story

A = Account
PLATFORM = (A.PLATFORM_FEE, A.FEE_SURCHARGE, A.CHARGE_FEE, A.TRANSFER_FEE, A.COMPENSATION, A.LOSSES, A.DISPUTE_FEE)


def has(story: Story, **expected: int) -> None:
    """Compare every account that is not zero, in shillings, credits negative; names are those of `Account`."""
    found = {account.name.lower(): minor / 100 for account, minor in story.balances().items()}
    assert found == expected


def ends_flat(story: Story, *, nets: int) -> None:
    """Every account of the transaction is zero and the platform keeps this many shillings."""
    for account in PER_TRANSACTION:
        assert story.balance(account) == 0, account
        assert story.transaction.owed(account) == 0, account
    assert sum(story.balance(account) for account in PLATFORM) == -nets * 100
    assert story.transaction.stuck_reason is None


def paid(terms: Terms | None = None) -> Story:
    story = pending(100_000, terms)
    story.do(RequestPayment(), BUYER)
    story.do(charge(story))
    has(story, uncleared=985, held=-1000, charge_fee=15)
    return story


def accepted(terms: Terms | None = None) -> Story:
    story = paid(terms)
    story.do(contract())
    story.do(sign(), BUYER)
    story.do(sign(BUYER_KEY), SELLER)
    story.do(reveal(), BUYER)
    story.do(AcknowledgeReveal(), BUYER)
    story.do(confirm(), BUYER)
    return story


def test_1_happy_path_nets_65():
    story = accepted()
    has(story, uncleared=985, charge_fee=15, seller_payable=-900, platform_fee=-100)
    story.do(pay_out())
    has(story, uncleared=985, charge_fee=15, payout_in_flight=-900, platform_fee=-100)
    story.do(transfer(story.payout(), "pending"))
    has(
        story,
        uncleared=985,
        charge_fee=15,
        payout_in_flight=-900,
        platform_fee=-100,
        transfers_in_transit=900,
        balance=-900,
    )
    story.do(transfer(story.payout(), "success", TRANSFER_FEE))
    has(story, uncleared=985, charge_fee=15, platform_fee=-100, balance=-920, transfer_fee=20)
    ends_flat(story, nets=65)
    assert story.phase == "completed"


def test_1_settled_into_the_balance_the_processor_holds_exactly_what_the_platform_nets():
    story = accepted()
    story.start(OpenTreasury(currency=Currency.KES), SYSTEM, treasury_id(Currency.KES))
    settled = MoveFunds(movement=Movement.CHARGES_SETTLED, amount=Money(98_500, Currency.KES), evidence="settlement 1")
    story.do(settled, SYSTEM, treasury_id(Currency.KES))
    story.do(pay_out())
    story.do(transfer(story.payout(), "success", TRANSFER_FEE))
    has(story, balance=65, charge_fee=15, platform_fee=-100, transfer_fee=20)


def test_2_refused_then_accepted_succeeded_reversed_and_paid_again_nets_45():
    story = accepted()
    story.do(pay_out())
    story.do(transfer(story.payout(), "refused"))
    has(story, uncleared=985, charge_fee=15, seller_payable=-900, platform_fee=-100)
    assert story.phase == "payout_failed"
    story.do(pay_out())
    story.do(transfer(story.payout(), "pending"))
    story.do(transfer(story.payout(), "success", TRANSFER_FEE))
    has(story, uncleared=985, charge_fee=15, platform_fee=-100, balance=-920, transfer_fee=20)
    story.do(transfer(story.payout(), "reversed"))
    has(story, uncleared=985, charge_fee=15, platform_fee=-100, balance=-20, transfer_fee=20, seller_payable=-900)
    story.do(pay_out())
    story.do(transfer(story.payout(), "success", TRANSFER_FEE))
    has(story, uncleared=985, charge_fee=15, platform_fee=-100, balance=-940, transfer_fee=40)
    ends_flat(story, nets=45)
    assert story.phase == "completed"


@pytest.mark.weakness("W7")
def test_3_partial_refund_of_300_then_release_of_700_nets_35():
    story = paid()
    story.do(contract())
    story.do(sign(), BUYER)
    story.do(sign(BUYER_KEY), SELLER)
    story.wait(days=1).do(reveal(), BUYER)
    story.do(AcknowledgeReveal(), BUYER)
    story.do(dispute(), BUYER)
    story.do(refund(30_000), SUPER)
    has(story, uncleared=985, charge_fee=15, held=-700, refund_due=-300)
    story.do(refunded(story.refund(), "pending", A.UNCLEARED))
    has(story, uncleared=685, charge_fee=15, held=-700, refund_due=-300, refunds_in_transit=300)
    story.do(refunded(story.refund(), "processed"))
    has(story, uncleared=685, charge_fee=15, held=-700)
    story.do(confirm(), BUYER)
    has(story, uncleared=685, charge_fee=15, seller_payable=-630, platform_fee=-70)
    story.do(pay_out())
    story.do(transfer(story.payout(), "success", TRANSFER_FEE))
    has(story, uncleared=685, charge_fee=15, platform_fee=-70, balance=-650, transfer_fee=20)
    ends_flat(story, nets=35)


@pytest.mark.weakness("W29")
def test_4_reserve_of_90_and_a_chargeback_before_the_payout_nets_minus_15():
    story = accepted(Terms(reserve_bps=900, warranty_seconds=30 * 86400))
    has(story, uncleared=985, charge_fee=15, seller_payable=-810, seller_reserve=-90, platform_fee=-100)
    story.do(chargeback("open"))
    has(story, uncleared=985, charge_fee=15, seller_payable=-810, seller_reserve=-90, platform_fee=-100)
    story.do(chargeback("lost"))
    has(story, uncleared=985, charge_fee=15, balance=-1000)
    ends_flat(story, nets=-15)
    assert story.phase == "charged_back"


def test_5_chargeback_while_the_payout_is_in_flight_and_the_seller_pays_back_nets_minus_35():
    story = accepted()
    story.do(pay_out())
    story.do(transfer(story.payout(), "pending"))
    story.do(chargeback("lost"))
    has(
        story,
        uncleared=985,
        charge_fee=15,
        payout_in_flight=-900,
        transfers_in_transit=900,
        balance=-1900,
        seller_receivable=900,
    )
    story.do(transfer(story.payout(), "success", TRANSFER_FEE))
    has(story, uncleared=985, charge_fee=15, balance=-1920, seller_receivable=900, transfer_fee=20)
    story.do(RecoverInCash(amount_minor=90_000, reason=REASON), SUPER)
    has(story, uncleared=985, charge_fee=15, balance=-1020, transfer_fee=20)
    ends_flat(story, nets=-35)


def test_6_refund_after_the_payout_that_the_seller_never_pays_is_written_off_and_nets_minus_935():
    story = accepted()
    story.do(pay_out())
    story.do(transfer(story.payout(), "success", TRANSFER_FEE))
    story.do(dispute(), BUYER)
    story.do(resolve(story, Finding.SELLER), SUPER)
    has(
        story,
        uncleared=985,
        charge_fee=15,
        balance=-920,
        transfer_fee=20,
        seller_receivable=900,
        refund_due=-1000,
    )
    story.do(refunded(story.refund(), "pending"))
    story.do(refunded(story.refund(), "processed"))
    has(story, uncleared=985, charge_fee=15, balance=-1920, transfer_fee=20, seller_receivable=900)
    story.do(WriteOff(amount_minor=90_000, reason=REASON), SUPER)
    has(story, uncleared=985, charge_fee=15, balance=-1920, transfer_fee=20, losses=900)
    ends_flat(story, nets=-935)
    assert story.phase == "refunded"
    assert story.listing.state == "removed"


def test_7_failed_refund_paid_as_a_transfer_and_compensation_of_50_paid_at_the_second_try_nets_minus_105():
    story = paid()
    story.do(dispute(), BUYER)
    story.do(resolve(story, Finding.PLATFORM, compensation_minor=5_000), SUPER)
    has(story, uncleared=985, charge_fee=15, refund_due=-1000, compensation=50, compensation_due=-50)
    story.do(refunded(story.refund(), "processing"))
    has(
        story,
        uncleared=985,
        charge_fee=15,
        refund_due=-1000,
        compensation=50,
        compensation_due=-50,
        refunds_in_transit=1000,
        balance=-1000,
    )
    story.do(refunded(story.refund(), "failed"))
    has(story, uncleared=985, charge_fee=15, refund_due=-1000, compensation=50, compensation_due=-50)
    story.do(pay_out(PayoutPurpose.REFUND, "RCP_buyer"))
    story.do(transfer(story.payout(), "success", TRANSFER_FEE))
    has(story, uncleared=985, charge_fee=15, balance=-1020, transfer_fee=20, compensation=50, compensation_due=-50)
    story.do(pay_out(PayoutPurpose.COMPENSATION, "RCP_buyer"))
    story.do(transfer(story.payout(), "pending"))
    story.do(transfer(story.payout(), "failed"))
    has(story, uncleared=985, charge_fee=15, balance=-1020, transfer_fee=20, compensation=50, compensation_due=-50)
    story.wait(minutes=1).do(pay_out(PayoutPurpose.COMPENSATION, "RCP_buyer"))
    story.do(transfer(story.payout(), "success", TRANSFER_FEE))
    has(story, uncleared=985, charge_fee=15, balance=-1090, transfer_fee=40, compensation=50)
    ends_flat(story, nets=-105)
    assert story.phase == "refunded"
