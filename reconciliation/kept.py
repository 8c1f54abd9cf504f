"""What settlements keep for refunds and chargebacks, instead of the balance.

The books pay those from the balance, and have what a settlement kept come into it: until it is kept, the balance is
higher than the books say. Paystack does not say for what a settlement kept something: for what has waited longest.
"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.journal import Account
from reconciliation.books import Books
from reconciliation.finding import Findings, Window
from reconciliation.key import Key
from reconciliation.leftovers import Open
from reconciliation.lines import Groups
from reconciliation.refund import key_of

Begun = Mapping[Key, datetime]
"""Since when each thing is known to either side."""


@dataclass
class Waiting:
    """A refund or chargeback, and what of it no settlement has kept yet."""

    at: datetime
    amount_minor: int


def begin_of(books: Books, groups: Groups) -> Begun:
    """Return since when each thing is known: a settlement may keep a chargeback before we have heard of it."""
    begun = {key: min(lines.moments) for key, lines in groups.items() if lines.moments}
    for refund in books.refunds:
        key = key_of(refund)
        if refund.created_at is not None:
            begun[key] = min(refund.created_at, begun.get(key, refund.created_at))
    return begun


def explain_kept(open_minor: Open, begun: Begun, window: Window, findings: Findings) -> Counter[str]:
    """Return by how much the balance is higher than the books, by currency, until settlements keep what they will.

    What is older than the window explains nothing, nor does what was kept for nothing, once it is no longer young.
    """
    steps = [
        (begun[key], currency, amount)
        for key in findings.kept
        for (account, currency), amount in open_minor[key].items()
        if account is Account.BALANCE and key in begun
    ]
    steps += [
        (each.at, each.currency, -each.amount_minor)
        for key, each in findings.withheld.items()
        if not open_minor[key][Account.BALANCE, each.currency]
    ]
    explained, waiting = Counter[str](), dict[str, deque[Waiting]]()
    # Of one moment, what begins to wait comes before what is kept of it.
    for at, currency, amount in sorted(steps, key=lambda step: (step[0], -step[2])):
        line = waiting.setdefault(currency, deque())
        if amount > 0:
            line.append(Waiting(at, amount))
        elif (rest := _take(line, -amount)) and window.is_young(at):
            explained[currency] -= rest
    for currency, line in waiting.items():
        explained[currency] += sum(each.amount_minor for each in line if not window.is_before(each.at))
    return explained


def _take(line: deque[Waiting], amount_minor: int) -> int:
    """Take from what has waited longest; return what was kept for nothing."""
    while line and amount_minor:
        taken = min(amount_minor, line[0].amount_minor)
        line[0].amount_minor -= taken
        amount_minor -= taken
        if not line[0].amount_minor:
            line.popleft()
    return amount_minor
