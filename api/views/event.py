"""Events as they stand in the log."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, JsonValue

from domain.actor import PARTIES, Actor
from eventstore.log import RecordedEvent

SEALED_FIELDS = frozenset({"ciphertext"})
OF_THE_REQUEST = frozenset({"command_id", "request_digest"})
"""Hashes of what somebody sent: parties could try out on them what the other one may have written."""


class EventView(BaseModel):
    """One event; `data` is what was recorded, without sealed credentials; parties see no hashes of requests."""

    position: int
    recorded_at: datetime
    stream_id: UUID
    version: int
    type: str
    data: Mapping[str, JsonValue]

    @classmethod
    def of(cls, recorded: RecordedEvent, actor: Actor) -> "EventView":
        """Show an event as `actor` may see it."""
        hidden = SEALED_FIELDS | OF_THE_REQUEST if actor.role in PARTIES else SEALED_FIELDS
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
