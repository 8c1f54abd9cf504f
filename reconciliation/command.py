"""The commands that settle differences, ready to be pasted."""

from collections.abc import Mapping

from domain.journal import Account
from domain.money import Currency
from domain.treasury import Movement
from reconciliation.key import Key, key_of_evidence

AND = " && "
ASK = "escrow reconcile --ask "


def ask(reference: str) -> str:
    """Ask the processor about one reference and record what it says."""
    return f"{ASK}{reference}"


def record(movement: Movement, currency: str, amount_minor: int, key: Key, occasion: str = "") -> str:
    """Record one movement whose evidence names what it settles, and the occasion where there can be several."""
    options = f"--currency {currency} --amount-minor {amount_minor}"
    return f'escrow ledger record {movement} {options} --evidence "{key}{occasion}"'


def show_entries(account: str, currency: str) -> str:
    """Show the lines of an account; all of them for a currency that the books do not keep."""
    option = f" --currency {currency}" if currency in set(Currency) else ""
    return f"escrow ledger entries {account}{option}"


def reference_asked(found: str) -> str | None:
    """Return the reference that this command asks about; None for any other command."""
    return found.removeprefix(ASK) if found.startswith(ASK) else None


def correct(open_minor: Mapping[tuple[Account, str], int], key: Key, occasion: str = "") -> str:
    """Book into suspense what the processor has more, or less, than we; "" when nothing is open.

    A currency that the books do not keep has no command, nor has a name that a later run would not find again.
    """
    if key_of_evidence(str(key)) != key:
        return ""
    lines = [
        record(_CORRECTIONS[account, amount > 0], currency, abs(amount), key, occasion)
        for (account, currency), amount in open_minor.items()
        if amount and currency in set(Currency) and (account, True) in _CORRECTIONS
    ]
    return AND.join(lines)


_CORRECTIONS: dict[tuple[Account, bool], Movement] = {
    (Account.BALANCE, True): Movement.BALANCE_OVER,
    (Account.BALANCE, False): Movement.BALANCE_SHORT,
    (Account.UNCLEARED, True): Movement.UNCLEARED_OVER,
    (Account.UNCLEARED, False): Movement.UNCLEARED_SHORT,
}
