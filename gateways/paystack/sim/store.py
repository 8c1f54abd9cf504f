"""The stand-in's memory, kept in a file of JSON lines when it has one.

Each commit appends one line with every record it changed, so a killed stand-in has whole commits or none; the newest
value of a record wins. Opening the file rewrites it in one piece and renames it into place.
"""

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Generic, Protocol, TextIO, TypeVar

from pydantic import TypeAdapter

from domain.errors import Refused
from gateways.paystack.sim.records import (
    ChargeRecord,
    DeliveryRecord,
    DisputeRecord,
    EvidenceRecord,
    IntegrationRecord,
    JournalLine,
    RecipientRecord,
    Record,
    RefundRecord,
    SettlementRecord,
    TaskRecord,
    TransferRecord,
    UploadRecord,
)

FIRST_ID = 4_100_000_000
R = TypeVar("R", bound=Record)
Changes = dict[str, dict[str, object] | None]
_LINE = TypeAdapter(dict[str, Changes])


class StateFileInUse(Refused):
    """Another stand-in holds this state file."""

    code = "stand_in_state_in_use"


class Kept(Protocol):
    """What the file needs of a table, whatever its records are."""

    def all(self) -> Sequence[Record]:
        """Every record."""
        ...

    def take_changes(self) -> dict[str, object]:
        """What the next line of the file will hold."""
        ...

    def forget_changes(self) -> None:
        """There is no file."""
        ...

    def load(self, changes: Changes) -> None:
        """Apply what a line of the file holds."""
        ...

    def touch_all(self) -> None:
        """Count everything as changed."""
        ...


class Table(Generic[R]):
    """Records of one kind by their key; what `put` and `remove` touch is written by the next commit."""

    def __init__(self, kind: type[R]) -> None:
        """Start empty."""
        self._kind = kind
        self._rows: dict[str, R] = {}
        self._changed: dict[str, R | None] = {}

    def get(self, key: str) -> R | None:
        """The record of that key."""
        return self._rows.get(key)

    def all(self) -> list[R]:
        """Every record, oldest first."""
        return list(self._rows.values())

    def put(self, key: str, record: R) -> R:
        """Keep a record, new or changed."""
        self._rows[key] = record
        self._changed[key] = record
        return record

    def remove(self, key: str) -> None:
        """Forget a record."""
        self._rows.pop(key, None)
        self._changed[key] = None

    def take_changes(self) -> dict[str, object]:
        """What changed since the last time, as JSON values."""
        changes: dict[str, object] = {}
        for key, row in self._changed.items():
            changes[key] = None if row is None else row.model_dump()
        self._changed = {}
        return changes

    def forget_changes(self) -> None:
        """Let nobody ask for what changed until now."""
        self._changed.clear()

    def load(self, changes: Changes) -> None:
        """Apply what `take_changes` once returned."""
        for key, row in changes.items():
            if row is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = self._kind.model_validate(row)

    def touch_all(self) -> None:
        """Count everything as changed, to write it all."""
        self._changed.update(self._rows)


class Store:
    """All tables of the stand-in. Changes last once `commit` returns; without a file they last as long as it runs."""

    def __init__(self, path: Path | None = None) -> None:
        """Load what the file holds; raise `StateFileInUse` when another process holds it."""
        self.charges = Table(ChargeRecord)
        self.recipients = Table(RecipientRecord)
        self.transfers = Table(TransferRecord)
        self.refunds = Table(RefundRecord)
        self.settlements = Table(SettlementRecord)
        self.integration = Table(IntegrationRecord)
        self.disputes = Table(DisputeRecord)
        self.evidence = Table(EvidenceRecord)
        self.uploads = Table(UploadRecord)
        self.journal = Table(JournalLine)
        self.deliveries = Table(DeliveryRecord)
        self.tasks = Table(TaskRecord)
        self._lock: TextIO | None = None
        self._file: TextIO | None = None
        if path is not None:
            self._open(path)
        self._last_id = max((row.id for table in self._tables().values() for row in table.all()), default=FIRST_ID)

    def objects(self) -> Mapping[str, Kept]:
        """The tables of what the merchant and his customers have made, by name."""
        inner = ("journal", "deliveries", "tasks")
        return {name: table for name, table in self._tables().items() if name not in inner}

    def next_id(self) -> int:
        """A number above 2^32, as Paystack's are."""
        self._last_id += 1
        return self._last_id

    def commit(self) -> None:
        """Write every change since the last commit as one line."""
        if self._file is None:
            for table in self._tables().values():
                table.forget_changes()
            return
        changes = {name: table.take_changes() for name, table in self._tables().items()}
        touched = {name: rows for name, rows in changes.items() if rows}
        if touched:
            self._file.write(json.dumps(touched, separators=(",", ":")) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Let go of the file."""
        for file in (self._file, self._lock):
            if file is not None:
                file.close()

    def _tables(self) -> Mapping[str, Kept]:
        return {
            "charges": self.charges,
            "recipients": self.recipients,
            "transfers": self.transfers,
            "refunds": self.refunds,
            "settlements": self.settlements,
            "integration": self.integration,
            "disputes": self.disputes,
            "evidence": self.evidence,
            "uploads": self.uploads,
            "journal": self.journal,
            "deliveries": self.deliveries,
            "tasks": self.tasks,
        }

    def _open(self, path: Path) -> None:
        self._lock = path.with_suffix(f"{path.suffix}.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateFileInUse(file=str(path)) from None
        self._load(path)
        self._rewrite(path)

    def _load(self, path: Path) -> None:
        """A torn last line is a commit that nobody was told of."""
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        for line in lines:
            if line.endswith("\n"):
                for name, changes in _LINE.validate_json(line).items():
                    self._tables()[name].load(changes)

    def _rewrite(self, path: Path) -> None:
        fresh = path.with_suffix(f"{path.suffix}.new")
        self._file = fresh.open("w", encoding="utf-8")
        fresh.chmod(0o600)
        for table in self._tables().values():
            table.touch_all()
        self.commit()
        os.fsync(self._file.fileno())
        fresh.replace(path)
