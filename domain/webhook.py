"""A webhook in the log: its hash, so that the inbox, which lies outside the log, can be held against it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from domain.actor import Actor
from domain.aggregate import Aggregate
from domain.command import CreationCommand
from domain.event import Context, CreatedEvent

NAMESPACE = UUID("2b8c6a1e-4f0d-5e55-9a77-1c7f0d3e9b42")


class WebhookReceived(CreatedEvent):
    """A delivery with a good signature is in the inbox; `body_sha256` covers the raw bytes."""

    TOPIC = "webhook.received.v1"
    body_sha256: str
    event: str
    received_at: datetime


class Webhook(Aggregate):
    """One delivery; the same bytes again are the same delivery."""

    TOPIC = "webhook"

    def __init__(self, body_sha256: str, event: str, received_at: datetime) -> None:
        self.body_sha256 = body_sha256
        self.event = event
        self.received_at = received_at

    @property
    def state(self) -> str:
        """A delivery never changes."""
        return "received"

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        """Nothing: what follows from a delivery concerns its transaction."""
        return ()


def webhook_id(body_sha256: bytes) -> UUID:
    """Return the stream of a delivery, derived from the SHA-256 of its bytes."""
    return uuid5(NAMESPACE, body_sha256.hex())


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordWebhook(CreationCommand[Webhook]):
    """A delivery is in the inbox."""

    aggregate_type = Webhook
    body_sha256: str
    event: str
    received_at: datetime

    def create(self, stream_id: UUID, context: Context, *sources: Aggregate) -> Webhook:
        """Return the new stream."""
        return Webhook.start(
            WebhookReceived,
            stream_id,
            context,
            body_sha256=self.body_sha256,
            event=self.event,
            received_at=self.received_at,
        )
