"""Which banks a payout account can be at."""

from api.banks import BanksUnavailable
from api.dependencies import Dependencies
from api.http.query import QueryInvalid
from domain.money import PAYABLE, Currency
from gateways.bank import Bank
from gateways.errors import GatewayError


async def list_banks(dependencies: Dependencies, currency: Currency | None) -> tuple[Bank, ...]:
    """Return those that can be paid in a currency. Raises QueryInvalid for none that is paid out; BanksUnavailable."""
    if currency is None or currency not in PAYABLE:
        raise QueryInvalid
    try:
        return await dependencies.banks.list(dependencies.gateway, currency, dependencies.clock())
    except GatewayError:
        raise BanksUnavailable from None
