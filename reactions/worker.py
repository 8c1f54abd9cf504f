"""The worker: follows the log, works off the inbox, watches the clock, and polls what webhooks may have missed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from functools import partial
from uuid import UUID
from weakref import WeakValueDictionary

import structlog
from psycopg import Error

from database.connect import Connection, open_connection
from database.queries import load
from domain.errors import EscrowError
from eventstore.log import follow
from eventstore.transcoder import Undecodable
from gateways.errors import GatewayError, GatewayKeyRefused, GatewayThrottled, GatewayUnavailable, UnknownReference
from reactions.advance import advance as advance_transaction
from reactions.backlog import Backlog
from reactions.chargeback_search import look_for_chargebacks, remember_look
from reactions.checkpoint import get_checkpoint, save_checkpoint
from reactions.loss import record_losses, withdraw_destroyed
from reactions.notification import Notifier
from reactions.outage import SIGN_SECONDS, Outages
from reactions.sweep import MOST_QUESTIONS, SHORTEST_PAUSE, get_life_of_pages, list_unheard, next_question_at
from reactions.toolbox import Toolbox
from reactions.vault import destroy_ended, reconcile_vault
from reactions.watch import CHARGE, TRANSFER, Watch

SQL = load("reactions", "worker.sql")
CHECKPOINT = "reactions"
CHARGEBACK_SECONDS = 300.0
CLOCK_SECONDS = 1.0
LEADER_SECONDS = 1.0
AT_ONCE = 16
MOST_BEGUN = 64
PERMIT_SECONDS = 5.0
SWEEP_SECONDS = 600.0
VAULT_SECONDS = 2.0
ASK_TRANSFERS_FOR = timedelta(days=35)
SILENT = frozenset({GatewayUnavailable.code, GatewayThrottled.code, GatewayKeyRefused.code})
ANSWERS = frozenset({None, UnknownReference.code})
"""That there is no such transfer is an answer, too: it was never made."""

Begun = asyncio.Queue[tuple[int, asyncio.Task[None]]]
"""Positions of the log, each with what is being done about the events up to it."""

logger = structlog.get_logger("reactions")


class Worker:
    """Runs the reactions until it is cancelled; a second one waits until the first has gone.

    Its steps can be called one by one, by whoever has the time in his own hands, as simulations have.
    """

    def __init__(
        self,
        tools: Toolbox,
        dsn: str,
        *,
        poll_every: timedelta = timedelta(seconds=30),
        gate: Callable[[], Awaitable[None]] | None = None,
        notifier: Notifier | None = None,
        ask_transfers_for: timedelta = ASK_TRANSFERS_FOR,
    ) -> None:
        """`dsn` is for the session that holds the leader's lock; unfinished transactions are polled `poll_every`.

        Nothing is done before `gate` returns. Once the toolbox's `permit` is withdrawn, it has to return anew.
        `notifier` tells people what happened, as soon as the gate is open.
        `ask_transfers_for` is how long after it was over a transfer is asked about: its bank may send the money back.
        """
        self._tools = tools
        self._gate = gate or _open
        self._notifier = notifier
        self._dsn = dsn
        self._ask_transfers_for = ask_transfers_for
        self._poll_seconds = poll_every.total_seconds()
        # Weak, so that a lock lives only while somebody holds it or waits for it.
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._start_over()

    async def run(self) -> None:
        """Lead, react, and start over when the database was lost."""
        while True:
            self._start_over()
            try:
                await self._lead()
            except* (Error, EscrowError, OSError) as lost:
                logger.warning("reactions_interrupted", errors=[type(error).__name__ for error in lost.exceptions])
            await asyncio.sleep(LEADER_SECONDS)

    def _start_over(self) -> None:
        """Forget what another worker may have overtaken."""
        self._tools.refused_since.clear()
        self._left_to_poll: set[UUID] = set()
        self.watch = Watch(self._tools)
        self.backlog = Backlog(self._tools, self.watch, self.advance)
        self._outages = Outages(self._tools, self.watch)

    async def _lead(self) -> None:
        async with await open_connection(self._dsn, "escrow worker") as session:
            row = await (await session.execute(SQL.try_lead)).fetchone()
            if not row or not row[0]:
                return
            await self._gate()
            await reconcile_vault(self._tools.escrow, self._tools.pool)
            await self._outages.give_sign()
            if self._notifier is not None:
                await self._notifier.begin()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hold(session))
                tasks.create_task(_repeat(PERMIT_SECONDS, self._tools.permit))
                tasks.create_task(self._follow_log())
                tasks.create_task(self.backlog.work())
                tasks.create_task(_repeat(SIGN_SECONDS, self._outages.give_sign, begin_seconds=SIGN_SECONDS))
                tasks.create_task(_repeat(CLOCK_SECONDS, self.watch_clock))
                tasks.create_task(_repeat(self._poll_seconds, self.poll))
                tasks.create_task(_repeat(CHARGEBACK_SECONDS, self.poll_chargebacks))
                tasks.create_task(_repeat(SWEEP_SECONDS, self.sweep))
                tasks.create_task(_repeat(SWEEP_SECONDS, partial(self._tend_vault, withdrawing=withdraw_destroyed)))
                tend = partial(self._tend_vault, losses=record_losses, destruction=destroy_ended)
                tasks.create_task(_repeat(VAULT_SECONDS, tend))
                tasks.create_task(self.watch.follow())
                if self._notifier is not None:
                    tasks.create_task(self._notifier.run())

    async def _hold(self, session: Connection) -> None:
        """Fail as soon as the session that holds the lock is lost: somebody else may lead then."""
        while True:
            await session.execute(SQL.still_lead)
            await asyncio.sleep(LEADER_SECONDS)

    async def _follow_log(self) -> None:
        """React to what is new; a transaction that takes long holds up the checkpoint, but no other transaction."""
        begun: Begun = asyncio.Queue(MOST_BEGUN)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._save_in_order(begun))
            async for batch in follow(self._tools.pool, after=await get_checkpoint(self._tools.pool, CHECKPOINT)):
                touched = dict.fromkeys(event.stream_id for event in batch if event.topic.startswith("transaction."))
                await begun.put((batch[-1].position, tasks.create_task(self._advance_all(touched))))

    async def _save_in_order(self, begun: Begun) -> None:
        while True:
            position, advanced = await begun.get()
            await advanced
            async with self._tools.pool.connection() as connection:
                await save_checkpoint(connection, CHECKPOINT, position, self._tools.clock())

    async def _advance_all(self, transaction_ids: Iterable[UUID]) -> None:
        async with asyncio.TaskGroup() as tasks:
            for transaction_id in transaction_ids:
                tasks.create_task(self.advance(transaction_id))

    async def advance(
        self,
        transaction_id: UUID,
        reported: str | None = None,
        /,
        *,
        is_disputed: bool = False,
        is_refund: bool = False,
    ) -> str | None:
        """Advance one transaction at a time; return what went wrong at the processor, which the next poll repeats."""
        turn = self._turns.setdefault(transaction_id, asyncio.Lock())
        # Its turn first: whoever waits for a slow transaction must not take a place from the others.
        async with turn, self._at_once:
            try:
                await advance_transaction(
                    self._tools, transaction_id, reported, is_disputed=is_disputed, is_refund=is_refund
                )
            except GatewayError as error:
                self._left_to_poll.add(transaction_id)
                logger.warning("gateway_failed", transaction_id=str(transaction_id), code=error.code)
                return error.code
            except Undecodable as error:
                # It cannot be helped here; whoever watches the read models is told, and the others go on.
                logger.error("transaction_unreadable", transaction_id=str(transaction_id), reason=str(error))
                return error.code
            except EscrowError as error:
                if not error.is_refusal:
                    raise
                logger.warning("reaction_refused", transaction_id=str(transaction_id), code=error.code)
                return error.code
        return None

    async def watch_clock(self) -> None:
        """Advance what is overdue; what the processor has just failed at waits for the poll, not for a second."""
        due = await self.watch.list_due(self._tools.clock())
        await self._advance_all(self.list_idle(one for one in due if one not in self._left_to_poll))

    async def poll(self) -> None:
        """Advance everything that is not over."""
        self._left_to_poll.clear()
        async for page in self.watch.read_unfinished():
            await self._advance_all(self.list_idle(page))

    async def poll_chargebacks(self) -> None:
        """Find the chargebacks that no webhook told of; what could not be recorded is looked for again."""
        try:
            look = await look_for_chargebacks(self._tools)
        except GatewayError as error:
            logger.warning("gateway_failed", asked="chargebacks", code=error.code)
            return
        failures = [await self.advance(*disputed, is_disputed=True) for disputed in look.disputed]
        if not any(failures):
            await remember_look(self._tools, look)

    async def _tend_vault(self, **works: Callable[[Toolbox], Awaitable[None]]) -> None:
        """Record what can be opened no more, and destroy what is never for sale again."""
        for name, work in works.items():
            try:
                await work(self._tools)
            except EscrowError as error:
                if not error.is_refusal:
                    raise
                # Somebody was quicker: the next round looks again.
                logger.warning("vault_not_tended", work=name, code=error.code)

    async def sweep(self) -> None:
        """Find late payments and payouts taken back that no webhook told of."""
        try:
            async for unheard in list_unheard(self._tools, self.watch):
                await self.advance(unheard.transaction_id, unheard.reference)
            await self._ask_questions()
        except GatewayError as error:
            logger.warning("gateway_failed", asked="sweep", code=error.code)

    async def _ask_questions(self) -> None:
        """Ask about what is too old for the lists; while the processor does not answer nothing counts as asked."""
        lives = {CHARGE: await get_life_of_pages(self._tools), TRANSFER: self._ask_transfers_for}
        for question in await self.watch.list_questions(self._tools.clock(), MOST_QUESTIONS):
            failure = await self.advance(question.transaction_id, question.reference)
            if failure in SILENT:
                return
            now = self._tools.clock()
            answered = failure in ANSWERS
            again_at = next_question_at(question, now, lives[question.kind]) if answered else now + SHORTEST_PAUSE
            await self.watch.ask_again_at(question, again_at)

    def list_idle(self, transaction_ids: Iterable[UUID]) -> list[UUID]:
        """Return those that nobody advances at this moment: to wait for the others would hold up all the rest."""
        turns = ((transaction_id, self._turns.get(transaction_id)) for transaction_id in transaction_ids)
        return [transaction_id for transaction_id, turn in turns if turn is None or not turn.locked()]


async def _open() -> None:
    """There is nothing to wait for."""


async def _repeat(seconds: float, work: Callable[[], Awaitable[None]], *, begin_seconds: float = 0.0) -> None:
    await asyncio.sleep(begin_seconds)
    while True:
        await work()
        await asyncio.sleep(seconds)
