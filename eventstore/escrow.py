"""Carry commands to the log: load, let the aggregates decide, append, answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Generic, NamedTuple, TypeVar, cast
from uuid import UUID

from database.connect import Pool
from domain.actor import Actor
from domain.aggregate import Aggregate
from domain.command import Command, CreationCommand, Stream
from domain.errors import (
    EscrowError,
    IdempotencyMismatch,
    NotFound,
    StillRunning,
    VersionConflict,
)
from domain.event import Context
from domain.ids import Clock
from eventstore.appender import Appender
from eventstore.cache import AggregateCache
from eventstore.decision import Decided, Intent, decide, list_related, make_proposal
from eventstore.fork import fork
from eventstore.locks import StreamLocks
from eventstore.log import END, RecordedCommand, RecordedEvent, find_command, get_head, read_stream
from eventstore.proposal import Outcome, SealedAnswer, Verdict

A = TypeVar("A", bound=Aggregate)
ATTEMPTS = 4
RETRY_AFTER_SECONDS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks, and what makes the request recognisable: SHA-256 digests of actor and key, and of the request."""

    actor: Actor
    command_id: bytes
    digest: bytes
    request_id: str

    @classmethod
    def keyed(cls, actor: Actor, key: str) -> "Request":
        """Return the request that a key names: under the same key it is a repeat, and changes nothing."""
        digest = sha256(key.encode()).digest()
        return cls(actor=actor, command_id=digest, digest=digest, request_id=digest.hex()[:32])


class Result(NamedTuple, Generic[A]):
    """The aggregate right after the command, which must not be changed, and the position of the last event."""

    aggregate: A
    position: int
    replayed: bool


class Attempt(NamedTuple):
    """The streams that are locked, and the versions (0: none) that were loaded."""

    held: set[UUID]
    seen: dict[UUID, int]


class Stale(Exception):
    """The decision rested on what is no longer the newest version."""


class Crowded(Exception):
    """More streams are needed than are locked, and somebody else has one of them; locks are taken in order only."""

    def __init__(self, streams: frozenset[UUID]) -> None:
        """`streams` are to be locked together next time."""
        super().__init__()
        self.streams = streams


class Escrow:
    """The one way in which commands reach the log; `get` is how a single aggregate is read back."""

    def __init__(self, pool: Pool, appender: Appender, clock: Clock, ids: Callable[[], UUID]) -> None:
        """`pool` reads as the application, `clock` gives aware UTC, `ids` makes the ids of new streams."""
        self._pool = pool
        self._appender = appender
        self._clock = clock
        self.new_id = ids
        self._cache = AggregateCache()
        self._locks = StreamLocks()
        self._running: set[bytes] = set()

    async def execute(
        self,
        stream_id: UUID,
        command: Command[A],
        request: Request,
        *,
        expected_version: int | None = None,
        answer: SealedAnswer | None = None,
        dry_run: bool = False,
    ) -> Result[A]:
        """Carry the command out once, however often it is asked for, and answer when it is durable.

        A refusal of the domain leaves nothing behind and carries `state` and `allowed_actions`. Also raises `NotFound`,
        `PreconditionFailed`, `StillRunning`, `IdempotencyMismatch`, `VersionConflict`, and what `Appender.append`
        raises. With `dry_run` the answer is what would be, and nothing is written.
        """
        intent = Intent(
            stream_id, command, request.command_id, request.digest, self._context(request), expected_version, answer
        )
        if dry_run:
            return await self._rehearse(intent)
        if request.command_id in self._running:
            # What runs may be another repeat of something that was answered long ago.
            if (replayed := await self._recall(intent)) is not None:
                return replayed
            raise StillRunning(retry_after_seconds=RETRY_AFTER_SECONDS)
        self._running.add(request.command_id)
        try:
            return await self._carry_out(intent)
        finally:
            self._running.discard(request.command_id)

    async def get(
        self, kind: type[A], stream_id: UUID, *, version: int | None = None, at_position: int | None = None
    ) -> A:
        """Return the aggregate as it is now, or as it was at a version or a position of the log; do not change it.

        Raises `NotFound` when there is no such stream or version, or an aggregate of another type.
        """
        if version is None and at_position is None:
            return _require(kind, await self._refresh(stream_id))
        to_version, to_position = (END if limit is None else limit for limit in (version, at_position))
        found = _require(kind, await self._fold(stream_id, to_version, to_position))
        if version is not None and found.version != version:
            raise NotFound
        return found

    def _context(self, request: Request) -> Context:
        return Context(
            at=self._clock(),
            actor=request.actor,
            command_id=request.command_id.hex(),
            request_digest=request.digest.hex(),
            request_id=request.request_id,
        )

    async def _carry_out(self, intent: Intent[A]) -> Result[A]:
        streams = frozenset((intent.stream_id, *(source.id for source in _sources(intent.command))))
        conflicts = 0
        while conflicts < ATTEMPTS:
            attempt = Attempt(set(streams), {})
            if not self._locks.acquire_at_once(attempt.held):
                await self._locks.acquire(attempt.held)
            try:
                return await self._attempt(intent, attempt)
            except Stale:
                conflicts += 1
            except Crowded as crowded:
                streams = crowded.streams
            finally:
                self._locks.release(attempt.held)
        raise VersionConflict(retry_after_seconds=RETRY_AFTER_SECONDS)

    async def _attempt(self, intent: Intent[A], attempt: Attempt) -> Result[A]:
        """Decide on what this process knows; the log is asked before anything but a stored decision is answered."""
        try:
            decided = decide(intent, *await self._load(intent, attempt))
        except EscrowError as error:
            if not error.is_refusal:
                raise
            if (replayed := await self._reconsider(intent, attempt)) is not None:
                return replayed
            raise
        if decided.events:
            return await self._append(intent, decided, attempt)
        if (replayed := await self._reconsider(intent, attempt)) is not None:
            return replayed
        return Result(decided.aggregate, await get_head(self._pool), replayed=False)

    async def _load(self, intent: Intent[A], attempt: Attempt) -> tuple[A | None, list[Aggregate]]:
        """Return the primary aggregate, None if it is to be created, and the others in the order the command gives."""
        command = intent.command
        if isinstance(command, CreationCommand):
            return None, [await self._find(source, attempt) for source in command.sources()]
        primary = await self._find(Stream(command.aggregate_type, intent.stream_id), attempt)
        related = list_related(intent, cast("A", primary))
        more = {stream.id for stream in related} - attempt.held
        if not self._locks.acquire_at_once(more):
            raise Crowded(frozenset(attempt.held | more))
        attempt.held.update(more)
        return cast("A", primary), [await self._find(stream, attempt) for stream in related]

    async def _find(self, stream: Stream, attempt: Attempt) -> Aggregate:
        found = self._cache.find(stream.id)
        if found is None:
            found = await self._refresh(stream.id)
        attempt.seen[stream.id] = _version(found)
        return _require(stream.aggregate, found)

    async def _append(self, intent: Intent[A], decided: Decided[A], attempt: Attempt) -> Result[A]:
        try:
            outcome = await self._appender.append(make_proposal(intent, decided))
        except BaseException:
            self._cache.drop(attempt.held)
            raise
        if outcome.verdict is Verdict.STORED:
            for aggregate in decided.changed:
                self._cache.put(aggregate)
            return Result(decided.aggregate, cast("int", outcome.last_position), replayed=False)
        self._cache.drop(attempt.held)
        if outcome.verdict is Verdict.CONFLICT:
            raise Stale
        if outcome.verdict is Verdict.MISMATCH:
            raise IdempotencyMismatch
        return await self._answer_again(intent, _recorded(intent, outcome), replayed=not outcome.resent)

    async def _reconsider(self, intent: Intent[A], attempt: Attempt) -> Result[A] | None:
        """Return the first answer if the command was carried out before; raise `Stale` if somebody was faster."""
        if (replayed := await self._recall(intent)) is not None:
            return replayed
        for stream_id, version in attempt.seen.items():
            if _version(await self._refresh(stream_id)) != version:
                raise Stale
        return None

    async def _recall(self, intent: Intent[A]) -> Result[A] | None:
        recorded = await find_command(self._pool, intent.command_id)
        if recorded is None:
            return None
        if recorded.request_digest != intent.request_digest:
            raise IdempotencyMismatch
        return await self._answer_again(intent, recorded, replayed=True)

    async def _answer_again(self, intent: Intent[A], recorded: RecordedCommand, *, replayed: bool) -> Result[A]:
        """Refold the answer as of then. What is created is found by the record, as each attempt invents a new id."""
        if isinstance(intent.command, CreationCommand) or recorded.stream_id == intent.stream_id:
            found = await self._fold(recorded.stream_id, recorded.stream_version, END)
        else:
            found = await self._fold(intent.stream_id, END, recorded.last_position)
        return Result(_require(_kind(intent.command), found), recorded.last_position, replayed)

    async def _rehearse(self, intent: Intent[A]) -> Result[A]:
        """Decide on the newest versions, without locks: nothing comes of it."""
        command = intent.command
        if isinstance(command, CreationCommand):
            loaded = None, [await self._newest(source) for source in command.sources()]
        else:
            primary = cast("A", await self._newest(Stream(command.aggregate_type, intent.stream_id)))
            loaded = primary, [await self._newest(stream) for stream in list_related(intent, primary)]
        return Result(decide(intent, *loaded).aggregate, await get_head(self._pool), replayed=False)

    async def _newest(self, stream: Stream) -> Aggregate:
        return _require(stream.aggregate, await self._refresh(stream.id))

    async def _refresh(self, stream_id: UUID) -> Aggregate | None:
        """Catch up with the log, and keep the result."""
        known = self._cache.find(stream_id)
        events = await read_stream(self._pool, stream_id, after_version=known.version if known else -1)
        if not events:
            return known
        found = evolve(events, fork(known) if known else None)
        self._cache.put(found)
        return found

    async def _fold(self, stream_id: UUID, to_version: int, to_position: int) -> Aggregate | None:
        events = await read_stream(self._pool, stream_id, to_version=to_version, to_position=to_position)
        return evolve(events) if events else None


def evolve(events: Sequence[RecordedEvent], aggregate: Aggregate | None = None) -> Aggregate:
    """Return what the events of one stream make of an aggregate, or of nothing when they begin with its first."""
    for recorded in events:
        aggregate = recorded.event.mutate(aggregate)
    assert aggregate is not None, "there is at least one event"
    return aggregate


def _version(found: Aggregate | None) -> int:
    return 0 if found is None else found.version


def _require(kind: type[A], found: Aggregate | None) -> A:
    if not isinstance(found, kind):
        raise NotFound
    return found


def _recorded(intent: Intent[A], outcome: Outcome) -> RecordedCommand:
    assert outcome.last_position is not None, "what was replayed has a position"
    assert outcome.stream_id is not None, "and a stream"
    assert outcome.stream_version is not None, "and a version"
    return RecordedCommand(intent.request_digest, outcome.last_position, outcome.stream_id, outcome.stream_version)


def _sources(command: Command[A]) -> Sequence[Stream]:
    return command.sources() if isinstance(command, CreationCommand) else ()


def _kind(command: Command[A]) -> type[A]:
    return cast("type[A]", command.aggregate_type)
