"""Bugs to be planted: each is a patch that a test applies; the product knows no switch for them."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg

from database.connect import Connection
from eventstore.appender import Appender
from eventstore.batch import outcomes_of
from eventstore.proposal import Outcome, Proposal, Verdict
from eventstore.writer import CommitUnknown, Writer, _append

DEFINITION = "SELECT pg_get_functiondef('append_events'::regproc)"
LOOKUP = "k.command_id = ANY(command_ids)"
LOCK = "PERFORM pg_advisory_xact_lock(7310579);"
CURRENT = """CASE WHEN t.next_version > 1 THEN last.version IS NOT DISTINCT FROM t.next_version - 1
                 ELSE coalesce(last.version < t.next_version, TRUE) END"""
DENSE = "head + row_number() OVER (ORDER BY e.place) AS position"


def rewrite(superuser_dsn: str, *changes: tuple[str, str], also: Sequence[str] = ()) -> None:
    """Change the text of the append function; each old text must be there."""
    with psycopg.connect(superuser_dsn, autocommit=True) as connection:
        source = connection.execute(DEFINITION).fetchone()[0]
        for old, new in changes:
            assert old in source, f"the plant has nothing to replace: {old}"
            source = source.replace(old, new)
        for statement in (source, *also):
            connection.execute(statement)


def skip_idempotency_lookup(superuser_dsn: str) -> None:
    """A command that is in the log already is carried out again."""
    remove = "ALTER TABLE idempotency DROP CONSTRAINT idempotency_command"
    rewrite(superuser_dsn, (LOOKUP, "FALSE"), also=[remove])


def accept_stale_version(superuser_dsn: str) -> None:
    """Whatever version a decision rests on, it is written."""
    remove = "ALTER TABLE escrow_events DROP CONSTRAINT escrow_events_version"
    rewrite(superuser_dsn, (CURRENT, "TRUE"), also=[remove])


def number_by_sequence(superuser_dsn: str) -> None:
    """Positions from a sequence and no lock, as the library does with its database functions on."""
    rewrite(
        superuser_dsn,
        (LOCK, ""),
        (DENSE, "nextval('public.planted') AS position"),
        ("NOTIFY escrow_events;", "PERFORM pg_sleep(random() * 0.004); NOTIFY escrow_events;"),
        also=["CREATE SEQUENCE public.planted", "GRANT USAGE ON SEQUENCE public.planted TO escrow_owner"],
    )


class SwallowsConflicts(Appender):
    """A conflict is reported as success."""

    async def append(self, proposal: Proposal) -> Outcome:
        outcome = await super().append(proposal)
        if outcome.verdict is Verdict.CONFLICT:
            return Outcome(Verdict.STORED, 1, 1, None, None)
        return outcome


class AcknowledgesFirst(Writer):
    """The answer goes out while the commit is still on its way."""

    committing: asyncio.Task[None] | None = None

    async def send(self, batch: Sequence[Proposal], *, again: bool) -> list[Outcome]:
        if self.committing is not None:
            await self.committing
        connection = await self._connected()
        try:
            await connection.execute("BEGIN")
            rows = await _append(connection.cursor(), batch)
        except psycopg.Error as error:
            await self.close()
            raise CommitUnknown from error
        self.committing = asyncio.create_task(self._commit_later(connection))
        return outcomes_of(rows, resent=again)

    async def _commit_later(self, connection: Connection) -> None:
        await asyncio.sleep(0.02)
        with suppress(psycopg.Error):
            await connection.execute("COMMIT")


class PublishesFirst(Appender):
    """Subscribers are told of a command before anybody knows whether it is stored."""

    publish: Callable[[str], None]

    async def append(self, proposal: Proposal) -> Outcome:
        self.publish(proposal.command_id.hex())
        return await super().append(proposal)
