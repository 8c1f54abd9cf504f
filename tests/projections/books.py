"""The books folded a second way, from the bytes of the log alone, to hold the read models against."""

import json
from collections import Counter
from typing import NamedTuple

import psycopg


class Line(NamedTuple):
    """One line of a journal as the log has it."""

    position: int
    line: int
    stream: str
    topic: str
    account: str
    subject: str
    currency: str
    amount_minor: int


def read_lines(connection: psycopg.Connection) -> list[Line]:
    """Every line of every journal, in order."""
    query = "SELECT notification_id, originator_id, topic, state FROM escrow_events ORDER BY notification_id"
    return [
        Line(position, number, str(stream), topic, *posting[:2], data["currency"], posting[2])
        for position, stream, topic, state in connection.execute(query)
        for data in [json.loads(state)]
        for number, posting in enumerate(data.get("postings", ()), 1)
    ]


def balances(lines: list[Line], *, upto: int) -> dict[tuple[str, str], int]:
    """The balance of every account that was ever used, by currency, when the log ended at a position."""
    found: Counter[tuple[str, str]] = Counter()
    for line in lines:
        if line.position <= upto:
            found[line.account, line.currency] += line.amount_minor
    return dict(found)
