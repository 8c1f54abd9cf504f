"""Double entry: every line of every journal, and the balance of every account per currency."""

from collections.abc import Iterable, Sequence
from typing import cast

from database.queries import load
from domain.event import MoneyEvent
from domain.journal import UnbalancedJournal
from domain.transaction.event import TransactionMoneyEvent
from eventstore.converter import JSON
from eventstore.log import RecordedEvent
from eventstore.transcoder import list_event_classes
from projections.projection import Needed, Projection
from projections.rows import Rows, Table

SQL = load("projections", "ledger.sql")

ENTRIES = Table(
    name="ledger_entries",
    key=("position", "line"),
    columns=(
        "position",
        "line",
        "account",
        "subject",
        "transaction_id",
        "currency",
        "amount_minor",
        "topic",
        "timestamp",
        "recorded_at",
    ),
    is_append_only=True,
)
ACCOUNTS = Table(
    name="ledger_accounts",
    key=("account", "currency"),
    columns=("account", "currency", "balance_minor", "entries", "position"),
)

Line = tuple[str, str, int]


def fold(batch: Sequence[RecordedEvent], rows: Rows) -> None:
    """Add the lines, and move the balances by them; raise `UnbalancedJournal`."""
    for event in batch:
        _add_entries(event, rows)
        currency = event.data["currency"]
        for account, _, amount_minor in _lines(event):
            _move(rows, account, currency, amount_minor, event.position)


def needed_accounts(batch: Sequence[RecordedEvent]) -> Iterable[Needed]:
    """Name the accounts that the lines touch."""
    return dict.fromkeys(
        (ACCOUNTS.name, (account, event.data["currency"])) for event in batch for account, _, _ in _lines(event)
    )


def _lines(event: RecordedEvent) -> list[Line]:
    return cast("list[Line]", event.data["postings"])


def _add_entries(event: RecordedEvent, rows: Rows) -> None:
    lines = _lines(event)
    if sum([amount_minor for _, _, amount_minor in lines]) != 0:
        raise UnbalancedJournal(event)
    data = event.data
    transaction_id = str(event.stream_id) if event.topic.startswith("transaction.") else None
    recorded_at = event.recorded_at.isoformat()
    for line, (account, subject, amount_minor) in enumerate(lines, 1):
        rows.add(
            ENTRIES.name,
            {
                "position": event.position,
                "line": line,
                "account": account,
                "subject": subject,
                "transaction_id": transaction_id,
                "currency": data["currency"],
                "amount_minor": amount_minor,
                "topic": event.topic,
                "timestamp": data["timestamp"],
                "recorded_at": recorded_at,
            },
        )


def _move(rows: Rows, account: str, currency: JSON, amount_minor: int, position: int) -> None:
    before = rows.find(ACCOUNTS.name, account, currency) or {"balance_minor": 0, "entries": 0}
    rows.put(
        ACCOUNTS.name,
        {
            "account": account,
            "currency": currency,
            "balance_minor": cast("int", before["balance_minor"]) + amount_minor,
            "entries": cast("int", before["entries"]) + 1,
            "position": position,
        },
    )


LEDGER = Projection(
    name="ledger",
    version=1,
    tables=(ENTRIES, ACCOUNTS),
    topics=frozenset(
        topic for topic, kind in list_event_classes().items() if issubclass(kind, (MoneyEvent, TransactionMoneyEvent))
    ),
    fold=fold,
    keys=needed_accounts,
    ddl=SQL,
)
