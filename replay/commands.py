"""The idempotency table is a fold of the log: one row for each span of events that one command wrote."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from uuid import UUID

from database.damage import UNREADABLE
from replay.finding import COMMANDS_TABLE, Finding, FindingKind, Findings

COMMAND_FIELD = b'"command_id":"'
DIGEST_FIELD = b'"request_digest":"'
HEX_LENGTH = 64
COMPARED = ("command_id", "request_digest", "last_position", "stream_id", "stream_version")


class CommandRow(NamedTuple):
    """A row of the table."""

    command_id: bytes
    request_digest: bytes
    first_position: int
    last_position: int
    stream_id: UUID
    stream_version: int


class Span:
    """The events that one command wrote, side by side."""

    __slots__ = ("command_id", "first", "last", "request_digest", "versions")

    def __init__(self, command_id: str, request_digest: str, position: int) -> None:
        """It begins with the event at this position."""
        self.command_id = command_id
        self.request_digest = request_digest
        self.first = position
        self.last = position
        self.versions: dict[bytes, int] = {}


class Commands:
    """Walks through log and table side by side; only the present span is held."""

    def __init__(self, findings: Findings, rows: Iterable[CommandRow]) -> None:
        """`rows` come in the order of their first positions."""
        self._findings = findings
        self._rows: Iterator[CommandRow] = iter(rows)
        self._is_readable = True
        self.head = 0
        """The highest position that a command is said to have written."""
        self._row = self._next()
        self._span: Span | None = None

    def meet(self, position: int, stream: bytes, version: int, state: bytes) -> None:
        """The next event of the log."""
        command_id = read_digest(state, COMMAND_FIELD)
        span = self._span
        if span is None or span.command_id != command_id:
            self._settle()
            span = self._span = Span(command_id, read_digest(state, DIGEST_FIELD), position)
        span.last = position
        span.versions[stream] = version

    def finish(self) -> None:
        """Rows that are left belong to no event."""
        self._settle()
        self._span = None
        while self._row is not None:
            self._skip(self._row)

    def _settle(self) -> None:
        span = self._span
        if span is None or not self._is_readable:
            return
        while self._row is not None and self._row.first_position < span.first:
            self._skip(self._row)
        if self._row is not None and self._row.first_position == span.first:
            self._compare(span, self._row)
            self._row = self._next()
        elif self._is_readable:
            self._find(FindingKind.COMMAND_MISSING, span.first, span.command_id)

    def _skip(self, row: CommandRow) -> None:
        self._find(FindingKind.COMMAND_EXTRA, row.first_position, row.command_id.hex())
        self._row = self._next()

    def _next(self) -> CommandRow | None:
        """The next row. Where the table cannot be read further that is a finding, and nothing is missing from it."""
        try:
            row = next(self._rows, None)
        except UNREADABLE as error:
            self._is_readable = False
            found = str(error).strip()
            self._findings.add(Finding(FindingKind.TABLE_UNREADABLE, table=COMMANDS_TABLE, found=found))
            return None
        if row is not None:
            self.head = max(self.head, row.last_position)
        return row

    def _compare(self, span: Span, row: CommandRow) -> None:
        # Of several streams that a command wrote to, any may be the one that its answer is about; a strange one never.
        stream = row.stream_id.bytes if row.stream_id.bytes in span.versions else next(iter(span.versions))
        expected = (span.command_id, span.request_digest, span.last, UUID(bytes=stream), span.versions[stream])
        found = (
            row.command_id.hex(),
            row.request_digest.hex(),
            row.last_position,
            row.stream_id,
            row.stream_version,
        )
        if expected != found:
            for column, right, wrong in zip(COMPARED, expected, found, strict=True):
                if right != wrong:
                    kind = FindingKind.COMMAND_DIFFERS
                    self._find(kind, span.first, found[0], column=column, expected=str(right), found=str(wrong))

    def _find(self, kind: FindingKind, position: int, command_id: str, **facts: str) -> None:
        self._findings.add(Finding(kind, position=position, table=COMMANDS_TABLE, key=command_id, **facts))


def read_digest(state: bytes, field: bytes) -> str:
    """The digest in a field of canonical JSON, found without parsing: no text can hold an unescaped quote.

    "" where there is none; whether the state is canonical JSON at all is checked when the event is decoded.
    """
    start = state.find(field)
    if start < 0:
        return ""
    start += len(field)
    return state[start : start + HEX_LENGTH].decode("ascii", "replace")
