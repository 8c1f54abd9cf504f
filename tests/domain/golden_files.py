"""Reading the frozen events: each file tells a story, and its last line what that folds to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from domain.event import Event
from eventstore.transcoder import decode

GOLDEN = Path(__file__).with_name("golden")


class Line(NamedTuple):
    """One recorded event: `state` is the text exactly as it stands in the log."""

    stream_id: UUID
    version: int
    topic: str
    state: str


def lines_of(path: Path) -> Iterator[Line]:
    for line in path.read_text(encoding="utf-8").splitlines():
        recorded = json.loads(line)
        if "topic" in recorded:
            yield Line(UUID(recorded["stream_id"]), recorded["version"], recorded["topic"], recorded["state"])


def events_of(path: Path) -> list[Event]:
    return [decode(line.topic, line.state.encode(), line.stream_id, line.version) for line in lines_of(path)]


def list_files() -> list[Path]:
    """Return all of them."""
    return sorted(GOLDEN.glob("*.jsonl"))
