"""The judge beside the system: reads every event from the log as raw JSON and folds it by rules of its own."""

import json
from collections import Counter
from uuid import UUID

from database.connect import Pool
from tests.domain.books import Books
from tests.domain.chart import need
from tests.domain.law import Law

EVENTS = """
SELECT notification_id, recorded_at, originator_id, originator_version, topic, state
FROM escrow_events WHERE notification_id > %s ORDER BY notification_id
"""


class Judge:
    """Balances, order, persons and intents of all that was written since it began; raises `Wrong`."""

    def __init__(self, limit_usd_cents: int) -> None:
        self.books, self.law = Books(), Law()
        self.position = 0
        self.events: list[tuple[str, str, dict]] = []
        self._limit = limit_usd_cents
        self._versions: Counter[UUID] = Counter()
        self._forced: Counter[UUID] = Counter()
        self._times = None

    async def read(self, pool: Pool) -> list[str]:
        """Judge what is new; return its topics."""
        async with pool.connection() as connection:
            rows = await (await connection.execute(EVENTS, (self.position,))).fetchall()
        fresh = []
        command = None
        for position, recorded_at, stream_id, version, topic, state in rows:
            need(position == self.position + 1, "a position is missing", position)
            need(self._times is None or recorded_at >= self._times, "recorded_at runs backwards")
            self.position, self._times = position, recorded_at
            fields = json.loads(bytes(state))
            if command is not None and fields["command_id"] != command:
                self.books.check_append()
            command = fields["command_id"]
            self._judge(stream_id, version, topic, fields)
            fresh.append(topic.split(".")[0][:2] + "." + topic.split(".")[1])
        self.books.check_append()
        return fresh

    def _judge(self, stream_id: UUID, version: int, topic: str, fields: dict) -> None:
        need(version == self._versions[stream_id] + 1, "a version is missing", topic, version)
        self._versions[stream_id] = version
        self.events.append((str(stream_id), topic.split(".")[1], fields))
        self.law.read(stream_id, topic, fields)
        self.books.read(str(stream_id), topic, fields)
        if topic == "transaction.decision_taken.v1":
            self._need_four_eyes(stream_id, fields)

    def _need_four_eyes(self, stream_id: UUID, fields: dict) -> None:
        self._forced[stream_id] += fields["amount_usd_cents"]
        above = self._forced[stream_id] > self._limit
        need(not above or fields["approval_id"] is not None, "one person moved more than the limit", fields)

    def held_minor(self, currency: str, *accounts: str) -> int:
        """What asset accounts hold, over all transactions."""
        return sum(self.books.totals[currency][account] for account in accounts)

    def own(self, name: str) -> list[dict]:
        """The facts of every event of this name."""
        return [fields for _, topic, fields in self.events if topic == name]
