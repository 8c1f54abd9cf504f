"""What one command asks the log to write, and what became of it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.errors import EscrowError, Invalid

MAX_STATE_BYTES = 256 * 1024
MAX_ANSWER_BYTES = 64 * 1024
DIGEST_BYTES = 32


class EventTooLarge(Invalid):
    """What this request would record is larger than one event of the log may be."""

    code = "event_too_large"


class OutcomeUnknown(EscrowError):
    """It is not yet known whether this was done; ask again with the same Idempotency-Key."""

    code = "outcome_unknown"
    status = 503


class AppendFailed(EscrowError):
    """The log refused this append; nothing was written."""

    code = "append_failed"
    status = 500


class NewEvent(NamedTuple):
    """An event on its way into the log; `state` is its canonical JSON."""

    stream_id: UUID
    version: int
    topic: str
    state: bytes


class SealedAnswer(NamedTuple):
    """The answer of a reveal, sealed to the client, kept until it is destroyed or expires."""

    transaction_id: UUID
    deposit_id: UUID
    user_id: UUID
    answer: bytes
    expires_at: datetime


class Proposal(NamedTuple):
    """The events of one command, all or nothing.

    `reads` are streams with the version that the decision rests on (0: not there) but does not change. The answer is
    refolded from `result_stream_id` at `result_version`.
    """

    command_id: bytes
    request_digest: bytes
    events: Sequence[NewEvent]
    result_stream_id: UUID
    result_version: int
    reads: Sequence[tuple[UUID, int]] = ()
    answer: SealedAnswer | None = None


class Verdict(StrEnum):
    """What the append function said of a command."""

    STORED = "stored"
    CONFLICT = "conflict"
    REPLAYED = "replayed"
    MISMATCH = "mismatch"


class Outcome(NamedTuple):
    """What became of a proposal; positions are None for a conflict.

    The stream is that of the first answer, given for `replayed` and `mismatch`: for `stored` the caller has it.

    `resent` says that this batch was sent before with an unknown outcome, so that `replayed` most likely means itself.
    """

    verdict: Verdict
    first_position: int | None
    last_position: int | None
    stream_id: UUID | None
    stream_version: int | None
    resent: bool = False


def check_proposal(proposal: Proposal) -> None:
    """Raise `EventTooLarge`, or `ValueError` for what no correct caller proposes, before it can hurt its neighbours."""
    if len(proposal.command_id) != DIGEST_BYTES or len(proposal.request_digest) != DIGEST_BYTES:
        raise ValueError("command id and request digest are SHA-256 digests")
    if proposal.answer is not None and len(proposal.answer.answer) > MAX_ANSWER_BYTES:
        raise EventTooLarge(limit_bytes=MAX_ANSWER_BYTES)
    _check_events(proposal.events)


def _check_events(events: Sequence[NewEvent]) -> None:
    versions: dict[UUID, int] = {}
    for event in events:
        if len(event.state) > MAX_STATE_BYTES:
            raise EventTooLarge(limit_bytes=MAX_STATE_BYTES)
        if not event.topic or versions.get(event.stream_id, event.version - 1) != event.version - 1:
            raise ValueError("an event without a topic, or a gap between versions")
        versions[event.stream_id] = event.version
    if not versions:
        raise ValueError("nothing to append")
