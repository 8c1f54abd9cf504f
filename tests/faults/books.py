"""Compare the ledger's tables with the log: a second, independent fold, in SQL and plain Python. Run after the folds.

Each line of each journal is an entry, once; each account is the sum of its lines; each journal sums to zero, in whole
numbers; the commission is the agreed share of what was released, rounded down.
"""

import json
from collections import Counter
from collections.abc import Iterator

import psycopg

LOG = "SELECT notification_id, originator_id::text, topic, convert_from(state, 'UTF8') FROM escrow_events ORDER BY 1"
ENTRIES = "SELECT position, line, account, subject, currency, amount_minor FROM ledger_entries"
ACCOUNTS = "SELECT account, currency, balance_minor, entries FROM ledger_accounts"


def check_books(dsn: str) -> Iterator[str]:
    """Yield what is wrong."""
    with psycopg.connect(dsn) as connection:
        log = [(position, stream, topic, json.loads(text)) for position, stream, topic, text in connection.execute(LOG)]
        entries = Counter(connection.execute(ENTRIES).fetchall())
        accounts = {row[:2]: row[2:] for row in connection.execute(ACCOUNTS)}
    expected = Counter(lines_of(log))
    yield from (f"entry missing: {line}" for line in expected - entries)
    yield from (f"entry too many: {line}" for line in entries - expected)
    yield from check_accounts(expected, accounts)
    yield from check_journals(log)
    yield from check_fees(log)


def lines_of(log: list[tuple[int, str, str, dict]]) -> Iterator[tuple[object, ...]]:
    for position, _, _, data in log:
        for number, (account, subject, amount) in enumerate(data.get("postings", ()), 1):
            yield position, number, account, subject, data["currency"], amount


def check_accounts(lines: Counter, accounts: dict) -> Iterator[str]:
    balances, counts = Counter(), Counter()
    for (_, _, account, _, currency, amount), times in lines.items():
        balances[account, currency] += amount * times
        counts[account, currency] += times
    expected = {key: (balances[key], counts[key]) for key in counts}
    yield from (
        f"account: {key}" for key in expected.keys() | accounts.keys() if expected.get(key) != accounts.get(key)
    )


def check_journals(log: list[tuple[int, str, str, dict]]) -> Iterator[str]:
    for position, _, _, data in log:
        amounts = [amount for _, _, amount in data.get("postings", ())]
        if sum(amounts) != 0 or any(type(amount) is not int for amount in amounts):
            yield f"journal: position {position} does not balance in whole numbers"


def check_fees(log: list[tuple[int, str, str, dict]]) -> Iterator[str]:
    shares: dict[str, int] = {}
    for position, stream, topic, data in log:
        if topic == "transaction.opened.v1":
            shares[stream] = data["terms"]["fee_bps"]
        if topic == "transaction.release_ordered.v1":
            fee = data["amount_minor"] * shares[stream] // 10_000
            if data["platform_fee_minor"] != fee:
                yield f"fee: position {position} took {data['platform_fee_minor']}, agreed were {fee}"
