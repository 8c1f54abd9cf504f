"""Whole accounts: what the ledger says at the cut, what the processor says, and what explains the distance."""

from collections import Counter
from collections.abc import Mapping

from domain.journal import Account
from domain.reconciliation import AccountFigure, DifferenceKind
from reconciliation import command
from reconciliation.books import Books
from reconciliation.finding import Facts, Findings, Place, Window
from reconciliation.kept import Begun, explain_kept
from reconciliation.key import ACCOUNT, CHARGE, SETTLEMENT, Key
from reconciliation.leftovers import Open

Totals = Mapping[Place, int]
"""What the ledger says of each account in each currency at the cut, in minor units."""

KINDS = {
    Account.BALANCE: DifferenceKind.BALANCE,
    Account.UNCLEARED: DifferenceKind.UNCLEARED,
    Account.BANK: DifferenceKind.BANK,
}


def prove_accounts(
    books: Books, totals: Totals, open_minor: Open, begun: Begun, window: Window, findings: Findings
) -> tuple[AccountFigure, ...]:
    """Return the figures of each account and currency, and list what neither pending nor listed lines explain.

    The bank is not the processor's: of it only the payouts to the bank are compared, on both sides.
    """
    kept_minor = explain_kept(open_minor, begun, window, findings)
    open_minor = _explaining(open_minor, begun, window, findings)
    theirs, to_bank = _balances(books), _to_bank(findings)
    theirs.update(_unsettled(books, findings))
    ours = Counter({place: amount for place, amount in totals.items() if place[0] is not Account.BANK})
    ours.update({place: amount - _opened(open_minor, place) for place, amount in to_bank.items()})
    theirs.update(to_bank)
    figures: list[AccountFigure] = []
    for place in sorted({*ours, *theirs}):
        figure = _figure(place, ours[place], theirs[place], open_minor, findings)
        if place[0] is Account.BALANCE:
            figure = figure._replace(pending_minor=figure.pending_minor + kept_minor[place[1]])
        _judge(figure, _told(figure, books, open_minor, findings), window, findings)
        if figure.ledger_minor or figure.processor_minor:
            figures.append(figure)
    return tuple(figures)


def _explaining(open_minor: Open, begun: Begun, window: Window, findings: Findings) -> Open:
    """Leave out what explains no distance.

    A correction of the whole account has moved the ledger's own figure. What is older than the window is forgotten or
    only half read: if money is missing because of it, the distance is there, and has to be said. What is kept from the
    balance explains that in its own way, and what a settlement kept has no part in Paystack's total of it.
    """
    kept = {key for key in findings.kept if not window.is_before(begun.get(key))}
    explaining = findings.differences.keys() | findings.pending | kept
    found = {key: Counter(amounts) for key, amounts in open_minor.items() if key in explaining}
    for key in findings.kept & found.keys():
        found[key] = Counter({place: n for place, n in found[key].items() if place[0] is not Account.BALANCE})
    for key, withheld in findings.withheld.items():
        if key in found and found[key][Account.BALANCE, withheld.currency]:
            found[key][Account.BALANCE, withheld.currency] -= withheld.amount_minor
    return found


def _balances(books: Books) -> Counter[Place]:
    return Counter({(Account.BALANCE, each.currency): each.balance_minor for each in books.balances})


def _unsettled(books: Books, findings: Findings) -> Counter[Place]:
    """Return what charges that no settlement has paid out have brought, less their fees."""
    settled = {str(charge_id) for charge_id in books.settled_charges}
    found: Counter[Place] = Counter()
    for key, amounts in findings.theirs.items():
        if key.subject == CHARGE and key.id not in settled:
            found.update({place: amount for place, amount in amounts.items() if place[0] is Account.UNCLEARED})
    return found


def _to_bank(findings: Findings) -> Counter[Place]:
    found: Counter[Place] = Counter()
    for amounts in findings.theirs.values():
        found.update({place: amount for place, amount in amounts.items() if place[0] is Account.BANK})
    return found


def _opened(open_minor: Open, place: Place) -> int:
    return sum(amounts[place] for amounts in open_minor.values())


def _figure(place: Place, ours: int, theirs: int, open_minor: Open, findings: Findings) -> AccountFigure:
    listed = sum(amounts[place] for key, amounts in open_minor.items() if key in findings.differences)
    pending = sum(amounts[place] for key, amounts in open_minor.items() if key not in findings.differences)
    account, currency = place
    return AccountFigure(account, currency, ours, theirs, pending, listed)


def _judge(figure: AccountFigure, told_minor: int, window: Window, findings: Findings) -> None:
    """What only says again, in a total, that lines are listed which the processor's own total leaves out, is told.

    The same amount can be missing again months later: the time of the run tells its correction from a repeat.
    """
    if figure.unexplained_minor in {0, -told_minor}:
        return
    key, occasion = Key(ACCOUNT, figure.account), f" at {window.now.isoformat(timespec='seconds')}"
    findings.differ(
        KINDS[Account(figure.account)],
        key,
        f"{figure.unexplained_minor} {figure.currency} of {figure.account} are explained by no line on either side "
        f"since {window.since.date()}.",
        Facts(
            currency=figure.currency,
            reference=figure.account,
            ours=figure.ledger_minor,
            theirs=figure.processor_minor,
        ),
        command.correct({(Account(figure.account), figure.currency): figure.unexplained_minor}, key, occasion)
        or command.show_entries(figure.account, figure.currency),
    )


def _told(figure: AccountFigure, books: Books, open_minor: Open, findings: Findings) -> int:
    """Of what is not settled, the listed settlements and settled charges: they stand in no total of the processor."""
    if figure.account != Account.UNCLEARED:
        return figure.listed_minor
    settled = {Key(CHARGE, str(charge_id)) for charge_id in books.settled_charges}
    return sum(
        amounts[Account.UNCLEARED, figure.currency]
        for key, amounts in open_minor.items()
        if key in findings.differences and (key in settled or key.subject == SETTLEMENT)
    )
