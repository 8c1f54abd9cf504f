"""The worker: follows the log, works off the inbox, watches the clock, and polls what webhooks may have missed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import LiteralString
from uuid import UUID
from weakref import WeakValueDictionary

import structlog
from psycopg import AsyncConnection, Error
from psycopg.abc import Params

from database.queries import load
from domain.errors import EscrowError
from eventstore.log import follow
from gateways.errors import GatewayError
from reactions import inbox
from reactions.advance import advance
from reactions.chargeback_search import look_for_chargebacks, remember_look
from reactions.sweep import list_unheard
from reactions.toolbox import Toolbox

SQL = load("reactions", "worker.sql")
CHECKPOINT = "reactions"
# What something follows from here.
ANSWERED = ("charge.success", "charge.dispute.", "transfer.", "refund.")
CHARGEBACK_SECONDS = 300.0
CLOCK_SECONDS = 1.0
INBOX_SECONDS = 0.2
LEADER_SECONDS = 1.0
AT_ONCE = 16
MOST_BEGUN = 64
MOST_IN_HAND = 1024
NO_ID = UUID(int=0)
SERVER_ERROR = 500
SWEEP_SECONDS = 600.0

Begun = asyncio.Queue[tuple[int, asyncio.Task[None]]]
"""Positions of the log, each with what is being done about the events up to it."""

logger = structlog.get_logger("reactions")


class Worker:
    """Runs the reactions until it is cancelled; a second one waits until the first has gone."""

    def __init__(self, tools: Toolbox, dsn: str, *, poll_every: timedelta = timedelta(seconds=30)) -> None:
        """`dsn` is for the session that holds the leader's lock; unfinished transactions are polled `poll_every`."""
        self._tools = tools
        self._dsn = dsn
        self._poll_seconds = poll_every.total_seconds()
        # Weak, so that a lock lives only while somebody holds it or waits for it.
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._in_hand: set[int] = set()

    async def run(self) -> None:
        """Lead, react, and start over when the database was lost."""
        while True:
            try:
                await self._lead()
            except* (Error, EscrowError, OSError) as lost:
                logger.warning("reactions_interrupted", errors=[type(error).__name__ for error in lost.exceptions])
            await asyncio.sleep(LEADER_SECONDS)

    async def _lead(self) -> None:
        async with await AsyncConnection.connect(self._dsn, autocommit=True) as session:
            row = await (await session.execute(SQL.try_lead)).fetchone()
            if not row or not row[0]:
                return
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hold(session))
                tasks.create_task(self._follow_log())
                tasks.create_task(self._work_inbox())
                tasks.create_task(_repeat(CLOCK_SECONDS, self._watch_clock))
                tasks.create_task(_repeat(self._poll_seconds, self._poll))
                tasks.create_task(_repeat(CHARGEBACK_SECONDS, self._poll_chargebacks))
                tasks.create_task(_repeat(SWEEP_SECONDS, self._sweep))

    async def _hold(self, session: AsyncConnection[tuple[object, ...]]) -> None:
        """Fail as soon as the session that holds the lock is lost: somebody else may lead then."""
        while True:
            await session.execute("SELECT 1")
            await asyncio.sleep(LEADER_SECONDS)

    async def _follow_log(self) -> None:
        """React to what is new; a transaction that takes long holds up the checkpoint, but no other transaction."""
        begun: Begun = asyncio.Queue(MOST_BEGUN)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._save_in_order(begun))
            async for batch in follow(self._tools.pool, after=await self._checkpoint()):
                touched = dict.fromkeys(event.stream_id for event in batch if event.topic.startswith("transaction."))
                await begun.put((batch[-1].position, tasks.create_task(self._advance_all(touched))))

    async def _save_in_order(self, begun: Begun) -> None:
        while True:
            position, advanced = await begun.get()
            await advanced
            await self._save_checkpoint(position)

    async def _advance_all(self, transaction_ids: Iterable[UUID]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for transaction_id in transaction_ids:
                tasks.create_task(self._advance(transaction_id))

    async def _advance(
        self, transaction_id: UUID, reported: str | None = None, *, is_disputed: bool = False
    ) -> str | None:
        """Advance one transaction at a time; return what went wrong at the processor, which the next poll repeats."""
        turn = self._turns.setdefault(transaction_id, asyncio.Lock())
        # Its turn first: whoever waits for a slow transaction must not take a place from the others.
        async with turn, self._at_once:
            try:
                await advance(self._tools, transaction_id, reported, is_disputed=is_disputed)
            except GatewayError as error:
                logger.warning("gateway_failed", transaction_id=str(transaction_id), code=error.code)
                return error.code
            except EscrowError as error:
                if error.status >= SERVER_ERROR:
                    raise
                logger.warning("reaction_refused", transaction_id=str(transaction_id), code=error.code)
                return error.code
        return None

    async def _work_inbox(self) -> None:
        """Apply each delivery beside the others: one whose transaction takes long holds up nothing else."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for delivery, transaction_id in await self._list_waiting():
                    await inbox.put_on_record(self._tools, delivery)
                    self._in_hand.add(delivery.id)
                    tasks.create_task(self._apply(delivery, transaction_id))
                await asyncio.sleep(INBOX_SECONDS)

    async def _list_waiting(self) -> list[tuple[inbox.Delivery, UUID | None]]:
        if len(self._in_hand) >= MOST_IN_HAND:
            return []
        async with self._tools.pool.connection() as connection:
            waiting = await inbox.list_waiting(connection, self._tools.clock, self._in_hand)
            return [(delivery, await inbox.find_transaction(connection, delivery)) for delivery in waiting]

    async def _apply(self, delivery: inbox.Delivery, transaction_id: UUID | None) -> None:
        try:
            await self._follow_up(delivery, transaction_id)
        finally:
            self._in_hand.discard(delivery.id)

    async def _follow_up(self, delivery: inbox.Delivery, transaction_id: UUID | None) -> None:
        tools = self._tools
        try:
            transaction_id = transaction_id or await inbox.find_late(tools, delivery)
        except inbox.TablesBehind as behind:
            await inbox.postpone(tools.pool, tools.clock, delivery, behind.code)
            return
        if transaction_id is None or not delivery.event.startswith(ANSWERED):
            outcome = "unmatched" if transaction_id is None and delivery.reference else "ignored"
            await inbox.conclude(tools.pool, tools.clock, delivery, outcome, transaction_id)
            return
        reported = None if delivery.event.startswith("refund.") else delivery.reference
        is_disputed = delivery.event.startswith("charge.dispute.")
        failure = await self._advance(transaction_id, reported, is_disputed=is_disputed)
        if failure is None:
            await inbox.conclude(tools.pool, tools.clock, delivery, "applied", transaction_id)
        else:
            await inbox.postpone(tools.pool, tools.clock, delivery, failure)

    async def _watch_clock(self) -> None:
        due = await self._list_ids(SQL.list_due, (self._tools.clock(),))
        await self._advance_all(self._idle(due))

    async def _poll(self) -> None:
        after = NO_ID
        while page := await self._list_ids(SQL.list_unfinished, {"after": after}):
            await self._advance_all(self._idle(page))
            after = page[-1]

    async def _poll_chargebacks(self) -> None:
        """Find the chargebacks that no webhook told of; what could not be recorded is looked for again."""
        try:
            look = await look_for_chargebacks(self._tools)
        except GatewayError as error:
            logger.warning("gateway_failed", asked="chargebacks", code=error.code)
            return
        failures = [await self._advance(*disputed, is_disputed=True) for disputed in look.disputed]
        if not any(failures):
            await remember_look(self._tools, look)

    async def _sweep(self) -> None:
        """Find late payments and payouts taken back that no webhook told of."""
        try:
            async for unheard in list_unheard(self._tools):
                await self._advance(unheard.transaction_id, unheard.reference)
        except GatewayError as error:
            logger.warning("gateway_failed", asked="sweep", code=error.code)

    def _idle(self, transaction_ids: Iterable[UUID]) -> list[UUID]:
        """Those that nobody advances at this moment: to wait for the others would hold up all the rest."""
        turns = ((transaction_id, self._turns.get(transaction_id)) for transaction_id in transaction_ids)
        return [transaction_id for transaction_id, turn in turns if turn is None or not turn.locked()]

    async def _list_ids(self, query: LiteralString, parameters: Params) -> list[UUID]:
        async with self._tools.pool.connection() as connection:
            return [row[0] for row in await (await connection.execute(query, parameters)).fetchall()]

    async def _checkpoint(self) -> int:
        async with self._tools.pool.connection() as connection:
            row = await (await connection.execute(SQL.get_checkpoint, (CHECKPOINT,))).fetchone()
        return row[0] if row else 0

    async def _save_checkpoint(self, position: int) -> None:
        facts = {"name": CHECKPOINT, "position": position, "at": self._tools.clock()}
        async with self._tools.pool.connection() as connection:
            await connection.execute(SQL.save_checkpoint, facts)


async def _repeat(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await work()
        await asyncio.sleep(seconds)
