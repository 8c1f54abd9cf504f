"""Fold a log that stands in a file, without any database: `python fold_file.py FILE`, one line of JSON on stdout.

It runs under any Python, also where PostgreSQL's client does not exist: what would talk to a server is then replaced
by modules that are empty, because a fold does not talk to one, and msgspec by a plain reader and writer of JSON. Each
line of FILE is an event: stream, version, topic, state. The answer has the version of Python, a digest of the rows of
every table, one of all aggregates, and one of the bytes that the events encode to.
"""

import dataclasses
import hashlib
import json
import platform
import runpy
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from uuid import UUID

START = datetime(2026, 1, 1, tzinfo=UTC)
SERVERS = ("psycopg", "psycopg_pool", "database.connect")
BATCH = 700


class Nothing(type):
    """Any attribute of it, and whatever is made of it, is nothing again."""

    def __getattr__(cls, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing(name, (Exception,), {})

    def __getitem__(cls, _: object) -> type:
        return cls


class EmptyModule(ModuleType):
    """Has every name that somebody imports from it."""

    __path__ = ()  # type: ignore[assignment] - a package without a folder

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing(name, (Exception,), {})


class NoServer(MetaPathFinder, Loader):
    """Finds an empty module where the client of a server would be."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        wanted = any(fullname == name or fullname.startswith(f"{name}.") for name in SERVERS)
        return ModuleSpec(fullname, self, is_package=True) if wanted else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return EmptyModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        return


if find_spec("psycopg") is None:
    sys.meta_path.insert(0, NoServer())
if find_spec("msgspec") is None:
    # By its path: the package of the tests wants pytest, which is not there either.
    runpy.run_path(str(Path(__file__).with_name("plain_msgspec.py")))["install"]()

from eventstore.log import RecordedEvent  # noqa: E402
from eventstore.transcoder import encode  # noqa: E402
from projections.registry import PROJECTIONS  # noqa: E402
from projections.rows import Rows  # noqa: E402
from projections.streams import Streams  # noqa: E402


def read_log(file: Path) -> list[RecordedEvent]:
    """The events, numbered from 1."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [
        RecordedEvent(
            number, START + timedelta(seconds=number), UUID(line["stream"]), line["version"], line["topic"],
            line["state"].encode(),
        )
        for number, line in enumerate(lines, 1)
    ]  # fmt: skip


def digest(parts: Iterable[str]) -> str:
    """Of texts, one after the other."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode() + b"\n")
    return found.hexdigest()


def fold(log: list[RecordedEvent]) -> dict[str, str]:
    """The digest of what is written into each table, in the order in which it is written."""
    written: dict[str, list[str]] = {}
    for projection in PROJECTIONS:
        rows = Rows(projection.tables, Streams(lambda _: ()), from_empty=True)
        own = [event for event in log if event.topic in projection.topics]
        for start in range(0, len(own), BATCH):
            projection.fold(own[start : start + BATCH], rows)
            for table, changed in rows.take_changes():
                written.setdefault(table.name, []).extend(json.dumps(row, sort_keys=True) for row in changed)
    return {table: digest(lines) for table, lines in sorted(written.items())}


def plain(value: object) -> object:
    """What an aggregate knows, in an order that does not depend on the process."""
    match value:
        case dict():
            return {str(key): plain(value[key]) for key in sorted(value, key=str)}
        case set() | frozenset():
            return sorted(str(plain(item)) for item in value)
        case list() | tuple():
            return [plain(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return str(value)


def describe(log: list[RecordedEvent]) -> dict[str, object]:
    """Everything that has to be the same everywhere, beside the version of Python."""
    aggregates: dict[UUID, object] = {}
    for event in log:
        aggregates[event.stream_id] = event.read().mutate(aggregates.get(event.stream_id))  # type: ignore[arg-type]
    return {
        "python": platform.python_version(),
        "events": len(log),
        "bytes": digest(encode(event.event).decode() for event in log),
        "aggregates": digest(json.dumps([str(each), plain(vars(one))]) for each, one in aggregates.items()),
        "tables": fold(log),
    }


if __name__ == "__main__":
    print(json.dumps(describe(read_log(Path(sys.argv[1])))))
