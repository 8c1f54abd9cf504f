"""What `escrow refund` does: answers to what the processor wants from a person."""

import os
from uuid import UUID

from api.flows.attention import keep_account, want_retry
from cli.operator import make_request
from cli.run.payout import attend
from database.clock import read_clock
from domain.transaction import Transaction
from reactions import attention
from reactions.attention import BuyersAccount
from reactions.toolbox import Toolbox


def retry_refund(
    transaction_id: UUID, reference: str | None, reason: str, account: BuyersAccount, *, as_json: bool
) -> None:
    """Send a refund to the buyer's account and print what became of it."""

    async def retry(tools: Toolbox) -> Transaction:
        request = make_request("attention", "retry", str(transaction_id), read_clock().isoformat())
        wanted, keep = want_retry(request, reference, reason), keep_account(tools, os.urandom, request, account)
        return (await attention.retry_refund(tools, transaction_id, request, wanted, account, keep)).aggregate

    attend(retry, as_json=as_json)
