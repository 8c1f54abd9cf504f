"""Logs of any length, copied in: positions, leaf hashes and answered commands as the append would have made them."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from struct import Struct
from typing import NamedTuple

import psycopg

from bench.cluster import Database
from bench.story import START, Teller, tell
from database.queries import load
from domain.event import Event
from eventstore.transcoder import encode

CHUNK = 20_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
U32, U64, I64 = Struct(">I"), Struct(">Q"), Struct(">q")

SQL = load("bench", "fill.sql")
EVENT_TYPES = ["uuid", "int8", "text", "bytea", "int8", "timestamptz", "bytea"]
COMMAND_TYPES = ["bytea", "bytea", "int8", "int8", "uuid", "int8"]


class Written(NamedTuple):
    """The events of one command, encoded, and the position of the first."""

    first: int
    events: list[Event]
    states: list[bytes]


def fill(database: Database, events: int) -> int:
    """Tell sales until the log has this many events, and return how many it has."""
    return write(database, cut(tell(Teller(1)), events))


def cut(commands: Iterable[list[Event]], events: int) -> Iterator[list[Event]]:
    """As many whole commands as there are in this many events."""
    told = 0
    for command in commands:
        told += len(command)
        if told > events:
            return
        yield command


def write(database: Database, commands: Iterable[list[Event]]) -> int:
    """Copy the commands into an empty log; return its head."""
    source, head = iter(commands), 0
    with psycopg.connect(database.superuser_dsn) as connection:
        while chunk := list(islice(source, CHUNK)):
            written = list(place(chunk, head))
            copy_events(connection, written)
            copy_commands(connection, written)
            head = written[-1].first + len(written[-1].events) - 1
            connection.commit()
    with psycopg.connect(database.superuser_dsn, autocommit=True) as connection:
        connection.execute(SQL.tidy_up)
    return head


def place(commands: Iterable[list[Event]], head: int) -> Iterator[Written]:
    """Encode and number them."""
    for events in commands:
        yield Written(head + 1, events, [encode(event) for event in events])
        head += len(events)


def copy_events(connection: psycopg.Connection, commands: Iterable[Written]) -> None:
    """Into the log, with its leaf hashes."""
    with connection.cursor() as cursor, cursor.copy(SQL.copy_events) as copy:
        copy.set_types(EVENT_TYPES)
        for command in commands:
            for position, (event, state) in enumerate(
                zip(command.events, command.states, strict=True), start=command.first
            ):
                at = START + timedelta(milliseconds=position)
                leaf = leaf_hash(position, event, at, state)
                stream, version = event.originator_id, event.originator_version
                copy.write_row((stream, version, event.TOPIC, state, position, at, leaf))


def copy_commands(connection: psycopg.Connection, commands: Iterable[Written]) -> None:
    """Into the table of what was answered."""
    with connection.cursor() as cursor, cursor.copy(SQL.copy_commands) as copy:
        copy.set_types(COMMAND_TYPES)
        for first, events, _ in commands:
            stream = events[0].originator_id
            version = max(event.originator_version for event in events if event.originator_id == stream)
            command_id, digest = bytes.fromhex(events[0].command_id), bytes.fromhex(events[0].request_digest)
            copy.write_row((command_id, digest, first, first + len(events) - 1, stream, version))


def leaf_hash(position: int, event: Event, at: datetime, state: bytes) -> bytes:
    """The Merkle leaf, as docs/reference/log-format.md has it."""
    topic = event.TOPIC.encode()
    return hashlib.sha256(
        b"\x00escrow-leaf-v1"
        + U64.pack(position)
        + event.originator_id.bytes
        + U64.pack(event.originator_version)
        + U32.pack(len(topic))
        + topic
        + I64.pack((at - EPOCH) // timedelta(microseconds=1))
        + U32.pack(len(state))
        + state
    ).digest()
