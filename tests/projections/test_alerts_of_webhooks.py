"""A chargeback that the processor reports is an alert, because people have to answer it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.actor import reaction
from domain.event import Context
from domain.webhook import RecordWebhook
from eventstore.log import RecordedEvent
from eventstore.transcoder import encode
from projections.alert import ALERT, ALERTS
from projections.rows import Rows
from projections.streams import Streams

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(("name", "alerts"), [("charge.dispute.create", 1), ("charge.success", 0)])
def test_a_reported_chargeback_raises_an_alert_and_a_payment_does_not(name: str, alerts: int) -> None:
    context = Context(at=NOON, actor=reaction("inbox"), command_id="0", request_digest="0", request_id="0")
    webhook = RecordWebhook(body_sha256="0" * 64, event=name, received_at=NOON).create(UUID(int=1), context)
    (event,) = webhook.collect_events()
    recorded = RecordedEvent(1, NOON, UUID(int=1), 1, "webhook.received.v1", encode(event))
    rows = Rows([ALERT], Streams(lambda ids: []))
    ALERTS.fold([recorded], rows)
    assert sum(len(added) for _, added in rows.take_changes()) == alerts
