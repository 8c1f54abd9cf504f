"""What a verification found: typed, so that a program can act on it, and bounded, so that memory is."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

KEPT_OF_EACH_KIND = 500
LOG_TABLE = "escrow_events"
COMMANDS_TABLE = "idempotency"


class FindingKind(StrEnum):
    """What is wrong, in one word that never changes."""

    POSITION_MISSING = "position_missing"
    POSITION_OUT_OF_ORDER = "position_out_of_order"
    TIME_BACKWARDS = "time_backwards"
    LEAF_HASH_DIFFERS = "leaf_hash_differs"
    HEAD_DIFFERS = "head_differs"
    VERSION_MISSING = "version_missing"
    VERSION_OUT_OF_ORDER = "version_out_of_order"
    TOPIC_UNKNOWN = "topic_unknown"
    UNDECODABLE = "undecodable"
    ILLEGAL = "illegal"
    UNBALANCED = "unbalanced"
    LIABILITY_NEGATIVE = "liability_negative"
    COMMAND_MISSING = "command_missing"
    COMMAND_EXTRA = "command_extra"
    COMMAND_DIFFERS = "command_differs"
    COMMAND_HIDDEN = "command_hidden"
    BLOCK_UNREADABLE = "block_unreadable"
    INDEX_DIFFERS = "index_differs"
    GUARD_MISSING = "guard_missing"
    TABLE_MISSING = "table_missing"
    TABLE_UNREADABLE = "table_unreadable"
    COLUMN_MISSING = "column_missing"
    COLUMN_EXTRA = "column_extra"
    COLUMN_DIFFERS = "column_differs"
    INDEX_MISSING = "index_missing"
    INDEX_UNREADABLE = "index_unreadable"
    GRANT_MISSING = "grant_missing"
    ROW_MISSING = "row_missing"
    ROW_EXTRA = "row_extra"
    VALUE_DIFFERS = "value_differs"
    CHECKPOINT_MISSING = "checkpoint_missing"
    CHECKPOINT_UNKNOWN = "checkpoint_unknown"
    CHECKPOINT_AHEAD = "checkpoint_ahead"
    PROJECTION_VERSION_DIFFERS = "projection_version_differs"
    PROJECTION_FAILS = "projection_fails"


MENDABLE = frozenset(
    {
        FindingKind.COMMAND_MISSING,
        FindingKind.COMMAND_EXTRA,
        FindingKind.COMMAND_DIFFERS,
        FindingKind.COMMAND_HIDDEN,
        FindingKind.TABLE_MISSING,
        FindingKind.TABLE_UNREADABLE,
        FindingKind.COLUMN_MISSING,
        FindingKind.COLUMN_EXTRA,
        FindingKind.COLUMN_DIFFERS,
        FindingKind.INDEX_MISSING,
        FindingKind.INDEX_UNREADABLE,
        FindingKind.GRANT_MISSING,
        FindingKind.ROW_MISSING,
        FindingKind.ROW_EXTRA,
        FindingKind.VALUE_DIFFERS,
        FindingKind.CHECKPOINT_MISSING,
        FindingKind.CHECKPOINT_UNKNOWN,
        FindingKind.CHECKPOINT_AHEAD,
        FindingKind.PROJECTION_VERSION_DIFFERS,
    }
)
"""What can be folded anew from the log; all other findings are about the log itself."""


class Finding(NamedTuple):
    """One difference. `position` is of the log; `key` is the JSON of the primary key; values are as text."""

    kind: FindingKind
    position: int | None = None
    stream: str | None = None
    table: str | None = None
    key: str | None = None
    column: str | None = None
    expected: str | None = None
    found: str | None = None
    projection: str | None = None

    def as_json(self) -> dict[str, str | int]:
        """The fields that are set, by name."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    def describe(self) -> str:
        """One line for a person."""
        where = [f"{name} {value}" for name, value in self.as_json().items() if name not in _NOT_PLACES]
        what = [f"{name} {value}" for name, value in (("expected", self.expected), ("found", self.found)) if value]
        says = f": {', '.join(what)}" if what else ""
        return f"{self.kind.value.replace('_', ' ')} at {', '.join(where)}{says}"


_NOT_PLACES = ("kind", "expected", "found")


class Findings:
    """The first findings of each kind, and how many there are in all: a flood of one kind must not hide another."""

    def __init__(self, limit: int = KEPT_OF_EACH_KIND) -> None:
        """So many of each kind are kept."""
        self.kept: list[Finding] = []
        self.counts: Counter[FindingKind] = Counter()
        self._kept_of: Counter[FindingKind] = Counter()
        self._limit = limit

    def add(self, finding: Finding) -> None:
        """Count it, and keep it while there is room."""
        self.counts[finding.kind] += 1
        self._keep(finding)

    def extend(self, findings: Iterable[Finding]) -> None:
        """Add each."""
        for finding in findings:
            self.add(finding)

    def merge(self, other: "Findings") -> None:
        """Take over what another process counted and kept."""
        self.counts.update(other.counts)
        for finding in other.kept:
            self._keep(finding)

    def _keep(self, finding: Finding) -> None:
        if self._kept_of[finding.kind] < self._limit:
            self._kept_of[finding.kind] += 1
            self.kept.append(finding)
