"""The buyer's statement that he has access: kept outside the log, then the command names its hash."""

from uuid import UUID

from api.command import Desk
from api.content import keep_words, rehearse_content
from api.flows.dispute import KIND
from domain.transaction import Transaction
from domain.transaction.commands import RecordStatement
from eventstore.escrow import Result


async def state_access(desk: Desk, transaction_id: UUID, statement: str) -> Result[Transaction]:
    """Record it. Raises what `Transaction.record_statement` raises."""
    planned = rehearse_content(desk.request, KIND)
    command = RecordStatement(content_id=planned.id, content_sha256=planned.sha256)
    rehearsed = await desk.rehearse(transaction_id, command)
    if desk.is_dry and rehearsed is not None:
        return rehearsed
    content = await keep_words(desk.dependencies, desk.request, KIND, {"statement": statement})
    return await desk.run(transaction_id, RecordStatement(content_id=content.id, content_sha256=content.sha256))
