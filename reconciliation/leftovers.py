"""What is open on an account although the things themselves agree: a line too many, too few, or of another amount."""

from collections import Counter
from collections.abc import Mapping

from domain.journal import Account
from domain.reconciliation import DifferenceKind
from domain.treasury import Movement
from reconciliation import command
from reconciliation.finding import Facts, Findings, Place, Window
from reconciliation.key import ACCOUNT, CHARGE, DISPUTE, MOVEMENT, REFUND, TRANSFER, Key
from reconciliation.lines import Groups, Lines
from reconciliation.records import Records

Open = Mapping[Key, Counter[Place]]


def judge_lines(groups: Groups, open_minor: Open, window: Window, records: Records, findings: Findings) -> None:
    """Match, list or leave pending what the lines about each thing leave open."""
    for key, amounts in open_minor.items():
        lines = groups.get(key, Lines())
        if not amounts:
            findings.matched += len(lines.entries)
        elif _is_only_correction(key, lines):
            continue
        elif _is_kept_from_settlement(key, amounts):
            findings.match(key)
            findings.kept.add(key)
        elif key in findings.differences or key in findings.pending:
            continue
        elif window.is_young(*lines.moments):
            findings.wait(key)
        elif lines.moments and not window.is_before(*lines.moments):
            _name(key, lines, amounts, records, findings)


def _is_only_correction(key: Key, lines: Lines) -> bool:
    """What was corrected late is in no list any more; if it never was, the account's own figure tells.

    A whole account is in no list at any time.
    """
    is_named = key.subject != MOVEMENT and not lines.entries and all(line.is_correction for line in lines.booked)
    return key.subject == ACCOUNT or is_named


def _is_kept_from_settlement(key: Key, amounts: Counter[Place]) -> bool:
    """A refund without a line in the balance was paid from money that was not settled yet.

    It stands on that account until a settlement deducts it, and after that on the balance, where the rest arrived.
    """
    kept = {Account.BALANCE, Account.UNCLEARED}
    is_kept = all(account in kept and amount > 0 for (account, _), amount in amounts.items())
    return key.subject in {REFUND, DISPUTE} and is_kept


def _name(key: Key, lines: Lines, amounts: Counter[Place], records: Records, findings: Findings) -> None:
    kind = _kind(key, lines, amounts, records)
    booked = records.transfers.get(key.id) if key.subject == TRANSFER else None
    there = sum(entry.difference_minor for entry in lines.entries)
    here = sum(line.amount_minor for line in lines.booked if line.account is Account.BALANCE)
    facts = Facts(
        currency=next(iter(amounts))[1],
        reference=booked.reference if booked else "",
        processor_id=str(lines.entries[0].processor_id) if lines.entries else None,
        transaction_id=booked.transaction_id if booked else None,
        ours=here if lines.booked else None,
        theirs=there if lines.entries else None,
    )
    sentence = _SENTENCES[kind].format(key=key, there=there, here=here)
    findings.differ(kind, key, sentence, facts, _command(kind, key, amounts))


def _kind(key: Key, lines: Lines, amounts: Counter[Place], records: Records) -> DifferenceKind:
    if not lines.booked:
        return DifferenceKind.MISSING_HERE
    if not lines.entries and key.subject != CHARGE:
        return DifferenceKind.MISSING_THERE
    if {entry.currency for entry in lines.entries} - {line.currency for line in lines.booked}:
        return DifferenceKind.CURRENCY
    if _has_twin(lines):
        return DifferenceKind.DUPLICATE
    return DifferenceKind.FEE if _is_fee(key, lines, records) else DifferenceKind.AMOUNT


def _has_twin(lines: Lines) -> bool:
    """A line of the balance, or of the books, that is there more often than on the other side and at least twice."""
    there = Counter(entry.difference_minor for entry in lines.entries)
    here = Counter(line.amount_minor for line in lines.booked if line.account is Account.BALANCE)
    twice_there = any(number > 1 and number > here[amount] for amount, number in there.items())
    return twice_there or any(number > 1 and number > there[amount] > 0 for amount, number in here.items())


def _is_fee(key: Key, lines: Lines, records: Records) -> bool:
    """What is open beside a transfer whose own amount both sides have as often is its fee."""
    booked = records.transfers.get(key.id) if key.subject == TRANSFER else None
    if booked is None:
        return False
    there = Counter(abs(entry.difference_minor) for entry in lines.entries)
    here = Counter(abs(line.amount_minor) for line in lines.booked)
    return there[booked.amount_minor] == here[booked.amount_minor]


def _command(kind: DifferenceKind, key: Key, amounts: Counter[Place]) -> str:
    if kind is not DifferenceKind.FEE:
        return command.correct(amounts, key)
    (_, currency), amount = next(iter(amounts.items()))
    movement = Movement.TRANSFER_FEE_RETURNED if amount > 0 else Movement.TRANSFER_FEE_CHARGED
    return command.record(movement, currency, abs(amount), key)


_SENTENCES = {
    DifferenceKind.MISSING_HERE: "Paystack's balance moved by {there} for {key}, and nothing is booked.",
    DifferenceKind.MISSING_THERE: "{here} is booked for {key}, and no line of Paystack's balance shows it.",
    DifferenceKind.CURRENCY: "Paystack's balance moved in another currency for {key} than is booked.",
    DifferenceKind.DUPLICATE: "The same line is there more than once for {key}: {there} at Paystack, {here} booked.",
    DifferenceKind.FEE: "Paystack's balance moved by {there} for {key}, and {here} is booked: a fee is not.",
    DifferenceKind.AMOUNT: "Paystack's balance moved by {there} for {key}, and {here} is booked.",
}
