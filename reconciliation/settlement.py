"""Settlements: charges that Paystack paid out, into its own balance or to the bank, matched by the settlement's id."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.journal import Account
from domain.money import Currency
from domain.reconciliation import DifferenceKind
from domain.treasury import Movement
from gateways.bookkeeping import BalanceCause, Settlement, SettlementStatus
from reconciliation import command
from reconciliation.books import Books
from reconciliation.finding import Facts, Findings, Window, Withheld
from reconciliation.key import SETTLEMENT, Key
from reconciliation.records import BookedMovement, Records

SETTLED = frozenset({Movement.CHARGES_SETTLED, Movement.CHARGES_SETTLED_TO_BANK})


@dataclass(frozen=True, kw_only=True)
class Booking:
    """A movement that is to be recorded for a settlement, or for what a settlement kept for a refund.

    `occasion` tells the movements of one thing apart that happen more than once.
    """

    key: Key
    movement: Movement
    currency: Currency
    amount_minor: int
    occasion: str = ""


def list_due(books: Books, records: Records) -> list[Booking]:
    """Return what is to be booked for the successful settlements, or is left of it.

    What arrives goes to the balance, if its ledger names the settlement or its charges, else to the bank. What was
    deducted for refunds and chargebacks goes to the balance: it is from there that they are booked to have been paid.
    """
    booked, into_balance = _booked(records), settlements_in_balance(books)
    return [
        booking
        for settlement in books.settlements
        if settlement.status is SettlementStatus.SUCCESS
        for booking in _rest_of(
            bookings_of(settlement, is_in_balance=settlement.processor_id in into_balance),
            booked.get(_key(settlement), []),
        )
    ]


def _key(settlement: Settlement) -> Key:
    return Key(SETTLEMENT, str(settlement.processor_id))


def _booked(records: Records) -> dict[Key, list[BookedMovement]]:
    """Return all that was recorded in the name of each settlement, corrections too."""
    found: dict[Key, list[BookedMovement]] = {}
    for movement in records.movements:
        if movement.key is not None and movement.key.subject == SETTLEMENT:
            found.setdefault(movement.key, []).append(movement)
    return found


def _settled(booked: Iterable[BookedMovement]) -> list[BookedMovement]:
    return [each for each in booked if each.movement in SETTLED]


def _rest_of(due: list[Booking], booked: Sequence[BookedMovement]) -> list[Booking]:
    """All of it, or what is left after a crash between two movements; where anything else is booked, a person decides.

    A correction may have made good what is left.
    """
    if not _settled(booked):
        return due
    found = [(each.movement, each.currency, each.amount_minor) for each in booked]
    rest = [each for each in due if (each.movement, each.currency, each.amount_minor) not in found]
    return rest if len(rest) + len(found) == len(due) else []


def settlements_in_balance(books: Books) -> frozenset[int]:
    """Return the ids of the settlements that the balance ledger shows."""
    by_id = {e.cause_id for e in books.entries if e.cause is BalanceCause.SETTLEMENT and e.cause_id is not None}
    by_charge = {
        books.settled_charges[entry.cause_id]
        for entry in books.entries
        if entry.cause is BalanceCause.CHARGE and entry.difference_minor > 0 and entry.cause_id in books.settled_charges
    }
    return frozenset(by_id | by_charge)


def bookings_of(settlement: Settlement, *, is_in_balance: bool) -> list[Booking]:
    """Return the movements of one settlement; none in a currency that the books do not keep."""
    if settlement.currency not in set(Currency):
        return []
    arrived, deducted = settlement.effective_minor, settlement.deductions_minor
    amounts = {Movement.CHARGES_SETTLED: arrived + deducted if is_in_balance else deducted}
    if not is_in_balance:
        amounts[Movement.CHARGES_SETTLED_TO_BANK] = arrived
    return [
        Booking(
            key=_key(settlement),
            movement=movement,
            currency=Currency(settlement.currency),
            amount_minor=amount,
        )
        for movement, amount in amounts.items()
        if amount > 0
    ]


def match_settlements(books: Books, records: Records, window: Window, findings: Findings) -> None:
    """Hold every settlement against what was booked for it, and every booking against the list."""
    booked, into_balance = _booked(records), settlements_in_balance(books)
    withheld = deductions_outside_balance(books)
    for settlement in books.settlements:
        known = booked.get(_key(settlement), [])
        is_in_balance = settlement.processor_id in into_balance
        _count(settlement, findings, is_in_balance=is_in_balance)
        if not window.is_before(settlement.settled_at, *(each.at for each in _settled(known))):
            _judge(settlement, known, window, findings, is_in_balance=is_in_balance)
        if (kept := withheld.get(_key(settlement))) is not None:
            at = max((each.at for each in _settled(known)), default=settlement.settled_at or window.now)
            findings.withheld[_key(settlement)] = Withheld(at=at, currency=kept[0], amount_minor=kept[1])
    listed = {_key(settlement) for settlement in books.settlements}
    for key, known in booked.items():
        movements = _settled(known)
        if key not in listed and movements and not window.is_before(*(each.at for each in movements)):
            _name_missing_there(key, movements, window, findings)


def _count(settlement: Settlement, findings: Findings, *, is_in_balance: bool) -> None:
    """The balance's own lines are counted with the balance ledger."""
    if settlement.status is SettlementStatus.SUCCESS:
        key, currency = _key(settlement), settlement.currency
        findings.count(key, Account.UNCLEARED, currency, -settlement.effective_minor - settlement.deductions_minor)
        if not is_in_balance:
            findings.count(key, Account.BANK, currency, settlement.effective_minor)


def deductions_outside_balance(books: Books) -> dict[Key, tuple[str, int]]:
    """Return, by settlement, the currency and what was kept for refunds without a line in the balance ledger.

    It is booked as having come into the balance, because it is from there that those refunds are booked to be paid.
    Where the ledger shows each charge of a settlement it also shows each refund that was deducted from it.
    """
    by_id = {entry.cause_id for entry in books.entries if entry.cause is BalanceCause.SETTLEMENT}
    into_balance = settlements_in_balance(books)
    return {
        Key(SETTLEMENT, str(each.processor_id)): (each.currency, each.deductions_minor)
        for each in books.settlements
        if each.status is SettlementStatus.SUCCESS
        and each.deductions_minor
        and (each.processor_id in by_id or each.processor_id not in into_balance)
    }


def _judge(
    settlement: Settlement, known: list[BookedMovement], window: Window, findings: Findings, *, is_in_balance: bool
) -> None:
    key, booked = _key(settlement), _settled(known)
    facts, is_young = _facts(settlement, booked), window.is_young(settlement.settled_at, *(each.at for each in booked))
    if settlement.status is not SettlementStatus.SUCCESS:
        if booked and not is_young:
            sentence = f"Paystack says the settlement is {settlement.status}; it is booked as paid."
            findings.differ(DifferenceKind.STATUS, key, sentence, facts)
        else:
            findings.wait(key)
        return
    due = bookings_of(settlement, is_in_balance=is_in_balance)
    rest = _rest_of(due, known)
    if (rest or not booked) and is_young:
        findings.wait(key)
    elif rest:
        commands = [command.record(each.movement, each.currency, each.amount_minor, key) for each in rest]
        missing = sum(each.amount_minor for each in rest) if booked else settlement.effective_minor
        sentence = f"Paystack has settled {missing} {settlement.currency} that is not booked."
        findings.differ(DifferenceKind.MISSING_HERE, key, sentence, facts, command.AND.join(commands))
    else:
        _compare(settlement, booked, due, findings)
    findings.match(key)


def _compare(settlement: Settlement, booked: list[BookedMovement], due: list[Booking], findings: Findings) -> None:
    key, facts = _key(settlement), _facts(settlement, booked)
    movements = [each.movement for each in booked]
    wanted = sorted((each.movement, each.currency, each.amount_minor) for each in due)
    found = sorted((each.movement, each.currency, each.amount_minor) for each in booked)
    if len(set(movements)) < len(movements):
        sentence = "The settlement is booked more than once."
        findings.differ(DifferenceKind.DUPLICATE, key, sentence, facts)
    elif {each.currency for each in due} != {each.currency for each in booked}:
        sentence = f"Paystack settled {settlement.currency} and another currency is booked."
        findings.differ(DifferenceKind.CURRENCY, key, sentence, facts)
    elif wanted != found:
        sentence = f"Paystack settled {facts.theirs} and {facts.ours} is booked, or it went elsewhere."
        findings.differ(DifferenceKind.AMOUNT, key, sentence, facts)


def _name_missing_there(key: Key, booked: list[BookedMovement], window: Window, findings: Findings) -> None:
    if window.is_young(*(each.at for each in booked)):
        findings.wait(key)
        return
    amount = sum(each.amount_minor for each in booked)
    facts = Facts(currency=booked[0].currency, processor_id=key.id, ours=amount)
    sentence = "A settlement is booked that Paystack does not list."
    findings.differ(DifferenceKind.MISSING_THERE, key, sentence, facts)


def _facts(settlement: Settlement, booked: list[BookedMovement]) -> Facts:
    return Facts(
        currency=settlement.currency,
        processor_id=str(settlement.processor_id),
        ours=sum(each.amount_minor for each in booked) if booked else None,
        theirs=settlement.effective_minor + settlement.deductions_minor,
    )
