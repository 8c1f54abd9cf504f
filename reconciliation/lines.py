"""The balance ledger line by line: what each line is about, and both sides' lines about the same thing together."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.journal import Account
from gateways.bookkeeping import BalanceCause, BalanceEntry
from reconciliation.books import Books
from reconciliation.finding import Findings
from reconciliation.key import CHARGE, DISPUTE, ENTRY, MOVEMENT, REFUND, SETTLEMENT, TRANSFER, Key
from reconciliation.records import BookedLine, Records
from reconciliation.refund import key_of as key_of_refund
from reconciliation.settlement import deductions_outside_balance
from reconciliation.transfer import Latest, duplicate_key

NEAR = timedelta(days=3)
"""A top-up has no name on both sides: it is the only line of its currency and amount within these days, or listed."""

Cause = tuple[BalanceCause, int | None]


@dataclass
class Lines:
    """Both sides' lines about one thing."""

    entries: list[BalanceEntry] = field(default_factory=list[BalanceEntry])
    booked: list[BookedLine] = field(default_factory=list[BookedLine])

    @property
    def moments(self) -> list[datetime]:
        """When each of them was written."""
        written = [entry.created_at for entry in self.entries if entry.created_at is not None]
        return [*written, *(line.at for line in self.booked)]


Groups = dict[Key, Lines]


def group_lines(books: Books, records: Records) -> Groups:
    """Return both sides' lines by what they are about."""
    groups: Groups = {}
    names = _names(books, records)
    for entry in books.entries:
        key = names.get((entry.cause, entry.cause_id), Key(ENTRY, str(entry.processor_id)))
        groups.setdefault(key, Lines()).entries.append(entry)
    for line in records.lines:
        key = line.key or Key(MOVEMENT, str(line.position))
        if line.account is not Account.BANK or key.subject == SETTLEMENT:
            groups.setdefault(key, Lines()).booked.append(line)
    _pair_nameless(groups)
    return groups


def latest_of(groups: Groups) -> Latest:
    """Return when the balance last moved because of each thing."""
    return {key: max(lines.moments) for key, lines in groups.items() if lines.moments}


def count_lines(books: Books, groups: Groups, findings: Findings) -> None:
    """Count what the processor says has moved its balance."""
    for key, lines in groups.items():
        for entry in lines.entries:
            findings.count(key, Account.BALANCE, entry.currency, entry.difference_minor)
    for key, (currency, amount) in deductions_outside_balance(books).items():
        findings.count(key, Account.BALANCE, currency, amount)


def _names(books: Books, records: Records) -> dict[Cause, Key]:
    """Return what each cause of a line is called; a line of any other cause is only called by its own id."""
    names: dict[Cause, Key] = {}
    for charge_id in (*(str(charge.processor_id) for charge in books.charges), *records.charges):
        if charge_id.isdecimal():
            names[BalanceCause.CHARGE, int(charge_id)] = Key(CHARGE, charge_id)
    for charge_id, settlement_id in books.settled_charges.items():
        names[BalanceCause.CHARGE, charge_id] = Key(SETTLEMENT, str(settlement_id))
    for refund in records.refunds.values():
        if refund.processor_id is not None and refund.processor_id.isdecimal():
            names[BalanceCause.REFUND, int(refund.processor_id)] = Key(REFUND, refund.processor_id)
    names |= {(BalanceCause.REFUND, refund.processor_id): key_of_refund(refund) for refund in books.refunds}
    seen: set[str] = set()
    for transfer in books.transfers:
        key = duplicate_key(transfer) if transfer.reference in seen else Key(TRANSFER, transfer.reference)
        names[BalanceCause.TRANSFER, transfer.processor_id] = key
        seen.add(transfer.reference)
    for entry in books.entries:
        if entry.cause in _BY_ID and entry.cause_id is not None:
            names[entry.cause, entry.cause_id] = Key(_BY_ID[entry.cause], str(entry.cause_id))
    return names


_BY_ID = {BalanceCause.SETTLEMENT: SETTLEMENT, BalanceCause.DISPUTE: DISPUTE}


def _pair_nameless(groups: Groups) -> None:
    """A line that neither side can name, such as a top-up, belongs to the one posting of that amount at that time."""
    entries = [key for key, lines in groups.items() if key.subject == ENTRY and not lines.booked]
    movements = [key for key in groups if key.subject == MOVEMENT]
    for key in entries:
        fitting = [each for each in movements if _fit(groups[key], groups[each])]
        rivals = [each for each in entries if fitting and each != key and _fit(groups[each], groups[fitting[0]])]
        if len(fitting) == 1 and not rivals:
            groups[key].booked += groups.pop(fitting[0]).booked
            movements.remove(fitting[0])


def _fit(there: Lines, here: Lines) -> bool:
    entry, line = there.entries[0], here.booked[0]
    is_same = (entry.currency, entry.difference_minor) == (line.currency, line.amount_minor)
    is_balance = len(here.booked) == 1 and line.account is Account.BALANCE
    return is_same and is_balance and entry.created_at is not None and abs(entry.created_at - line.at) <= NEAR
