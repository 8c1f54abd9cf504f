"""What must hold of a log, read with plain SQL; it shares no code with the writer, and tests show that it can fail."""

from collections import Counter
from collections.abc import Iterable

import psycopg

ROWS = "SELECT notification_id, originator_id, originator_version, state FROM escrow_events ORDER BY notification_id"


def find_faults(
    connection: psycopg.Connection, acknowledged: Iterable[bytes], refused: Iterable[bytes] = ()
) -> list[str]:
    """Name every gap, duplicate, lost acknowledgement and ghost. A state is unique to its command."""
    rows = connection.execute(ROWS).fetchall()
    states = Counter(row[3] for row in rows)
    return [
        *_positions([row[0] for row in rows]),
        *_versions([(row[1], row[2]) for row in rows]),
        *(f"{state!r} is there {count} times" for state, count in states.items() if count > 1),
        *(f"{state!r} was acknowledged and is lost" for state in acknowledged if state not in states),
        *(f"{state!r} was refused and is there" for state in refused if state in states),
    ]


def _positions(positions: list[int]) -> list[str]:
    return [] if positions == list(range(1, len(positions) + 1)) else ["positions have gaps or duplicates"]


def _versions(pairs: list[tuple[object, int]]) -> list[str]:
    """In the order of positions each stream counts 1, 2, 3."""
    last: Counter[object] = Counter()
    faults: list[str] = []
    for stream, version in pairs:
        if version != last[stream] + 1:
            faults.append(f"stream {stream} goes from {last[stream]} to {version}")
        last[stream] = version
    return faults


class Poller:
    """Reads what is beyond the last position it has seen, as fast as it can, and remembers which came late."""

    def __init__(self, query: str = "SELECT notification_id FROM escrow_events WHERE notification_id > %s ORDER BY 1"):
        self.query = query
        self.seen: list[int] = []

    def poll(self, connection: psycopg.Connection) -> None:
        last = self.seen[-1] if self.seen else 0
        self.seen += [row[0] for row in connection.execute(self.query, (last,)).fetchall()]

    def find_late(self, connection: psycopg.Connection) -> list[int]:
        """Positions that are there in the end and were never seen: they appeared behind a higher one."""
        everything = Poller(self.query)
        everything.poll(connection)
        return sorted(set(everything.seen) - set(self.seen))
