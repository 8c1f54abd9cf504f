"""Your own settings."""

from fastapi import APIRouter, Request

from api.access import FreshSessionDep
from api.bodies import PayoutAccountBody
from api.dependencies import DependenciesDep
from api.flows.payout_account import change_payout_account
from api.scope import request_id_of
from api.strict_route import StrictRoute
from api.views.user import PayoutAccountView
from identity.payout_account import PayoutAccount

router = APIRouter(prefix="/api/v1/users", tags=["users"], route_class=StrictRoute)

SHOWN_DIGITS = 4


@router.put("/me/payout-account", response_model=PayoutAccountView)
async def put_account(
    body: PayoutAccountBody, session: FreshSessionDep, dependencies: DependenciesDep, http: Request
) -> PayoutAccountView:
    """Set where you are paid; a change is used after a while. The same again changes nothing, so no key is needed."""
    account = PayoutAccount(
        type=body.type,
        bank_code=body.bank_code,
        account_number=body.account_number,
        account_name=body.account_name,
        currency=body.currency,
    )
    change = await change_payout_account(dependencies, session, account, request_id_of(http.scope))
    return PayoutAccountView(
        type=account.type,
        bank_code=account.bank_code,
        account_number_ends_in=account.account_number[-SHOWN_DIGITS:],
        account_name=account.account_name,
        currency=account.currency,
        resolved_name=change.resolved_name,
        name_matches=change.name_matches,
        usable_at=change.usable_at,
    )
