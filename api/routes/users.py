"""Your own settings."""

from fastapi import APIRouter

from api.access import FreshSessionDep
from api.bodies import PayoutAccountBody
from api.dependencies import DependenciesDep
from api.strict_route import StrictRoute
from api.views.user import PayoutAccountView
from identity.payout_account import PayoutAccount, put_payout_account

router = APIRouter(prefix="/api/v1/users", tags=["users"], route_class=StrictRoute)

SHOWN_DIGITS = 4


@router.put("/me/payout-account", response_model=PayoutAccountView)
async def put_account(
    body: PayoutAccountBody, session: FreshSessionDep, dependencies: DependenciesDep
) -> PayoutAccountView:
    """Set where you are paid from now on; putting the same again changes nothing, so no key is needed."""
    account = PayoutAccount(
        type=body.type,
        bank_code=body.bank_code,
        account_number=body.account_number,
        account_name=body.account_name,
        currency=body.currency,
    )
    async with dependencies.pool.connection() as connection, connection.transaction():
        await put_payout_account(connection, session.user_id, account, dependencies.clock())
    return PayoutAccountView(
        type=account.type,
        bank_code=account.bank_code,
        account_number_ends_in=account.account_number[-SHOWN_DIGITS:],
        account_name=account.account_name,
        currency=account.currency,
    )
