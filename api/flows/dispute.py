"""Opening a dispute: the statement is kept outside the log, then the command names its hash."""

from uuid import UUID, uuid5

from api.command import Desk
from api.content import Content, keep_words, rehearse_content
from domain.transaction import Transaction
from domain.transaction.commands import OpenDispute
from domain.transaction.records import DisputeCategory
from eventstore.escrow import Result

KIND = "statement"


async def open_dispute(
    desk: Desk, transaction_id: UUID, category: DisputeCategory, statement: str | None
) -> Result[Transaction]:
    """Open a dispute. Raises what `Transaction.open_dispute` raises."""
    planned = rehearse_content(desk.request, KIND) if statement else None
    rehearsed = await desk.rehearse(transaction_id, _command(desk, transaction_id, category, planned))
    if desk.is_dry and rehearsed is not None:
        return rehearsed
    content = None
    if statement is not None:
        content = await keep_words(desk.dependencies, desk.request, KIND, {"statement": statement})
    return await desk.run(transaction_id, _command(desk, transaction_id, category, content))


def _command(desk: Desk, transaction_id: UUID, category: DisputeCategory, content: Content | None) -> OpenDispute:
    return OpenDispute(
        dispute_id=uuid5(transaction_id, desk.request.command_id.hex()),
        category=category,
        statement_id=content.id if content else None,
        statement_sha256=content.sha256 if content else None,
    )
