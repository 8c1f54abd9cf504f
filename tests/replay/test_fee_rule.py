"""The fee of a charge is booked once: what the domain records is legal, and the same fee once more is not."""

import random
from collections.abc import Sequence

import pytest

from domain.aggregate import Aggregate
from domain.event import Event
from domain.money import Currency
from domain.transaction import Transaction
from domain.transaction.chargeback_report import ChargebackOutcome, ChargebackReport
from domain.transaction.payment import ConfirmedCharge, PaymentFeeAssessed
from replay.legality import Objection, advance
from tests.projections.stories import SYSTEM, Story

PRICE = 100_000


class Till:
    """One sale that money comes for, in charges of any kind, each reported as often as it likes."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.story = Story(seed)
        self.sale = self.story.list_account(PRICE)
        self.sale.open()
        self.charges: list[ConfirmedCharge] = []

    @property
    def transaction(self) -> Transaction:
        return self.sale.transaction

    @property
    def events(self) -> list[Event]:
        return [event for event in self.story.events if event.originator_id == self.transaction.id]

    def charge(self, amount_minor: int, fee_minor: int | None, currency: Currency = Currency.KES) -> ConfirmedCharge:
        if not self.transaction.was_paid:
            self.sale.act(self.sale.buyer, self.transaction.request_payment)
        charge = ConfirmedCharge(
            reference=self.transaction.payment_reference or "",
            processor_id=str(len(self.charges)),
            amount_minor=amount_minor,
            requested_minor=None,
            currency=currency,
            fee_minor=fee_minor,
            channel="card",
            paid_at=self.story.at,
            verified_by="webhook",
        )
        self.charges.append(charge)
        return charge

    def report(self, charge: ConfirmedCharge) -> None:
        self.sale.act(SYSTEM, lambda: self.transaction.record_charge(charge))

    def report_again(self) -> None:
        """The same charge, whose fee may have become known since."""
        place = self.random.randrange(len(self.charges))
        known = self.charges[place]
        fee_minor = known.fee_minor or self.random.choice([None, 15])
        facts = {name: getattr(known, name) for name in known.__slots__}
        self.charges[place] = ConfirmedCharge(**facts | {"fee_minor": fee_minor})
        self.report(self.charges[place])

    def lose(self) -> None:
        charge = self.random.choice(self.charges)
        report = ChargebackReport(
            processor_dispute_id=str(self.random.randrange(2)),
            outcome=ChargebackOutcome.LOST,
            amount_minor=charge.amount_minor,
            charge_id=charge.processor_id,
            charge_reference=charge.reference,
        )
        self.sale.act(SYSTEM, lambda: self.transaction.record_chargeback(report))

    def step(self) -> None:
        pick = self.random.choice
        act = pick(["new", "new", "again", "again", "return", "lose"]) if self.charges else "new"
        if act == "new":
            amount_minor, fee_minor = PRICE + pick([0, 100, -100]), pick([None, 15])
            self.report(self.charge(amount_minor, fee_minor, pick([Currency.KES, Currency.KES, Currency.GHS])))
        elif act == "again":
            self.report_again()
        elif act == "return":
            self.sale.act(SYSTEM, self.transaction.return_receipts)
        elif self.random.random() < 0.3:
            self.lose()


def fold(events: Sequence[Event]) -> Aggregate | None:
    """Raise `Objection` at the first event that could not have come about."""
    aggregate = None
    for event in events:
        aggregate = advance(aggregate, event)
    return aggregate


@pytest.mark.parametrize("seed", range(60))
def test_whatever_fees_the_domain_records_are_legal(seed: int) -> None:
    till = Till(seed)
    for _ in range(12):
        till.step()
    fold(till.events)


def forge_fee(till: Till, charge: ConfirmedCharge) -> None:
    """Book the fee as somebody with the owner's rights could, past every guard."""
    t = till.transaction
    till.sale.act(SYSTEM, lambda: t._record_fee(charge, 15))  # the guards are what is bypassed


@pytest.mark.parametrize("amount_minor", [PRICE, PRICE + 100, PRICE - 100], ids=["exact", "too much", "too little"])
@pytest.mark.parametrize("told", ["with the charge", "later"])
def test_a_fee_is_booked_once_for_each_charge(amount_minor: int, told: str) -> None:
    till = Till(1)
    charge = till.charge(amount_minor, 15 if told == "with the charge" else None)
    till.report(charge)
    if told == "later":
        forge_fee(till, charge)
    fold(till.events)
    forge_fee(till, charge)
    with pytest.raises(Objection) as caught:
        fold(till.events)
    assert caught.value.found.startswith(PaymentFeeAssessed.TOPIC)


def test_a_second_payment_under_the_same_reference_has_a_fee_of_its_own() -> None:
    till = Till(1)
    till.report(till.charge(PRICE, 15))
    second = till.charge(PRICE, 15)
    till.report(second)
    assert [type(event) for event in till.events].count(PaymentFeeAssessed) == 2
    fold(till.events)
    forge_fee(till, second)
    with pytest.raises(Objection):
        fold(till.events)


def test_a_fee_of_money_that_never_came_is_illegal() -> None:
    till = Till(1)
    forge_fee(till, till.charge(PRICE, 15))
    with pytest.raises(Objection):
        fold(till.events)


def test_once_stray_money_came_a_fee_under_an_invented_reference_is_still_illegal() -> None:
    till = Till(1)
    till.report(till.charge(PRICE - 100, 15))
    till.report(till.charge(PRICE, 15))
    fold(till.events)
    forge_fee(till, invented(till.charges[0]))
    with pytest.raises(Objection) as caught:
        fold(till.events)
    assert caught.value.found.startswith(PaymentFeeAssessed.TOPIC)


def invented(charge: ConfirmedCharge) -> ConfirmedCharge:
    """The same under a reference that nobody asked for."""
    return ConfirmedCharge(**{name: getattr(charge, name) for name in charge.__slots__} | {"reference": "ch-invented"})


@pytest.mark.parametrize("amount_minor", [PRICE, PRICE - 100], ids=["the price", "a misfit"])
def test_money_under_a_reference_that_nobody_asked_for_is_illegal(amount_minor: int) -> None:
    till = Till(1)
    charge = invented(till.charge(amount_minor, None))
    till.sale.act(SYSTEM, lambda: till.transaction._record_new_charge(charge))  # the guard is what is bypassed
    with pytest.raises(Objection):
        fold(till.events)


def test_a_request_under_an_invented_reference_is_illegal() -> None:
    till = Till(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("domain.transaction.payment.derive_reference", lambda *_: "ch-invented")
        till.charge(PRICE, None)
    with pytest.raises(Objection):
        fold(till.events)
