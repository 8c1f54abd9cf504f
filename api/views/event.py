"""Events as they stand in the log."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, JsonValue

from eventstore.log import RecordedEvent

SEALED_FIELDS = frozenset({"ciphertext"})


class EventView(BaseModel):
    """One event; `data` is what was recorded, without sealed credentials."""

    position: int
    recorded_at: datetime
    stream_id: UUID
    version: int
    type: str
    data: Mapping[str, JsonValue]

    @classmethod
    def of(cls, recorded: RecordedEvent) -> "EventView":
        """Show an event."""
        return cls.model_validate(
            {
                "position": recorded.position,
                "recorded_at": recorded.recorded_at,
                "stream_id": recorded.stream_id,
                "version": recorded.version,
                "type": recorded.topic,
                "data": {name: value for name, value in recorded.data.items() if name not in SEALED_FIELDS},
            }
        )
