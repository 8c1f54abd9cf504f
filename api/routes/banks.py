"""Where accounts can be: what goes into a payout account as `bank_code`."""

from fastapi import APIRouter, Request

from api.access import SessionDep
from api.banks import BanksUnavailable
from api.dependencies import DependenciesDep
from api.http.query import QueryInvalid, read_choice, read_query
from api.strict_route import StrictRoute
from api.views.bank import BankItem, BanksView
from domain.money import PAYABLE, Currency
from gateways.errors import GatewayError

router = APIRouter(prefix="/api/v1/banks", tags=["users"], route_class=StrictRoute)


@router.get("", response_model=BanksView)
async def get_banks(_session: SessionDep, dependencies: DependenciesDep, http: Request) -> BanksView:
    """List the banks and mobile money providers that can be paid in `currency`."""
    currency = read_choice(Currency, read_query(http.scope, "currency").get("currency"))
    if currency is None or currency not in PAYABLE:
        raise QueryInvalid
    try:
        banks = await dependencies.banks.list(dependencies.gateway, currency, dependencies.clock())
    except GatewayError:
        raise BanksUnavailable from None
    return BanksView(items=[BankItem.of(bank) for bank in banks])
