"""What the reactions keep in mind, read from the log by themselves: money moves although no read model does.

Of each transaction whether it is over, when its next deadline is and who owes on it; of each reference of ours whose it
is, and when the processor is to be asked about it although nobody waits for it.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import LiteralString, NamedTuple
from uuid import UUID

import structlog

from database.queries import load
from domain.errors import NotFound
from domain.transaction import Transaction
from eventstore.log import RecordedEvent, follow, scan
from eventstore.transcoder import Undecodable
from reactions.checkpoint import get_checkpoint, save_checkpoint
from reactions.toolbox import Toolbox

SQL = load("reactions", "watch.sql")
CHECKPOINT = "watch"
TRANSACTION = "transaction."
NO_ID = UUID(int=0)
CHARGE, TRANSFER = "charge", "transfer"
NAMING: Mapping[str, tuple[str, timedelta | None]] = {
    "transaction.payment_requested.v1": (CHARGE, timedelta(days=3)),
    "transaction.payment_fee_assessed.v1": (CHARGE, None),
    "transaction.payout_requested.v1": (TRANSFER, None),
    "transaction.payout_succeeded.v1": (TRANSFER, timedelta(days=1)),
    "transaction.payout_failed.v1": (TRANSFER, timedelta(days=1)),
    "transaction.payout_paid_after_all.v1": (TRANSFER, timedelta(days=1)),
    "transaction.payout_reversed.v1": (TRANSFER, None),
}
"""The events that name a reference: of what kind it is, and how long after that the processor is first asked about it
although nobody waits; None where nothing more can come, or polling asks anyhow. The first three days of a charge are
those of the processor's list; a charge whose fee is known has been taken in completely."""

logger = structlog.get_logger("reactions")


class Watched(NamedTuple):
    """Where a transaction stands.

    The seller is the debtor while he owes on it; the three facts of a debt are None together.
    """

    transaction_id: UUID
    version: int
    is_unfinished: bool
    deadline_at: datetime | None
    debtor_id: UUID | None = None
    debt_currency: str | None = None
    owing_since: datetime | None = None


class Reference(NamedTuple):
    """Whose a charge or transfer at the processor is, and when to ask about it; `position` is that of the last word."""

    reference: str
    transaction_id: UUID
    kind: str
    ask_from: datetime
    ask_at: datetime | None
    position: int


class Question(NamedTuple):
    """A reference that the processor is to be asked about; pauses grow with its age, counted from `ask_from`."""

    reference: str
    transaction_id: UUID
    kind: str
    ask_from: datetime


class Watch:
    """A fold of the log with a checkpoint of its own; an event that cannot be read holds up nothing else."""

    def __init__(self, tools: Toolbox) -> None:
        """Nothing is read yet."""
        self._tools = tools
        self._position: int | None = None
        self._turn = asyncio.Lock()

    async def follow(self) -> None:
        """Keep up with the log until cancelled."""
        async for batch in follow(self._tools.pool, after=await self.catch_up()):
            async with self._turn:
                await self._fold(batch)

    async def catch_up(self) -> int:
        """Take in everything that stands in the log by now; return its position."""
        async with self._turn:
            if self._position is None:
                self._position = await get_checkpoint(self._tools.pool, CHECKPOINT)
            async for batch in scan(self._tools.pool, after=self._position):
                await self._fold(batch)
            return self._position

    async def find(self, references: Collection[str]) -> dict[str, UUID]:
        """Return whose these references are; what is missing belongs to nobody in the log as it is now."""
        await self.catch_up()
        async with self._tools.pool.connection() as connection:
            cursor = await connection.execute(SQL.find, {"references": sorted(references)})
            return dict(await cursor.fetchall())

    async def list_due(self, at: datetime) -> list[UUID]:
        """Return transactions whose deadline has passed, at most 256, the most overdue first."""
        return await self._list(SQL.list_due, {"at": at})

    async def read_unfinished(self) -> AsyncGenerator[list[UUID]]:
        """Yield transactions that are not over, in pages of at most 256, by id; each is read when it is its turn."""
        after = NO_ID
        while page := await self._list(SQL.list_unfinished, {"after": after}):
            yield page
            after = page[-1]

    async def list_questions(self, at: datetime, limit: int) -> list[Question]:
        """Return what the processor is to be asked about by now, the most overdue first."""
        await self.catch_up()
        async with self._tools.pool.connection() as connection:
            cursor = await connection.execute(SQL.list_questions, {"at": at, "limit": limit})
            return [Question(*row) for row in await cursor.fetchall()]

    async def ask_again_at(self, question: Question, at: datetime | None) -> None:
        """A question was asked; the next time is `at`, None for never again."""
        async with self._tools.pool.connection() as connection:
            await connection.execute(SQL.ask_again_at, {**question._asdict(), "at": at})

    async def _list(self, query: LiteralString, parameters: dict[str, object]) -> list[UUID]:
        async with self._tools.pool.connection() as connection:
            return [row[0] for row in await (await connection.execute(query, parameters)).fetchall()]

    async def _fold(self, batch: Sequence[RecordedEvent]) -> None:
        """Take in what is new of a batch, and remember how far that is in the same commit."""
        batch = [event for event in batch if event.position > (self._position or 0)]
        if not batch:
            return
        touched = dict.fromkeys(event.stream_id for event in batch if event.topic.startswith(TRANSACTION))
        found = {transaction_id: await self._look_at(transaction_id) for transaction_id in touched}
        unreadable = [transaction_id for transaction_id, watched in found.items() if watched is None]
        watched = [one for one in found.values() if one is not None]
        references = {one.reference: one for one in _references(batch)}
        async with self._tools.pool.connection() as connection, connection.transaction():
            await connection.execute(SQL.keep_transactions, _columns(Watched._fields, watched))
            await connection.execute(SQL.keep_unreadable, {"transaction_ids": unreadable})
            await connection.execute(SQL.keep_references, _columns(Reference._fields, references.values()))
            await save_checkpoint(connection, CHECKPOINT, batch[-1].position, self._tools.clock())
        self._position = batch[-1].position

    async def _look_at(self, transaction_id: UUID) -> Watched | None:
        """None for one that cannot be read."""
        try:
            transaction = await self._tools.escrow.get(Transaction, transaction_id)
        except (NotFound, Undecodable) as error:
            logger.error("transaction_unreadable", transaction_id=str(transaction_id), code=error.code)
            return None
        deadline = transaction.next_deadline
        owes = transaction.receivable_minor > 0
        return Watched(
            transaction_id,
            transaction.version,
            is_unfinished=transaction.stuck_reason is not None,
            deadline_at=None if deadline is None else deadline.at,
            debtor_id=transaction.seller_id if owes else None,
            debt_currency=transaction.price.currency.value if owes else None,
            owing_since=transaction.owing_since,
        )


def _references(batch: Iterable[RecordedEvent]) -> Iterable[Reference]:
    for event in batch:
        if event.topic in NAMING:
            try:
                yield _reference(event)
            except (Undecodable, KeyError, TypeError, ValueError):
                logger.error("reference_unreadable", position=event.position, topic=event.topic)


def _reference(event: RecordedEvent) -> Reference:
    kind, pause = NAMING[event.topic]
    at = datetime.fromisoformat(str(event.data["timestamp"]))
    ask_at = None if pause is None else at + pause
    return Reference(str(event.data["reference"]), event.stream_id, kind, at, ask_at, event.position)


def _columns(names: Sequence[str], rows: Iterable[tuple[object, ...]]) -> dict[str, list[object]]:
    """Return rows as the arrays that a query unnests, by the name of the column."""
    columns: list[list[object]] = [[] for _ in names]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return dict(zip(names, columns, strict=True))
