"""Where accounts can be: what goes into a payout account as `bank_code`."""

from fastapi import APIRouter, Request

from api.access import SessionDep
from api.dependencies import DependenciesDep
from api.flows.bank import list_banks
from api.http.query import read_choice, read_query
from api.strict_route import StrictRoute
from api.views.bank import BankItem, BanksView
from domain.money import Currency

router = APIRouter(prefix="/api/v1/banks", tags=["users"], route_class=StrictRoute)


@router.get("", response_model=BanksView)
async def get_banks(_session: SessionDep, dependencies: DependenciesDep, http: Request) -> BanksView:
    """List the banks and mobile money providers that can be paid in `currency`."""
    currency = read_choice(Currency, read_query(http.scope, "currency").get("currency"))
    return BanksView(items=[BankItem.of(bank) for bank in await list_banks(dependencies, currency)])
