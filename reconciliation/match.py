"""Matching: the processor's lines against what is booked. Pure: no clock, no database, no network.

Every charge, transfer, refund, settlement and line of the balance ledger is matched to what is booked under the same
name, is on its way, or is listed as a difference; never is anything matched by its amount alone.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from domain.journal import Account
from domain.reconciliation import AccountFigure, Difference, DifferenceKind
from reconciliation import command
from reconciliation.books import Books
from reconciliation.charge import match_charges
from reconciliation.figures import Totals, prove_accounts
from reconciliation.finding import Findings, Place, Window
from reconciliation.kept import begin_of
from reconciliation.key import REFUND, TRANSFER, Key
from reconciliation.leftovers import judge_lines
from reconciliation.lines import Groups, Lines, count_lines, group_lines, latest_of
from reconciliation.records import Records
from reconciliation.refund import match_refunds
from reconciliation.settlement import match_settlements
from reconciliation.transfer import match_transfers


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it; amounts in minor units."""

    matched: int
    pending: int
    differences: tuple[Difference, ...]
    figures: tuple[AccountFigure, ...]


def match(books: Books, records: Records, totals: Totals, window: Window) -> Outcome:
    """Hold both sides against each other."""
    findings = Findings()
    groups = group_lines(books, records)
    match_charges(books, records, window, findings)
    match_transfers(books, records, window, latest_of(groups), findings)
    match_refunds(books, records, window, findings)
    match_settlements(books, records, window, findings)
    count_lines(books, groups, findings)
    open_minor = _open_amounts(groups, findings)
    _drop_corrected(groups, open_minor, findings)
    judge_lines(groups, open_minor, window, records, findings)
    figures = prove_accounts(books, totals, open_minor, begin_of(books, groups), window, findings)
    _fill_commands(open_minor, findings)
    return Outcome(
        matched=findings.matched,
        pending=len(findings.pending),
        differences=tuple(found for key in findings.differences for found in findings.differences[key]),
        figures=figures,
    )


def _open_amounts(groups: Groups, findings: Findings) -> dict[Key, Counter[Place]]:
    """Return, by thing and account, what the processor has beyond the books; only what is not zero."""
    found: dict[Key, Counter[Place]] = {}
    for key in dict.fromkeys((*findings.theirs, *groups)):
        amounts = Counter(findings.theirs.get(key, {}))
        for line in groups.get(key, Lines()).booked:
            amounts[line.account, line.currency] -= line.amount_minor
        found[key] = Counter({place: amount for place, amount in amounts.items() if amount})
    return found


def _drop_corrected(groups: Groups, open_minor: Mapping[Key, Counter[Place]], findings: Findings) -> None:
    """What a movement in its name has made good is no difference any more."""
    for key in list(findings.differences):
        was_corrected = any(line.is_correction for line in groups.get(key, Lines()).booked)
        if was_corrected and not open_minor.get(key) and _is_about_money(findings.differences[key], key):
            del findings.differences[key]
            findings.match(key)


def _is_about_money(found: list[Difference], key: Key) -> bool:
    """What became of a transfer or refund is asked of Paystack: booking its money does not settle it."""
    kinds = {each.kind for each in found}
    is_status_asked = key.subject in {TRANSFER, REFUND} and DifferenceKind.STATUS in kinds
    return DifferenceKind.REVERSED not in kinds and not is_status_asked


def _fill_commands(open_minor: Mapping[Key, Counter[Place]], findings: Findings) -> None:
    for key, found in findings.differences.items():
        correction = command.correct(open_minor.get(key, {}), key)
        findings.differences[key] = [
            each if each.command else replace(each, command=correction or _look_into(each)) for each in found
        ]


def _look_into(found: Difference) -> str:
    """Nothing is open on any account: ask about what is ours, and show the balance for what is not."""
    if found.reference and found.transaction_id is not None:
        return command.ask(found.reference)
    return command.show_entries(Account.BALANCE, found.currency)
