"""Where you are paid."""

from fastapi import APIRouter, Request

from api.access import FreshSessionDep, SessionDep
from api.bodies import PayoutAccountBody
from api.dependencies import DependenciesDep
from api.flows.payout_account import change_payout_account, show_payout_account
from api.http.scope import request_id_of
from api.strict_route import StrictRoute
from api.views.user import NewPayoutAccountView, PayoutAccountView
from identity.payout_account import PayoutAccount

router = APIRouter(prefix="/api/v1/users", tags=["users"], route_class=StrictRoute)


@router.get("/me/payout-account", response_model=PayoutAccountView)
async def get_account(session: SessionDep, dependencies: DependenciesDep) -> PayoutAccountView:
    """Show where you are paid, without the number."""
    return PayoutAccountView.of(*await show_payout_account(dependencies, session))


@router.put("/me/payout-account", response_model=NewPayoutAccountView)
async def put_account(
    body: PayoutAccountBody, session: FreshSessionDep, dependencies: DependenciesDep, http: Request
) -> NewPayoutAccountView:
    """Set where you are paid; a change is used after a while. The same again changes nothing, so no key is needed."""
    account = PayoutAccount(
        type=body.type,
        bank_code=body.bank_code,
        account_number=body.account_number,
        account_name=body.account_name,
        currency=body.currency,
    )
    change = await change_payout_account(dependencies, session, account, request_id_of(http.scope))
    return NewPayoutAccountView(
        **PayoutAccountView.of(account, change.usable_at).model_dump(),
        resolved_name=change.resolved_name,
        name_matches=change.name_matches,
    )
