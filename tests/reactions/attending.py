"""What the stand-in wants from a person: sales in which it does, and somebody who answers."""

import os
from uuid import UUID

from api.flows.attention import keep_account, want_retry
from domain.actor import Actor, Role
from domain.transaction.commands import CancelTransaction
from domain.transaction.records import Payout, Refund
from domain.transaction.staff_commands import TypeOtp
from eventstore.escrow import Request
from reactions.attention import BuyersAccount, finalize_payout, retry_refund
from reactions.toolbox import Processor
from tests.reactions.world import World

SUPER = Actor(str(UUID(int=7)), Role.SUPER_ADMIN)
OTP, WRONG = "123456", "12345"
TYPED = TypeOtp(reason="the code came by text message")
ACCOUNT = BuyersAccount(account_number="0798765432", bank_code="MPESA")
OTHER = BuyersAccount(account_number="0722222222", bank_code="MPESA")
ANSWERS = ("payout_otp_%", "payout_finalized%", "refund_account_%", "refund_retried%")


class Fatal:
    """The processor, and a process that ends when it is about to make one call to it."""

    def __init__(self, real: Processor, call: str, end: BaseException) -> None:
        self._real, self._call, self._end = real, call, end

    def __getattr__(self, name: str) -> object:
        if name == self._call:
            raise self._end
        return getattr(self._real, name)


async def waiting(world: World) -> tuple[UUID, Payout]:
    """A transaction whose payout waits for a one-time password."""
    transaction_id = await world.hold()
    await world.confirm(transaction_id)
    await world.fault("transfer", "otp")
    transaction = await world.advance(transaction_id)
    assert transaction.stuck_reason == "payout_otp"
    (payout,) = transaction.payouts.values()
    return transaction_id, payout


async def type_otp(world: World, transaction_id: UUID, otp: str = OTP, request: Request | None = None) -> str:
    result = await finalize_payout(world.tools, transaction_id, request or world.request(SUPER), TYPED, otp)
    return result.aggregate.state


async def in_need(world: World) -> tuple[UUID, Refund]:
    """A refund that waits for the buyer's account."""
    transaction_id = await world.hold()
    await world.fault("refund", "needs_attention")
    for actor in (world.as_buyer, world.as_seller):
        await world.do(actor, transaction_id, CancelTransaction(reason="we changed our minds"))  # type: ignore[arg-type]
    transaction = await world.advance(transaction_id)
    assert transaction.stuck_reason == "refund_needs_attention"
    (refund,) = transaction.refunds.values()
    return transaction_id, refund


async def send_on(
    world: World,
    transaction_id: UUID,
    account: BuyersAccount = ACCOUNT,
    request: Request | None = None,
    expected_version: int | None = None,
) -> str | None:
    request = request or world.request(SUPER)
    keep = keep_account(world.tools, os.urandom, request, account)
    wanted = want_retry(request, None, "the buyer named an account")
    result = await retry_refund(
        world.tools, transaction_id, request, wanted, account, keep, expected_version=expected_version
    )
    return result.aggregate.stuck_reason


async def answers(world: World, transaction_id: UUID) -> list[str]:
    """What the log says of answers to the processor, but for what it was that wanted one."""
    async with world.pool.connection() as connection:
        query = """
            SELECT split_part(type, '.', 2) FROM event_log
            WHERE stream = %s AND type LIKE ANY(%s) AND type NOT LIKE '%%otp_required%%' ORDER BY position
        """
        cursor = await connection.execute(query, (transaction_id, [f"transaction.{each}" for each in ANSWERS]))
        return [row[0] for row in await cursor.fetchall()]


async def kept_accounts(world: World) -> list[str | None]:
    """The numbers of the accounts that are kept outside the log; None for what was erased."""
    async with world.pool.connection() as connection:
        query = "SELECT body->>'account_number' FROM contents WHERE kind = 'refund_account' ORDER BY content_id"
        return [row[0] for row in await (await connection.execute(query)).fetchall()]


async def accounts_sent_to(world: World) -> list[str]:
    """The numbers of the accounts that the stand-in was given for refunds, and took."""
    refunds = (await world.panel.get("/_sim/objects")).json()["refunds"]
    return [refund["account_number"] for refund in refunds if refund["account_number"]]
