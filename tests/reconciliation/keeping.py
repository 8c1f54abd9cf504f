"""What Paystack takes back at once and a settlement keeps later: until then its balance is above the books."""

import dataclasses
from datetime import timedelta

from domain.journal import Account, credit, debit, journal
from domain.money import Currency
from domain.transaction.chargeback import ChargebackLost
from domain.treasury import Movement
from gateways.payment import Refund, RefundStatus
from tests.reconciliation.paper import Paper

change = dataclasses.replace


def lose(paper: Paper, number: int = 77, amount_minor: int = 900, *, recorded_later: timedelta = timedelta()) -> None:
    """A chargeback of a part of a charge that is settled; the balance has no line of it."""
    transaction_id, charge = paper.charge(Currency.KES)
    paper.settle()
    paper.refunds.append(
        Refund(
            processor_id=paper.new_id(),
            status=RefundStatus.PROCESSED,
            mode=None,
            amount_minor=amount_minor,
            currency=charge.currency,
            charge_reference=charge.reference,
            charge_id=charge.processor_id,
            merchant_note=None,
            customer_note=None,
            deducted_minor=0,
            is_fully_deducted=False,
            dispute_id=number,
            reason=None,
            bank_reference=None,
            created_at=paper.at,
            expected_at=None,
            refunded_at=paper.at,
        )
    )
    taken = journal(debit(Account.HELD, amount_minor), credit(Account.BALANCE, amount_minor))
    facts = {"originator_id": transaction_id, "currency": Currency.KES, "amount_minor": amount_minor}
    paper.at += recorded_later
    paper.book(ChargebackLost, taken, processor_dispute_id=str(number), cancelled_refunds=(), **facts)
    paper.at -= recorded_later


def keep(paper: Paper, amount_minor: int = 900) -> None:
    """The settlement of another charge, to the bank, less that; booked as it is due."""
    paper.charge(Currency.KES)
    paper.settle(to_bank=True)
    paper.events.pop()
    last = paper.settlements[-1]
    arrived = last.effective_minor - amount_minor
    paper.settlements[-1] = change(last, effective_minor=arrived, deductions_minor=amount_minor)
    evidence = f"settlement {last.processor_id}"
    paper.record(Movement.CHARGES_SETTLED, Currency.KES, amount_minor, evidence)
    paper.record(Movement.CHARGES_SETTLED_TO_BANK, Currency.KES, arrived, evidence)
