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
        self._asking: dict[Currency, asyncio.Task[tuple[Bank, ...]]] = {}

    async def list(self, directory: BankDirectory, currency: Currency, at: datetime) -> tuple[Bank, ...]:
        """Return the banks that accounts can be named at. Raises GatewayError when it has to ask and gets no answer."""
        known = self._known.get(currency)
        if known is not None and known[0] <= at < known[0] + KEPT:
            return known[1]
        if currency not in self._asking:
            self._asking[currency] = asyncio.create_task(self._ask(directory, currency, at))
        # One question for all who wait, whatever is answered; who leaves does not take it away from the others.
        return await asyncio.shield(self._asking[currency])

    async def _ask(self, directory: BankDirectory, currency: Currency, at: datetime) -> tuple[Bank, ...]:
        try:
            heard = await directory.list_banks(currency)
        finally:
            del self._asking[currency]
        active = tuple(bank for bank in heard if bank.is_active)
        self._known[currency] = at, active
        return active
