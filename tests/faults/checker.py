"""Compare the clients' journal with the log: `python checker.py JOURNAL DSN`. Exit 3 and one line per violation.

A program of its own: it shares no code with what it checks, and reads the log with plain SQL. The rules are those of
linear strict serializability, each one pass over journal or log:

1. What was acknowledged or published is in the log; what was rejected is not; nobody's command is there twice.
2. The order of the log agrees with real time: no command had been answered before an earlier one was even asked for.
3. Positions and versions have no gap, nothing illegal happened, and each answer is what the log says at that point.
4. A read shows a state between the moment it began and the moment it ended.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

SELECT = """
SELECT notification_id, originator_id::text, originator_version, topic, convert_from(state, 'UTF8')
FROM escrow_events ORDER BY notification_id
"""
NEVER = float("inf")


@dataclass
class Command:
    """What one client knows about one command over all its attempts."""

    invoked: float = NEVER
    answered: float = NEVER
    outcome: str = "unknown"
    reply: dict = field(default_factory=dict)


@dataclass
class Entry:
    """One event of the log."""

    position: int
    stream: str
    version: int
    topic: str
    data: dict

    @property
    def command(self) -> str:
        return self.data.get("command_id", "")

    @property
    def moves(self) -> int:
        """What it does to a purse."""
        sign = {"toy.put.v1": 1, "toy.taken.v1": -1}.get(self.topic, 0)
        return sign * self.data["amount_minor"] if sign else 0


def main() -> None:
    journal = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    violations = list(check(journal, read_log(sys.argv[2])))
    for violation in violations:
        print(violation)
    sys.exit(3 if violations else 0)


def read_log(dsn: str) -> list[Entry]:
    with psycopg.connect(dsn) as connection:
        return [Entry(*row[:4], json.loads(row[4])) for row in connection.execute(SELECT)]


def check(journal: list[dict], log: list[Entry]) -> Iterator[str]:
    commands = read_commands(journal)
    yield from check_presence(journal, commands, log)
    yield from check_real_time(commands, log)
    yield from check_legality(commands, log)
    yield from check_reads([line for line in journal if line["kind"] == "read"], commands, log)


def read_commands(journal: Iterable[dict]) -> dict[str, Command]:
    commands: dict[str, Command] = defaultdict(Command)
    for line in journal:
        if line["kind"] == "invoke":
            commands[line["command"]].invoked = min(commands[line["command"]].invoked, line["ns"])
        elif line["kind"] == "complete":
            command = commands[line["command"]]
            command.outcome = line["outcome"]
            if line["outcome"] == "acked":
                command.answered = min(command.answered, line["ns"])
                command.reply = line
    return commands


def check_presence(journal: Iterable[dict], commands: dict[str, Command], log: list[Entry]) -> Iterator[str]:
    present = {entry.command for entry in log}
    for name, command in commands.items():
        if command.outcome == "acked" and name not in present:
            yield f"lost: {name} was acknowledged and is not in the log"
        if command.outcome == "rejected" and name in present:
            yield f"ghost: {name} was rejected and is in the log"
    for name, times in Counter(find_runs(log)).items():
        if name in commands and times > 1:
            yield f"twice: {name} is in the log {times} times"
    for line in journal:
        if line["kind"] == "publish" and line["command"] not in present:
            yield f"published: {line['command']} is not in the log"


def find_runs(log: list[Entry]) -> Iterator[str]:
    """The command of each run of events that one append can have written; the same kind of event again is another."""
    command, seen = "", set[tuple[str, str]]()
    for entry in log:
        if entry.command != command or (entry.stream, entry.topic) in seen:
            yield entry.command
            command, seen = entry.command, set()
        seen.add((entry.stream, entry.topic))


def check_real_time(commands: dict[str, Command], log: list[Entry]) -> Iterator[str]:
    latest = -1.0
    for entry in log:
        command = commands.get(entry.command)
        if command is None:
            continue
        if command.answered < latest:
            yield f"order: position {entry.position} was answered before an earlier position was asked for"
        latest = max(latest, command.invoked)


def check_legality(commands: dict[str, Command], log: list[Entry]) -> Iterator[str]:
    versions: Counter[str] = Counter()
    balances: Counter[str] = Counter()
    for place, entry in enumerate(log):
        if entry.position != place + 1:
            yield f"position: {place + 1} is missing"
            return
        versions[entry.stream] += 1
        balances[entry.stream] += entry.moves
        if entry.version != versions[entry.stream]:
            yield f"version: position {entry.position} has version {entry.version}, not {versions[entry.stream]}"
        if balances[entry.stream] < 0:
            yield f"illegal: position {entry.position} takes more than there is"
        is_last = place + 1 == len(log) or log[place + 1].command != entry.command
        reply = commands[entry.command].reply if is_last and entry.command in commands else {}
        if reply.get("stream") == entry.stream and reply.get("balance") != balances[entry.stream]:
            yield f"answer: position {entry.position} said {reply['balance']}, the log {balances[entry.stream]}"
        if reply.get("position", entry.position) != entry.position:
            yield f"answer: position {entry.position} was said to be {reply['position']}"


def check_reads(reads: list[dict], commands: dict[str, Command], log: list[Entry]) -> Iterator[str]:
    """The allowed states of a read: from what was answered before it began to what was asked for before it ended."""
    streams: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    balances: Counter[str] = Counter()
    for entry in log:
        command = commands.get(entry.command, Command(invoked=-1, answered=-1))
        balances[entry.stream] += entry.moves
        streams[entry.stream].append((command.invoked, command.answered, balances[entry.stream]))
    for read in reads:
        history = streams[read["stream"]]
        first = max((place for place, (_, answered, _) in enumerate(history) if answered < read["began"]), default=-1)
        states = [0] if first < 0 else [history[first][2]]
        states += [balance for invoked, _, balance in history[first + 1 :] if invoked < read["ended"]]
        if read["balance"] not in states:
            yield f"read: {read['stream']} showed {read['balance']}, possible were {states[:5]}"


if __name__ == "__main__":
    main()
