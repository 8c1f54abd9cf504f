"""Group commit: all commands that wait while one batch commits share the next commit.

One task owns the one connection that writes. Whoever proposes waits on a future, so that his cancellation never reaches
a commit. When nobody knows whether a batch was committed it is sent again, and the idempotency keys in it turn what was
stored into `replayed`. Nothing is acknowledged before its commit is durable.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self

import psycopg
from psycopg.errors import UniqueViolation

from database.errors import DatabaseUnavailable, UnsafeConfiguration
from domain.errors import EscrowError, Overloaded
from eventstore.proposal import AppendFailed, Outcome, OutcomeUnknown, Proposal, Verdict, check_proposal
from eventstore.writer import CommitUnknown, Writer

MAX_COMMANDS = 512
MAX_BYTES = 8 * 1024 * 1024
CAPACITY = 4096
PATIENCE_SECONDS = 4.0
TICK_SECONDS = 0.1
PAUSE_SECONDS = 0.05
WOKEN_AT_ONCE = 16
RETRY_AFTER_SECONDS = 1
# Serialization failures, lack of resources, locks, cancelled statements, trouble with files: all gone after a while.
PASSING = ("40", "53", "55", "57", "58")
CONFLICT = Outcome(Verdict.CONFLICT, None, None, None, None)


UNKNOWN = partial(OutcomeUnknown, retry_after_seconds=RETRY_AFTER_SECONDS)


class Waiting:
    """A proposal and the future on which its author waits."""

    __slots__ = ("future", "proposal", "since")

    def __init__(self, proposal: Proposal, loop: asyncio.AbstractEventLoop) -> None:
        """It waits from now on, by the clock of the loop."""
        self.proposal = proposal
        self.future: asyncio.Future[Outcome] = loop.create_future()
        self.since = loop.time()

    def fail(self, error: EscrowError) -> None:
        """Tell the author, unless he knows already or has gone."""
        if not self.future.done():
            self.future.set_exception(error)


class Appender:
    """Use as an async context manager; entering raises `UnsafeConfiguration` or `DatabaseUnavailable`."""

    def __init__(self, dsn: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Each command waits no longer than `patience_seconds` for an answer."""
        self._writer = Writer(dsn)
        self._patience_seconds = patience_seconds
        self._queue: deque[Waiting] = deque()
        self._in_flight: list[Waiting] = []
        self._sent = False
        self._wake = asyncio.Event()
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Connect, refuse an unsafe server, start writing."""
        await self._writer.connect()
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._watch())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take nothing more, write what waits, and stop; nobody waits longer than the patience allows."""
        self._closing = True
        if futures := [waiting.future for waiting in (*self._in_flight, *self._queue)]:
            _ = await asyncio.wait(futures, timeout=self._patience_seconds)
        # Asked first: a commit that is cancelled under way may be stored all the same.
        self._give_up([*self._in_flight, *self._queue])
        for task in self._tasks:
            _ = task.cancel()
        _ = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._writer.close()

    async def append(self, proposal: Proposal) -> Outcome:
        """Return what became of the proposal, once it is durable or certainly not stored.

        Raises `Overloaded`, `DatabaseUnavailable`, `UnsafeConfiguration`, `AppendFailed` and `EventTooLarge` when
        nothing was done, and `OutcomeUnknown` when only a retry with the same command id can tell. Cancelling the
        caller withdraws a proposal that still waits, and changes nothing for one that is being committed.
        """
        check_proposal(proposal)
        if len(self._queue) >= CAPACITY or self._closing:
            raise Overloaded(retry_after_seconds=RETRY_AFTER_SECONDS)
        if self._tasks[0].done():
            self._tasks[0].result()  # what ended the writing is a defect: nobody shall wait for a writer that is gone
        waiting = Waiting(proposal, asyncio.get_running_loop())
        self._queue.append(waiting)
        self._wake.set()
        return await waiting.future

    async def _write(self) -> None:
        while True:
            _ = await self._wake.wait()
            self._wake.clear()
            while batch := self._take():
                self._in_flight = batch
                self._sent = False
                try:
                    await self._commit(batch)
                except Exception:
                    self._sent = True  # a defect, which ends the writing: how far it came nobody knows
                    raise
                self._in_flight = []

    def _take(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size = 0
        while self._queue and len(batch) < MAX_COMMANDS and size < MAX_BYTES:
            waiting = self._queue.popleft()
            if not waiting.future.done():
                batch.append(waiting)
                size += sum([len(event.state) for event in waiting.proposal.events])
        return batch

    async def _commit(self, batch: Sequence[Waiting]) -> None:
        """Send the batch until its outcome is known or nobody waits for it any more.

        Once it was sent and not answered, whatever keeps it from being sent again leaves its outcome unknown.
        """
        while not all(waiting.future.done() for waiting in batch):
            try:
                outcomes = await self._writer.send([waiting.proposal for waiting in batch], again=self._sent)
            except CommitUnknown:
                self._sent = True
                await asyncio.sleep(PAUSE_SECONDS)
            except DatabaseUnavailable:
                await asyncio.sleep(PAUSE_SECONDS)
            except UnsafeConfiguration as unsafe:
                _fail(batch, UNKNOWN if self._sent else partial(UnsafeConfiguration, **unsafe.facts))
            except psycopg.Error as error:
                if (error.sqlstate or "").startswith(PASSING):
                    await asyncio.sleep(PAUSE_SECONDS)
                else:
                    await self._isolate(batch, error)
                    break
            else:
                _settle(batch, outcomes)
                break

    async def _isolate(self, batch: Sequence[Waiting], error: psycopg.Error) -> None:
        """The server refused the batch for good. Send each alone: one must not take its neighbours with it."""
        if len(batch) > 1:
            was_sent = self._sent
            for waiting in batch:
                self._sent = was_sent
                await self._commit([waiting])
        elif isinstance(error, UniqueViolation):
            _settle(batch, [CONFLICT])
        else:
            _fail(batch, UNKNOWN if self._sent else partial(AppendFailed, sqlstate=error.sqlstate))

    async def _watch(self) -> None:
        """Nobody waits longer than he can bear, whatever the database does."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            latest = asyncio.get_running_loop().time() - self._patience_seconds
            self._give_up([waiting for waiting in (*self._in_flight, *self._queue) if waiting.since < latest])

    def _give_up(self, late: list[Waiting]) -> None:
        maybe_stored = set(self._in_flight) if self._sent or self._writer.is_sending else set[Waiting]()
        for waiting in late:
            kind = OutcomeUnknown if waiting in maybe_stored else DatabaseUnavailable
            waiting.fail(kind(retry_after_seconds=RETRY_AFTER_SECONDS))


def _settle(batch: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    """Wake the authors a few at a time: what the first decide next is being committed while the others decide."""
    for waiting, outcome in zip(batch[:WOKEN_AT_ONCE], outcomes, strict=False):
        if not waiting.future.done():
            waiting.future.set_result(outcome)
    if len(batch) > WOKEN_AT_ONCE:
        rest = batch[WOKEN_AT_ONCE:], outcomes[WOKEN_AT_ONCE:]
        _ = asyncio.get_running_loop().call_soon(_settle, *rest)


def _fail(batch: Sequence[Waiting], make_error: Callable[[], EscrowError]) -> None:
    for waiting in batch:
        waiting.fail(make_error())
