"""The log behind the recorder's interface of the library `eventsourcing`, so that its published suites can judge it.

Reading is the library's own code on our table. Writing goes through the same append function as everything else.
"""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder

from database.queries import load
from eventstore.arrays import register_arrays
from eventstore.batch import parameters_of
from eventstore.proposal import NewEvent, Proposal, Verdict

SQL = load("eventstore", "log.sql")
TABLE = "escrow_events"


class EscrowRecorder(PostgresApplicationRecorder):
    """Give it a `PostgresDatastore` of the application's role and `events_table_name=TABLE`."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: object) -> Sequence[int]:
        """Append the events as one command and return their positions; raise `IntegrityError` on any conflict."""
        if not stored_events:
            return []
        with self.datastore.get_connection() as connection, connection.cursor(binary=True) as cursor:
            register_arrays(cursor)
            row = cursor.execute(SQL.append_events, parameters_of([_proposal(stored_events)])).fetchone()
        assert row is not None, "one command has one outcome"
        if row["outcome"] != Verdict.STORED:
            raise IntegrityError(row["outcome"])
        return list(range(row["first_position"], row["last_position"] + 1))


def _proposal(stored_events: Sequence[StoredEvent]) -> Proposal:
    """The digest of the events serves as their command: the same events again conflict, as the library expects."""
    events = [NewEvent(_uuid(e.originator_id), e.originator_version, e.topic, e.state) for e in stored_events]
    digest = hashlib.sha256(repr(events).encode()).digest()
    return Proposal(digest, digest, events, events[0].stream_id, events[-1].version)


def _uuid(originator_id: UUID | str) -> UUID:
    return originator_id if isinstance(originator_id, UUID) else UUID(originator_id)
