"""People who are paid: the account that they name stands in the log and in the table, as the API puts it there."""

from datetime import datetime
from uuid import UUID

from database.connect import Pool
from domain.actor import Actor, Role
from domain.content import SALT_BYTES
from domain.errors import NotFound
from domain.user import ChangePayoutAccount, RegisterUser, User
from eventstore.escrow import Escrow, Request
from identity.payout_account import PayoutAccount, hash_account, put_payout_account

SALT = bytes(SALT_BYTES)


async def name_account(escrow: Escrow, pool: Pool, user_id: UUID, account: PayoutAccount, at: datetime) -> None:
    """He names the account, and it can be used at once."""
    try:
        version = (await escrow.get(User, user_id)).version
    except NotFound:
        register = RegisterUser(roles=frozenset({Role.BUYER, Role.SELLER}))
        registered = await escrow.execute(
            user_id, register, Request.keyed(Actor("test", Role.SYSTEM), f"register {user_id}")
        )
        version = registered.aggregate.version
    named = ChangePayoutAccount(account_sha256=hash_account(SALT, account), is_first=True, cooling_seconds=0)
    await escrow.execute(
        user_id, named, Request.keyed(Actor(str(user_id), Role.SELLER), f"name {user_id} at {version}")
    )
    async with pool.connection() as connection:
        await put_payout_account(connection, user_id, account, at, SALT)
