"""The books as the log has them: the trial balance, and whether clients' money was covered at every position."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from domain.journal import CLIENT_LIABILITIES, SAFEGUARDED_ASSETS, Account
from domain.money import MAX_AMOUNT_MINOR

ASSETS = frozenset(account.value for account in SAFEGUARDED_ASSETS)
LIABILITIES = frozenset(account.value for account in CLIENT_LIABILITIES)
COVER = ASSETS | LIABILITIES
CLEARING = Account.RECOVERIES.value

Line = tuple[str, str, int]


class Safeguard(NamedTuple):
    """One currency, in minor units: safeguarded assets, debts to clients, the least cover ever and where that was."""

    currency: str
    assets_minor: int
    liabilities_minor: int
    least_cover_minor: int
    least_cover_position: int

    @property
    def is_covered(self) -> bool:
        """Whether the assets now suffice for what clients are owed."""
        return self.assets_minor >= self.liabilities_minor


class Books:
    """Balances per currency and account, folded in the order of positions."""

    def __init__(self) -> None:
        """Nothing is posted yet."""
        self.balances: dict[str, Counter[str]] = {}
        self._cover: Counter[str] = Counter()
        self._least: dict[str, tuple[int, int]] = {}

    def post(self, position: int, currency: str, lines: Sequence[Line]) -> None:
        """Fold the lines of one event."""
        balances = self.balances.setdefault(currency, Counter())
        change = 0
        for account, _, amount_minor in lines:
            balances[account] += amount_minor
            if account in COVER:
                change += amount_minor
        self._cover[currency] += change
        least = self._least.get(currency)
        if least is None or self._cover[currency] < least[0]:
            self._least[currency] = (self._cover[currency], position)

    def uncleared(self, currency: str) -> int:
        """What one sale of a seller has given for another and that one has not taken; zero after every append."""
        balances = self.balances.get(currency)
        return 0 if balances is None else balances[CLEARING]

    def trial_balance(self) -> dict[str, dict[str, int]]:
        """Minor units per currency and account, debits positive; accounts that are flat are left out."""
        return {
            currency: {account: amount for account, amount in sorted(accounts.items()) if amount}
            for currency, accounts in sorted(self.balances.items())
        }

    def safeguards(self) -> tuple[Safeguard, ...]:
        """One for each currency."""
        return tuple(self._safeguard(currency) for currency in sorted(self.balances))

    def _safeguard(self, currency: str) -> Safeguard:
        balances = self.balances[currency]
        assets = sum(balances[account] for account in ASSETS)
        liabilities = -sum(balances[account] for account in LIABILITIES)
        return Safeguard(currency, assets, liabilities, *self._least[currency])


def is_balanced(lines: Sequence[Line]) -> bool:
    """Whether the lines are whole numbers in range that sum to zero."""
    amounts = [amount for _, _, amount in lines]
    return all(type(amount) is int and abs(amount) <= MAX_AMOUNT_MINOR for amount in amounts) and sum(amounts) == 0
