"""A decision: forks of what was loaded are asked, and what they record becomes one proposal. Pure."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Generic, NamedTuple, TypeVar, cast
from uuid import UUID

from domain.aggregate import Aggregate
from domain.command import Command, CreationCommand, Stream
from domain.errors import EscrowError, NotFound, PreconditionFailed
from domain.event import Context, Event
from eventstore.fork import fork
from eventstore.proposal import NewEvent, Proposal, SealedAnswer
from eventstore.transcoder import encode

A = TypeVar("A", bound=Aggregate)


class Intent(NamedTuple, Generic[A]):
    """All that one call of `Escrow.execute` asks for."""

    stream_id: UUID
    command: Command[A]
    command_id: bytes
    request_digest: bytes
    context: Context
    expected_version: int | None
    answer: SealedAnswer | None


class Decided(NamedTuple, Generic[A]):
    """Forks with the decision in them, the primary one first, its events, and the versions it rests on besides."""

    aggregate: A
    changed: Sequence[Aggregate]
    events: Sequence[NewEvent]
    reads: Sequence[tuple[UUID, int]]


def list_related(intent: Intent[A], primary: A) -> Sequence[Stream]:
    """Return the streams besides the primary one that the command asks for; raise what the domain refuses."""
    try:
        return intent.command.related(primary)
    except EscrowError as refusal:
        _explain(refusal, intent, primary)
        raise


def decide(intent: Intent[A], primary: A | None, others: Sequence[Aggregate]) -> Decided[A]:
    """Let forks of the aggregates decide; what was loaded stays as it is. Raise what the domain refuses."""
    forks = [fork(other) for other in others]
    try:
        _check_version(intent, primary)
        aggregate = _call(intent, primary, forks)
    except EscrowError as refusal:
        _explain(refusal, intent, primary)
        raise
    return _collect(aggregate, forks)


def _call(intent: Intent[A], primary: A | None, forks: Sequence[Aggregate]) -> A:
    with ExitStack() as stack:
        for other in forks:
            stack.enter_context(other.acting(intent.context))
        if isinstance(intent.command, CreationCommand):
            return intent.command.create(intent.stream_id, intent.context, *forks)
        assert primary is not None, "only a creation has no aggregate to begin with"
        aggregate = fork(primary)
        with aggregate.acting(intent.context):
            intent.command.decide(aggregate, *forks)
        return aggregate


def _check_version(intent: Intent[A], primary: A | None) -> None:
    if primary is not None and intent.expected_version not in (None, primary.version):
        raise PreconditionFailed(version=primary.version)


def _explain(refusal: EscrowError, intent: Intent[A], primary: A | None) -> None:
    """Say where the aggregate stands, but not to those for whom it does not exist."""
    if primary is not None and refusal.state is None and not isinstance(refusal, NotFound):
        refusal.state = primary.state
        refusal.allowed_actions = primary.allowed_actions(intent.context.actor, intent.context.at)


def _collect(aggregate: A, others: Sequence[Aggregate]) -> Decided[A]:
    """The events of the primary aggregate come first: the log alone then tells what the command was about."""
    changed: list[Aggregate] = []
    events: list[NewEvent] = []
    reads: list[tuple[UUID, int]] = []
    for each in (aggregate, *others):
        pending = cast("Sequence[Event]", each.collect_events())
        if pending:
            changed.append(each)
            events.extend([NewEvent(each.id, one.originator_version, one.TOPIC, encode(one)) for one in pending])
        else:
            reads.append((each.id, each.version))
    return Decided(aggregate, changed, events, reads)


def make_proposal(intent: Intent[A], decided: Decided[A]) -> Proposal:
    """Return what the log is asked to write."""
    return Proposal(
        command_id=intent.command_id,
        request_digest=intent.request_digest,
        events=decided.events,
        result_stream_id=decided.aggregate.id,
        result_version=decided.aggregate.version,
        reads=decided.reads,
        answer=intent.answer,
    )
