"""The log stream by stream: versions contiguous from the first, every event decoded, every step of the fold legal."""

from collections.abc import Iterable
from uuid import UUID

from domain.aggregate import Aggregate
from eventstore.transcoder import Undecodable, decode, list_event_classes
from replay.finding import LOG_TABLE, Finding, FindingKind, Findings
from replay.legality import Objection, advance

Row = tuple[int, bytes, int, str, bytes]


class StreamWalk:
    """Holds one aggregate at a time, so memory does not grow with the log."""

    def __init__(self, findings: Findings) -> None:
        """Nothing is walked yet."""
        self.streams = 0
        self._findings = findings
        self._topics = frozenset(list_event_classes())
        self._sent = b""
        self._stream = UUID(int=0)
        self._version = 0
        self._position = 0
        self._aggregate: Aggregate | None = None
        self._folds = True

    def check(self, rows: Iterable[Row]) -> None:
        """Check the next events, in the order of streams and versions."""
        for position, sent, version, topic, state in rows:
            if sent != self._sent:
                self._begin(sent)
            if version != self._version + 1 or position < self._position:
                self._miss_version(position, version)
            self._fold(position, version, topic, state)
            self._version, self._position = version, position

    def _begin(self, sent: bytes) -> None:
        self.streams += 1
        self._sent, self._stream = sent, UUID(bytes=sent)
        self._version = self._position = 0
        self._aggregate = None
        self._folds = True

    def _miss_version(self, position: int, version: int) -> None:
        expected = self._version + 1
        if version > expected:
            kind = FindingKind.VERSION_MISSING
            missing = str(expected) if version == expected + 1 else f"{expected} to {version - 1}"
            self._find(kind, position, column="originator_version", expected=missing, found=str(version))
        else:
            kind = FindingKind.VERSION_OUT_OF_ORDER
            self._find(kind, position, column="originator_version", expected=str(expected), found=str(version))
        # What follows a gap cannot be folded; it is decoded all the same.
        self._folds = self._folds and version == expected

    def _fold(self, position: int, version: int, topic: str, state: bytes) -> None:
        try:
            event = decode(topic, state, self._stream, version, position)
            if self._folds:
                self._aggregate = advance(self._aggregate, event)
        except Undecodable as error:
            self._folds = False
            known = topic in self._topics
            kind = FindingKind.UNDECODABLE if known else FindingKind.TOPIC_UNKNOWN
            column = "state" if known else "topic"
            self._find(kind, position, column=column, expected="a known event", found=f"{topic}: {_reason(error)}")
        except Objection as objection:
            self._folds = False
            self._find(objection.kind, position, expected=objection.expected, found=objection.found)

    def _find(self, kind: FindingKind, position: int, **facts: str) -> None:
        self._findings.add(Finding(kind, position=position, stream=str(self._stream), table=LOG_TABLE, **facts))


def _reason(error: Undecodable) -> str:
    return str(error.facts.get("reason"))
