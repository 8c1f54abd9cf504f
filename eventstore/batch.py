"""A batch of proposals as the array parameters of the append function, and its rows as outcomes."""

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from eventstore.arrays import Array, pack_bytes, pack_int4s, pack_int8s, pack_texts, pack_times, pack_uuids
from eventstore.proposal import NewEvent, Outcome, Proposal, SealedAnswer, Verdict

Row = tuple[int, str, int | None, int | None, UUID | None, int | None]


class Placed(NamedTuple):
    """The parts of a batch, each with the 1-based place of its command."""

    events: list[tuple[int, NewEvent]]
    reads: list[tuple[int, tuple[UUID, int]]]
    answers: list[tuple[int, SealedAnswer]]


def parameters_of(batch: Sequence[Proposal]) -> dict[str, Array]:
    """Return the parameters by name; arrays of equal length belong together, see database/migrations/0002_log.sql."""
    placed = _place(batch)
    return _events(placed) | _reads(placed) | _commands(batch) | _answers(placed)


def outcomes_of(rows: Sequence[Row], *, resent: bool) -> list[Outcome]:
    """Return the outcomes in the order of the batch."""
    return [
        Outcome(Verdict(verdict), first, last, stream_id, version, resent)
        for _, verdict, first, last, stream_id, version in sorted(rows, key=itemgetter(0))
    ]


def _place(batch: Sequence[Proposal]) -> Placed:
    placed = Placed([], [], [])
    for item, proposal in enumerate(batch, start=1):
        placed.events.extend([(item, event) for event in proposal.events])
        placed.reads.extend([(item, read) for read in proposal.reads])
        if proposal.answer is not None:
            placed.answers.append((item, proposal.answer))
    return placed


def _events(placed: Placed) -> dict[str, Array]:
    return {
        "items": pack_int4s([item for item, _ in placed.events]),
        "stream_ids": pack_uuids([event.stream_id for _, event in placed.events]),
        "versions": pack_int8s([event.version for _, event in placed.events]),
        "topics": pack_texts([event.topic for _, event in placed.events]),
        "states": pack_bytes([event.state for _, event in placed.events]),
    }


def _reads(placed: Placed) -> dict[str, Array]:
    return {
        "read_items": pack_int4s([item for item, _ in placed.reads]),
        "read_stream_ids": pack_uuids([stream_id for _, (stream_id, _) in placed.reads]),
        "read_versions": pack_int8s([version for _, (_, version) in placed.reads]),
    }


def _commands(batch: Sequence[Proposal]) -> dict[str, Array]:
    return {
        "command_ids": pack_bytes([proposal.command_id for proposal in batch]),
        "request_digests": pack_bytes([proposal.request_digest for proposal in batch]),
        "result_stream_ids": pack_uuids([proposal.result_stream_id for proposal in batch]),
        "result_versions": pack_int8s([proposal.result_version for proposal in batch]),
    }


def _answers(placed: Placed) -> dict[str, Array]:
    return {
        "answer_items": pack_int4s([item for item, _ in placed.answers]),
        "answers": pack_bytes([answer.answer for _, answer in placed.answers]),
        "answer_transaction_ids": pack_uuids([answer.transaction_id for _, answer in placed.answers]),
        "answer_deposit_ids": pack_uuids([answer.deposit_id for _, answer in placed.answers]),
        "answer_user_ids": pack_uuids([answer.user_id for _, answer in placed.answers]),
        "answer_expire_at": pack_times([answer.expires_at for _, answer in placed.answers]),
    }
