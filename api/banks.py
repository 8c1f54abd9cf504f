"""The banks that Paystack knows, asked for once an hour at most, however many people look."""

import asyncio
from datetime import datetime, timedelta

from domain.errors import EscrowError
from domain.money import Currency
from gateways.bank import Bank, BankDirectory

KEPT = timedelta(hours=1)


class BanksUnavailable(EscrowError):
    """Paystack cannot be asked for its banks at the moment; try again in a few seconds."""

    code = "banks_unavailable"
    status = 503


class Banks:
    """What was heard last, by currency."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[Currency, tuple[datetime, tuple[Bank, ...]]] = {}
        self._asking = asyncio.Lock()

    async def list(self, directory: BankDirectory, currency: Currency, at: datetime) -> tuple[Bank, ...]:
        """Return the banks that accounts can be named at. Raises GatewayError when it has to ask and gets no answer."""
        async with self._asking:
            known = self._known.get(currency)
            if known is None or not known[0] <= at < known[0] + KEPT:
                heard = await directory.list_banks(currency)
                known = self._known[currency] = at, tuple(bank for bank in heard if bank.is_active)
        return known[1]
