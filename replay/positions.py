"""The log in the order of positions: dense, never back in time, each leaf hash right, books and commands in step."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

import msgspec

from domain.event import Event
from eventstore.transcoder import list_event_classes
from replay.books import CLEARING, Books, Line, is_balanced
from replay.commands import CommandRow, Commands
from replay.finding import LOG_TABLE, Finding, FindingKind, Findings
from replay.leaf import leaf_hash, microseconds

Row = tuple[int, bytes, int, str, bytes, bytes, bytes]


class Walked(NamedTuple):
    """What a walk through the whole log adds up to. `commands_head` is how far the table of commands says it goes."""

    events: int
    head: int
    books: Books
    commands_head: int = 0


class PositionWalk:
    """Checks what depends on the order of positions; memory does not grow with the log."""

    def __init__(self, findings: Findings, commands: Iterable[CommandRow]) -> None:
        """`commands` are the rows of the idempotency table in the order of their first positions."""
        self.events = 0
        self.books = Books()
        self._findings = findings
        self._commands = Commands(findings, commands)
        self._position = 0
        self._recorded_at = -(2**63)
        self._money = money_topics()
        self._left: Counter[str] = Counter()

    def check(self, rows: Iterable[Row]) -> None:
        """Check the next events; what is as it should be costs one comparison each."""
        for position, stream, version, topic, sent_at, state, leaf in rows:
            self.events += 1
            recorded_at = microseconds(sent_at)
            if position != self._position + 1:
                self._miss_position(position, stream)
            if recorded_at < self._recorded_at:
                self._miss_time(position, stream, recorded_at)
            computed = leaf_hash(position, stream, version, topic, recorded_at, state)
            if computed != leaf:
                self._miss_leaf(position, stream, computed, leaf)
            self._position, self._recorded_at = max(position, self._position), recorded_at
            if topic in self._money:
                self._check_money(position, stream, state)
            self._commands.meet(position, stream, version, state)

    def finish(self, *, complete: bool) -> Walked:
        """Check what can only be known at the end of a log that could be read to its end."""
        if complete:
            self._commands.finish()
        for currency in sorted(self.books.balances):
            self._check_cleared(self._position, None, currency)
        return Walked(self.events, self._position, self.books, self._commands.head)

    def _miss_position(self, position: int, stream: bytes) -> None:
        expected = self._position + 1
        if position > expected:
            missing = str(expected) if position == expected + 1 else f"{expected} to {position - 1}"
            self._find(FindingKind.POSITION_MISSING, expected, expected=missing, found="nothing")
        else:
            self._find(FindingKind.POSITION_OUT_OF_ORDER, position, stream, expected=str(expected), found=str(position))

    def _miss_time(self, position: int, stream: bytes, recorded_at: int) -> None:
        self._find(
            FindingKind.TIME_BACKWARDS,
            position,
            stream,
            column="recorded_at",
            expected=f"at least {self._recorded_at} microseconds since 1970",
            found=str(recorded_at),
        )

    def _miss_leaf(self, position: int, stream: bytes, computed: bytes, leaf: bytes) -> None:
        kind = FindingKind.LEAF_HASH_DIFFERS
        self._find(kind, position, stream, column="leaf_hash", expected=computed.hex(), found=leaf.hex())

    def _check_money(self, position: int, stream: bytes, state: bytes) -> None:
        posted = read_postings(state)
        if posted is None:
            return  # the walk through the streams decodes every event, and names this one
        if not is_balanced(posted.postings):
            found = str(posted.postings)
            self._find(FindingKind.UNBALANCED, position, stream, column="state", expected="0", found=found)
        if all(account != CLEARING for account, _, _ in posted.postings):
            self._check_cleared(position, stream, posted.currency)
        self.books.post(position, posted.currency, posted.postings)

    def _check_cleared(self, position: int, stream: bytes | None, currency: str) -> None:
        """The halves of a recovery follow each other; what is left between them is nobody's, and is named once."""
        left, named = self.books.uncleared(currency), self._left[currency]
        self._left[currency] = left
        if left not in (0, named):
            self._find(FindingKind.UNBALANCED, position, stream, column=CLEARING, expected="0", found=str(left))

    def _find(self, kind: FindingKind, position: int, stream: bytes | None = None, **facts: str) -> None:
        named = None if stream is None else str(UUID(bytes=stream))
        self._findings.add(Finding(kind, position=position, stream=named, table=LOG_TABLE, **facts))


def money_topics() -> frozenset[str]:
    """The topics of events that carry postings."""
    return frozenset(topic for topic, kind in list_event_classes().items() if _has_postings(kind))


def _has_postings(kind: type[Event]) -> bool:
    return any("postings" in vars(base).get("__annotations__", {}) for base in kind.__mro__)


class Posted(msgspec.Struct, gc=False):
    """What the books need to know of a money event, as plainly as it stands there; all else is skipped."""

    currency: str
    postings: list[Line]


_read_posted = msgspec.json.Decoder(Posted).decode


def read_postings(state: bytes) -> Posted | None:
    """Currency and lines of a money event; None when they cannot be read."""
    try:
        return _read_posted(state)
    except (ValueError, RecursionError):
        return None
