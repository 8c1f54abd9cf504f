"""Two sets of books about the same business, made from one story and nothing else: ours as events, theirs as lists."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.event import Event
from domain.journal import Account, Postings, credit, debit, journal
from domain.money import Currency
from domain.transaction.payment import PaymentFeeAssessed, PaymentReceived
from domain.transaction.payout import PayoutFailed, PayoutRequested, PayoutReversed, PayoutSubmitted, PayoutSucceeded
from domain.transaction.records import Basis, PayoutPurpose
from domain.transaction.refund import RefundProcessed, RefundSubmitted
from domain.transaction.settlement import RefundOrdered
from domain.transaction.transfer import TransferStatus
from domain.treasury import ACCOUNTS, FundsMoved, Movement
from gateways.bookkeeping import BalanceCause, BalanceEntry, Settlement, SettlementStatus
from gateways.payment import Balance, Charge, ChargeStatus, Refund, RefundStatus, Transfer
from gateways.payment import TransferStatus as Reported
from reconciliation.books import Books
from reconciliation.finding import Window
from reconciliation.match import Outcome, match
from reconciliation.records import WATCHED, Records
from tests.reconciliation.orders import read_orders

START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = START + timedelta(days=20)
CAPITAL_MINOR = 10_000_000
FEE_MINOR = 20_00


@dataclass
class Paper:
    """What both sides have written so far."""

    random: random.Random
    at: datetime = START
    events: list[tuple[int, Event]] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    settlements: list[Settlement] = field(default_factory=list)
    entries: list[BalanceEntry] = field(default_factory=list)
    settled: dict[int, int] = field(default_factory=dict)
    unsettled: list[Charge] = field(default_factory=list)
    balance: Counter[str] = field(default_factory=Counter)
    last_id: int = 0

    def new_id(self) -> int:
        self.last_id += 1
        self.at += timedelta(minutes=7)
        return self.last_id

    def book(self, kind: type[Event], postings: Postings, **facts: Any) -> None:
        event = object.__new__(kind)
        vars(event).update(timestamp=self.at, postings=postings, originator_version=1, **facts)
        self.events.append((len(self.events) + 1, event))

    def move(self, cause: BalanceCause, cause_id: int | None, currency: str, difference_minor: int) -> None:
        self.balance[currency] += difference_minor
        entry = BalanceEntry(
            processor_id=self.new_id(),
            currency=currency,
            difference_minor=difference_minor,
            balance_minor=self.balance[currency],
            reason=None,
            cause=cause,
            cause_id=cause_id,
            created_at=self.at,
        )
        self.entries.append(entry)

    def record(self, movement: Movement, currency: Currency, amount_minor: int, evidence: str) -> None:
        to, source = ACCOUNTS[movement]
        lines = journal(debit(to, amount_minor), credit(source, amount_minor))
        facts = {"movement": movement, "amount_minor": amount_minor, "evidence": evidence, "currency": currency}
        self.book(FundsMoved, lines, originator_id=UUID(int=1), **facts)

    def paste(self, commands: str) -> None:
        """Do what `escrow ledger record` does with these words."""
        for order in read_orders(commands):
            self.record(order.movement, order.amount.currency, order.amount.amount_minor, order.evidence)

    def top_up(self, currency: Currency = Currency.KES) -> None:
        self.move(BalanceCause.UNKNOWN, None, currency, CAPITAL_MINOR)
        self.record(Movement.BALANCE_TOPPED_UP, currency, CAPITAL_MINOR, "statement 1")

    def charge(self, currency: Currency = Currency.KES) -> tuple[UUID, Charge]:
        number, price = self.new_id(), self.random.randint(1_000, 9_999_99)
        transaction_id, fee = UUID(int=number << 64), price * 29 // 1000
        charge = Charge(
            processor_id=number,
            reference=f"ch-{number:040d}",
            status=ChargeStatus.SUCCESS,
            mode=None,
            amount_minor=price,
            requested_minor=price,
            currency=currency,
            fee_minor=fee,
            channel="card",
            paid_at=self.at,
            created_at=self.at,
            gateway_response=None,
            metadata={},
        )
        self.charges.append(charge)
        self.unsettled.append(charge)
        facts = {"originator_id": transaction_id, "reference": charge.reference, "currency": currency}
        lines = journal(debit(Account.UNCLEARED, price), credit(Account.HELD, price))
        self.book(PaymentReceived, lines, processor_id=str(number), amount_minor=price, **facts)
        self.book(
            PaymentFeeAssessed,
            journal(debit(Account.CHARGE_FEE, fee), credit(Account.UNCLEARED, fee)),
            fee_minor=fee,
            **facts,
        )
        return transaction_id, charge

    def settle(self, *, to_bank: bool = False) -> None:
        number = self.new_id()
        for currency in {charge.currency for charge in self.unsettled}:
            charges = [charge for charge in self.unsettled if charge.currency == currency]
            self._settle(number, Currency(currency), charges, to_bank=to_bank)
            number = self.new_id()
        self.unsettled.clear()

    def _settle(self, number: int, currency: Currency, charges: list[Charge], *, to_bank: bool) -> None:
        total, fees = (
            sum(each.amount_minor for each in charges),
            sum(each.fee_minor or 0 for each in charges),
        )
        self.settlements.append(
            Settlement(
                processor_id=number,
                status=SettlementStatus.SUCCESS,
                currency=currency,
                total_minor=total,
                effective_minor=total - fees,
                fees_minor=fees,
                deductions_minor=0,
                settled_at=self.at,
            )
        )
        for charge in charges:
            self.settled[charge.processor_id] = number
            if not to_bank:
                net = charge.amount_minor - (charge.fee_minor or 0)
                self.move(BalanceCause.CHARGE, charge.processor_id, currency, net)
        movement = Movement.CHARGES_SETTLED_TO_BANK if to_bank else Movement.CHARGES_SETTLED
        self.record(movement, currency, total - fees, f"settlement {number}")

    def pay_out(self, transaction_id: UUID, charge: Charge, ends: Reported = Reported.SUCCESS) -> Transfer:
        number, amount = self.new_id(), charge.amount_minor * 9 // 10
        transfer = Transfer(
            processor_id=number,
            transfer_code=f"TRF_{number}",
            reference=f"po-{number:040d}",
            status=ends,
            mode=None,
            amount_minor=amount,
            currency=charge.currency,
            recipient_code="RCP_1",
            fee_minor=FEE_MINOR if ends in {Reported.SUCCESS, Reported.REVERSED} else None,
            reason=None,
            gateway_response=None,
            created_at=self.at,
            transferred_at=self.at,
        )
        self.transfers.append(transfer)
        for difference in (-amount, -FEE_MINOR):
            self.move(BalanceCause.TRANSFER, number, charge.currency, difference)
        self._book_payout(transaction_id, transfer)
        if ends is Reported.FAILED:
            for difference in (FEE_MINOR, amount):
                self.move(BalanceCause.TRANSFER, number, charge.currency, difference)
        if ends is Reported.REVERSED:
            self.move(BalanceCause.TRANSFER, number, charge.currency, amount)
        return transfer

    def _book_payout(self, transaction_id: UUID, transfer: Transfer) -> None:
        amount, fee = transfer.amount_minor, FEE_MINOR
        facts = {
            "originator_id": transaction_id,
            "reference": transfer.reference,
            "currency": Currency(transfer.currency),
        }
        order = {"purpose": PayoutPurpose.SELLER, "attempt": 1, "amount_minor": amount, "recipient": "RCP_1"}
        self.book(
            PayoutRequested,
            journal(debit(Account.SELLER_PAYABLE, amount), credit(Account.PAYOUT_IN_FLIGHT, amount)),
            **facts,
            **order,
        )
        taken = journal(debit(Account.TRANSFERS_IN_TRANSIT, amount), credit(Account.BALANCE, amount))
        self.book(PayoutSubmitted, taken, transfer_code=transfer.transfer_code, **facts)
        back = debit(Account.BALANCE, amount)
        if transfer.status is Reported.FAILED:
            lines = journal(back, credit(Account.SELLER_PAYABLE, amount))
            self.book(PayoutFailed, lines, status=TransferStatus.FAILED, reason="failed", **facts)
            return
        paid = (debit(Account.PAYOUT_IN_FLIGHT, amount), credit(Account.TRANSFERS_IN_TRANSIT, amount))
        fees = (debit(Account.TRANSFER_FEE, fee), credit(Account.BALANCE, fee))
        self.book(PayoutSucceeded, journal(*paid, *fees), fee_minor=fee, **facts)
        if transfer.status is Reported.REVERSED:
            self.book(PayoutReversed, journal(back, credit(Account.SELLER_PAYABLE, amount)), reason="reversed", **facts)

    def give_back(self, transaction_id: UUID, charge: Charge) -> Refund:
        number, amount = self.new_id(), charge.amount_minor
        refund = Refund(
            processor_id=number,
            status=RefundStatus.PROCESSED,
            mode=None,
            amount_minor=amount,
            currency=charge.currency,
            charge_reference=charge.reference,
            charge_id=charge.processor_id,
            merchant_note=f"rf-{number:040d}",
            customer_note=None,
            deducted_minor=amount,
            is_fully_deducted=True,
            dispute_id=None,
            reason=None,
            bank_reference=None,
            created_at=self.at,
            expected_at=None,
            refunded_at=self.at,
        )
        self.refunds.append(refund)
        self.move(BalanceCause.REFUND, number, charge.currency, -amount)
        facts = {
            "originator_id": transaction_id,
            "reference": refund.merchant_note,
            "currency": Currency(charge.currency),
        }
        order = {"charge_reference": charge.reference, "amount_minor": amount, "basis": Basis.FORCED, "reason": "r"}
        owed = journal(debit(Account.HELD, amount), credit(Account.REFUND_DUE, amount))
        self.book(RefundOrdered, owed, returns_all=True, **facts, **order)
        taken = journal(debit(Account.REFUNDS_IN_TRANSIT, amount), credit(Account.BALANCE, amount))
        self.book(RefundSubmitted, taken, processor_refund_id=str(number), source=Account.BALANCE, **facts)
        self.book(
            RefundProcessed,
            journal(debit(Account.REFUND_DUE, amount), credit(Account.REFUNDS_IN_TRANSIT, amount)),
            **facts,
        )
        place = self.charges.index(charge)
        self.charges[place] = _with(charge, status=ChargeStatus.REVERSED)
        return refund

    def books(self, **changed: Any) -> Books:
        """Their side, perhaps with something changed."""
        lists = {
            "charges": tuple(self.charges),
            "transfers": tuple(self.transfers),
            "refunds": tuple(self.refunds),
            "settlements": tuple(self.settlements),
            "entries": tuple(self.entries),
            "balances": tuple(Balance(currency=c, balance_minor=b) for c, b in sorted(self.balance.items())),
            "settled_charges": self.settled,
        }
        return Books(**{**lists, **changed})

    def records(self) -> Records:
        records = Records()
        records.fold(self.events)
        return records

    def totals(self) -> Counter[tuple[Account, str]]:
        found: Counter[tuple[Account, str]] = Counter()
        for _, event in self.events:
            for line in event.postings:  # type: ignore[attr-defined]
                if line.account in WATCHED:
                    found[line.account, event.currency] += line.amount_minor  # type: ignore[attr-defined]
        return found

    def match(self, *, now: datetime = NOW, **changed: Any) -> Outcome:
        return match(self.books(**changed), self.records(), self.totals(), Window(since=START, now=now))


def _with(thing: Any, **changes: Any) -> Any:
    import dataclasses

    return dataclasses.replace(thing, **changes)


def write(seed: int, sales: int = 12) -> Paper:
    """Return a business in which everything agrees: paid, settled, paid out, failed, reversed, refunded."""
    paper = Paper(random.Random(seed))
    currencies = (Currency.KES, Currency.NGN)
    for currency in currencies:
        paper.top_up(currency)
    for number in range(sales):
        transaction_id, charge = paper.charge(paper.random.choice(currencies))
        if paper.random.random() < 0.5:
            paper.settle(to_bank=paper.random.random() < 0.3)
        way = number % 4
        if way == 3:
            paper.give_back(transaction_id, charge)
        else:
            paper.pay_out(transaction_id, charge, (Reported.SUCCESS, Reported.FAILED, Reported.REVERSED)[way])
    return paper
