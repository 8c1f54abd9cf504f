"""The processor's own deliveries, without a poll that could do their work: they alone bring a sale to its end."""

import time
from collections.abc import Generator
from datetime import timedelta

import pytest

from tests.api.running import WIRE, Installation, run_installation
from tests.conftest import Database
from tests.waiting import wait_until
from tests.weaknesses.running import read

PATH = "/api/v1/webhooks/paystack"
SLOW_SECONDS = 8.0


@pytest.fixture
def untold(database: Database) -> Generator[Installation]:
    """An installation that polls nothing while the test lasts; its stand-in delivers webhooks as the processor does."""
    with run_installation(database.app_dsn, database.superuser_dsn, poll_every=timedelta(hours=1)) as installation:
        url = {"url": installation.base_url + PATH}
        assert WIRE.post(f"{installation.stand_in.base_url}/_sim/webhooks", json=url).status_code == 200
        yield installation


@pytest.mark.weakness("W2")
def test_the_processors_own_deliveries_alone_bring_a_sale_to_its_end(untold: Installation) -> None:
    """Elsewhere the genuine delivery is refused, and what was paid never moves."""
    transaction = untold.hold()
    untold.sign(transaction)
    untold.confirm(transaction)
    untold.wait(transaction, lambda view: view["state"] == "completed")
    tries = WIRE.get(f"{untold.stand_in.base_url}/_sim/webhooks").json()["webhooks"]
    assert {each["event"] for each in tries} >= {"charge.success", "transfer.success"}
    applied = "SELECT event FROM payment_events WHERE outcome = 'applied' AND transaction_id = %s"
    wait_until(lambda: {row[0] for row in read(untold, applied, transaction)} >= {"charge.success"})
    assert read(untold, "SELECT refused FROM webhook_refusals") == []


@pytest.mark.weakness("W14")
def test_a_delivery_is_answered_while_the_processor_hangs(untold: Installation) -> None:
    """Elsewhere the work is done before the answer: whoever waits for the processor makes it send all again."""
    transaction = untold.open()
    fault = {"endpoint": "verify", "kind": "slow", "delay_seconds": SLOW_SECONDS}
    faults = f"{untold.stand_in.base_url}/_sim/faults"
    assert WIRE.post(faults, json=fault).status_code == 201
    began = time.monotonic()
    untold.pay(transaction)
    wait_until(lambda: read(untold, "SELECT count(*) FROM payment_events") == [(1,)])
    tries = WIRE.get(f"{untold.stand_in.base_url}/_sim/webhooks").json()["webhooks"]
    assert [each["event"] for each in tries] == ["charge.success"]
    assert time.monotonic() - began < SLOW_SECONDS, "the answer waited for the processor"
    assert read(untold, "SELECT processed_at FROM payment_events") == [(None,)]
    assert WIRE.delete(faults).status_code < 300
    wait_until(lambda: untold.view(transaction)["state"], lambda state: state == "funds_held", seconds=60)
