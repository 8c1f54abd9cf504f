"""Events as they stand in the log."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, JsonValue

from domain.actor import PARTIES, STAFF, Actor
from domain.transaction.approval import (
    ApprovalExpired,
    ApprovalGranted,
    ApprovalRejected,
    ApprovalRequested,
    ApprovalRequestedWithoutPurpose,
)
from domain.transaction.note import NoteAdded
from eventstore.log import RecordedEvent

SEALED_FIELDS = frozenset({"ciphertext"})
OF_THE_REQUEST = frozenset({"command_id", "request_digest"})
"""Hashes of what somebody sent: parties could try out on them what the other one may have written."""
AMONG_STAFF = frozenset(
    kind.TOPIC
    for kind in (
        NoteAdded,
        ApprovalRequestedWithoutPurpose,
        ApprovalRequested,
        ApprovalGranted,
        ApprovalRejected,
        ApprovalExpired,
    )
)
"""What staff write down for each other; what comes of it is an event of its own."""
GROUNDS_OF_STAFF = frozenset({"reason", "requested_by"})


def may_see_event(recorded: RecordedEvent, actor: Actor) -> bool:
    """Whether `actor` is shown an event of what he may see: parties are not shown what is among staff."""
    return actor.role not in PARTIES or recorded.topic not in AMONG_STAFF


class EventView(BaseModel):
    """One event; `data` is what was recorded, without sealed credentials.

    Parties see no hashes of requests, and of what staff did not why, nor who had asked for it.
    """

    position: int
    recorded_at: datetime
    stream_id: UUID
    version: int
    type: str
    data: Mapping[str, JsonValue]

    @classmethod
    def of(cls, recorded: RecordedEvent, actor: Actor) -> "EventView":
        """Show an event as `actor` may see it."""
        hidden = SEALED_FIELDS
        if actor.role in PARTIES:
            hidden |= OF_THE_REQUEST
            hidden |= GROUNDS_OF_STAFF if recorded.data["actor_role"] in STAFF else frozenset()
        return cls.model_validate(
            {
                "position": recorded.position,
                "recorded_at": recorded.recorded_at,
                "stream_id": recorded.stream_id,
                "version": recorded.version,
                "type": recorded.topic,
                "data": {name: value for name, value in recorded.data.items() if name not in hidden},
            }
        )
