"""While no message leaves an alert stands; the first that leaves takes it down."""

import asyncio
from contextlib import nullcontext
from datetime import UTC, datetime

import pytest

from database.connect import Pool, open_pool
from gateways.message import MessageRefused, MessageUndelivered
from projections.alert import list_alerts
from reactions.message import watch_delivery
from tests.conftest import Database

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def test_an_alert_stands_from_the_first_failure_to_the_next_message_that_leaves(database: Database) -> None:
    async def tell(pool: Pool) -> None:
        failures: list[Exception | None] = []

        async def send(_message: str) -> None:
            if failures and (failure := failures.pop(0)) is not None:
                raise failure

        watched = watch_delivery(pool, lambda: NOON, "mail", send)

        async def details(*failing: Exception | None) -> list[tuple[str, str | None]]:
            for failure in failing:
                failures.append(failure)
                with nullcontext() if failure is None else pytest.raises(type(failure)):
                    await watched("a letter")
            alerts = await list_alerts(pool, kind="mail_failing")
            return [(alert.severity, alert.detail) for alert in alerts]

        assert await details(None) == []
        of_one = MessageUndelivered("451", concerns_all=False)
        assert await details(of_one, MessageRefused("550")) == [], "it speaks to us"
        down = MessageUndelivered("ConnectionRefusedError")
        standing = [("P1", "messages cannot be handed over: ConnectionRefusedError")]
        assert await details(down, down) == standing
        over = [("P1", "messages cannot be handed over: they leave again")]
        assert await details(None) == over
        assert len(await details(down)) == 2
        revoked = ("P1", "messages cannot be handed over: 401")
        assert revoked in await details(None, MessageUndelivered("401"))

    async def within() -> None:
        async with open_pool(database.app_dsn, max_size=2) as pool:
            await tell(pool)

    asyncio.run(within())
