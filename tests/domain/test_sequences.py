"""Exhaustive: from each phase every sequence of up to three moves, each judged by the law and the model of the money.

Sequences that lead to the same position and the same balances go on in the same way, so the first of them is followed.
The table of what each command does in each phase is beside this file; `ESCROW_WRITE_MATRIX=1` writes it anew.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from domain.event import Event
from domain.transaction.commands import TransactionCommand
from domain.transaction.phase import Phase
from tests.domain.books import Books
from tests.domain.law import Law
from tests.domain.paths import PHASES, pending
from tests.domain.starts import position
from tests.domain.story import raw
from tests.domain.walk import MOVES, Position, step

MATRIX = Path(__file__).with_name("matrix.txt")
ALL_COMMANDS = sorted({kind.__name__ for kind in TransactionCommand.__subclasses__()})
STARTS = {**PHASES, "just opened": lambda story: story}


class Node(NamedTuple):
    """A position with the books and the law as they stand there."""

    at: Position
    books: Books
    law: Law


def start(phase: str) -> Node:
    story = STARTS[phase](pending())
    return Node(position(story), story.books, story.law)


def judged(node: Node, after: Position, events: list[Event]) -> Node:
    books, law = node.books.copy(), node.law.copy()
    for stream_id, topic, fields in map(raw, events):
        law.read(stream_id, topic, fields)
        books.read(str(stream_id), topic, fields)
    books.check_append()
    return Node(after, books, law)


def same(node: Node) -> tuple:
    """What makes two positions go on in the same way."""
    t = node.at.transaction
    return node.at.key, tuple(sorted(t.balances.items())), t.next_deadline, len(t.payouts), len(t.refunds)


def follow(nodes: list[Node]) -> Iterator[Node]:
    """One more move from each of these, judged."""
    for node in nodes:
        for move in MOVES:
            done = step(node.at, move)
            if done is not None and done[1]:
                yield judged(node, *done)


def distinct(nodes: Iterator[Node]) -> list[Node]:
    found: dict[tuple, Node] = {}
    for node in nodes:
        found.setdefault(same(node), node)
    return list(found.values())


@pytest.mark.guarantee(
    "G1",
    "G2",
    faults="every sequence of up to three moves, from every phase; a second model of the money after each event",
    runs="all",
)
@pytest.mark.parametrize("phase", STARTS)
def test_every_sequence_of_three_moves_is_lawful(phase: str):
    first = distinct(follow([start(phase)]))
    second = distinct(follow(first))
    assert first
    assert second
    for node in follow(second):
        assert node.at.transaction.stuck_reason is not None or node.at.transaction.is_over


@pytest.mark.parametrize("phase", STARTS)
def test_deciding_twice_gives_the_same_events_and_leaves_what_was_loaded_as_it_was(phase: str):
    at = start(phase).at
    before = repr(vars(at.transaction))
    for move in MOVES:
        first, second = step(at, move), step(at, move)
        assert (first and list(map(raw, first[1]))) == (second and list(map(raw, second[1])))
    assert repr(vars(at.transaction)) == before


def outcomes() -> dict[tuple[str, str], str]:
    """`+` it did something, `.` it was accepted and changed nothing, `-` it was always refused: by command, phase."""
    table: dict[tuple[str, str], str] = defaultdict(lambda: "?")
    rank = "?-.+"
    for phase in STARTS:
        for node in [start(phase), *distinct(follow([start(phase)]))]:
            for move in MOVES:
                pair = type(move[2](node.at)).__name__, node.at.transaction.phase.value
                done = step(node.at, move)
                found = "-" if done is None else "+" if done[1] else "."
                table[pair] = max(table[pair], found, key=rank.index)
    return table


@pytest.mark.weakness("W17")
@pytest.mark.guarantee("G2", faults="every command in every phase", runs="all")
def test_every_command_was_tried_in_every_phase_and_does_what_the_table_says():
    table = outcomes()
    phases = [phase.value for phase in Phase]
    lines = [f"{' '.join(table[name, phase] for phase in phases)}  {name}" for name in ALL_COMMANDS]
    legend = [f"{'  ' * index}{phase}" for index, phase in enumerate(phases)]
    text = "\n".join([*legend, *lines, ""])
    assert "?" not in text, "a pair of phase and command was never tried"
    if os.environ.get("ESCROW_WRITE_MATRIX"):
        MATRIX.write_text(text)
    assert MATRIX.read_text() == text
