"""Events are for ever: what was once recorded decodes, folds to the state it folded to, and encodes to the same bytes.

`golden/` is frozen: a file in it is never changed. What a new kind of event needs is a new story, in a file of its own,
written by `ESCROW_WRITE_GOLDEN=1`, which leaves files that exist alone.
"""

import dataclasses
import json
import os
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import pytest

from domain.aggregate import Aggregate
from domain.event import Event
from eventstore.transcoder import encode, list_event_classes
from tests.domain.books import Books
from tests.domain.golden_files import GOLDEN, events_of, lines_of, list_files
from tests.domain.golden_stories import STORIES
from tests.domain.law import Case, Law
from tests.domain.story import Story


def expected_fold(path: Path) -> dict[str, object]:
    """The last line of a file: what each stream folds to."""
    return json.loads(path.read_text(encoding="utf-8").splitlines()[-1])["folds_to"]


def fold_all(events: list[Event]) -> dict[UUID, Aggregate]:
    folded: dict[UUID, Aggregate] = {}
    for event in events:
        found = event.mutate(folded.get(event.originator_id))
        assert found is not None
        folded[event.originator_id] = found
    return folded


def describe(aggregate: Aggregate) -> object:
    """What an aggregate knows, as plain JSON."""
    hidden = {"_context", "_pending_events"}
    return plain({name: value for name, value in vars(aggregate).items() if name not in hidden})


def plain(value: object) -> object:
    match value:
        case StrEnum() | UUID() | datetime():
            return str(value)
        case dict():
            return {str(plain(key)): plain(item) for key, item in value.items()}
        case set() | frozenset():
            return sorted(str(plain(item)) for item in value)
        case list() | tuple():
            return [plain(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return value


def covers(found: object, expected: object) -> bool:
    """Whether all that was known then is known now; what aggregates learnt since may be there too."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return all(name in found and covers(found[name], expected[name]) for name in expected)
    return found == expected


def write(path: Path, story: Story) -> None:
    """Freeze a story: its events, then what they fold to."""
    recorded = [
        {
            "stream_id": str(event.originator_id),
            "version": event.originator_version,
            "topic": type(event).TOPIC,
            "state": encode(event).decode(),
        }
        for event in story.events
    ]
    folds = {str(stream_id): describe(aggregate) for stream_id, aggregate in fold_all(story.events).items()}
    lines = [json.dumps(line, ensure_ascii=False) for line in (*recorded, {"folds_to": folds})]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if os.environ.get("ESCROW_WRITE_GOLDEN"):
    GOLDEN.mkdir(exist_ok=True)
    for story_name, tell in STORIES.items():
        file = GOLDEN / f"{story_name}.jsonl"
        if not file.exists():
            write(file, tell())

FILES = list_files()


def test_every_kind_of_event_is_in_the_golden_log():
    recorded = {line.topic for path in FILES for line in lines_of(path)}
    # Other tests register toys in the same process.
    released = {topic for topic, kind in list_event_classes().items() if kind.__module__.startswith("domain.")}
    assert released
    assert released - recorded == set()


def test_the_law_rules_of_events_that_there_are():
    rulings = {name for name, ruling in vars(Case).items() if callable(ruling) and not name.startswith("_")}
    names = {topic.split(".")[1] for topic in list_event_classes() if topic.startswith("transaction.")}
    assert rulings - {"copy", "judge"} <= names


@pytest.mark.guarantee("G23", faults="bytes that were recorded once and are never changed", runs="every kind of event")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recorded_bytes_decode_and_encode_to_themselves(path: Path):
    for line, event in zip(lines_of(path), events_of(path), strict=True):
        if line.topic == type(event).TOPIC:
            assert encode(event).decode() == line.state


@pytest.mark.guarantee("G23", faults="the same", runs="every kind of event")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_they_fold_to_the_state_they_folded_to(path: Path):
    folded = fold_all(events_of(path))
    expected = expected_fold(path)
    assert {str(stream_id) for stream_id in folded} == set(expected)
    for stream_id, aggregate in folded.items():
        assert covers(describe(aggregate), expected[str(stream_id)])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_they_are_lawful_and_their_money_is_where_it_should_be(path: Path):
    books, law = Books(), Law()
    for line in lines_of(path):
        law.read(line.stream_id, line.topic, json.loads(line.state))
        books.read(str(line.stream_id), line.topic, json.loads(line.state))


@pytest.mark.guarantee("G23", planted="a golden log that folds to another state")
def test_the_test_notices_a_state_that_differs():
    expected = {"phase": "completed", "payouts": {"po-1": {"status": "succeeded"}}}
    assert covers({**expected, "news": 1}, expected)
    assert not covers({"phase": "completed", "payouts": {"po-1": {"status": "failed"}}}, expected)
    assert not covers({"phase": "completed"}, expected)
