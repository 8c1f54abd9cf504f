"""Telling people what happened: from the log into a queue, from the queue to the mail server, the outcome into the log.

At least once, and recognisably so: the id of a message follows from the event, and with it the Message-ID. A crash
between sending and remembering repeats the messages that were on their way; one between remembering and recording
repeats nothing, because the record is a command of the same identity. A rebuild sends nothing: it never comes here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from psycopg import Error

from database.queries import load
from domain.actor import reaction
from domain.errors import EscrowError, NotFound
from domain.listing import Listing
from domain.transaction import Transaction
from domain.transaction.system_commands import RecordNotice
from eventstore.escrow import Request
from eventstore.log import RecordedEvent, find_command, follow, read_after
from eventstore.transcoder import Undecodable
from gateways.mail import Mail, SendMail
from gateways.message import MessageRefused, MessageUndelivered
from identity.notification import (
    MAIL,
    DueNotification,
    Facts,
    Notification,
    Told,
    list_due,
    list_unrecorded,
    mark_recorded,
    postpone,
    queue,
    settle,
)
from reactions.checkpoint import get_checkpoint, save_checkpoint
from reactions.notice import REMINDER, bring_up_to_date, tell_of_listing, tell_of_transaction, tell_of_user
from reactions.telling import OF_LISTING, OF_TRANSACTION, TOLD
from reactions.toolbox import Toolbox, find_readable
from reactions.writing import Unwritable, write

SQL = load("reactions", "notification.sql")
NAME = "notifications"
AT_ONCE = 16
TOPICS = sorted(TOLD)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
PAUSE_SECONDS = 1.0
AFTER_FAILURE_SECONDS = 10.0

SENT, ERASED, UNVERIFIED, REFUSED = "sent", "erased", "unverified", "refused"
GIVEN_UP, TOO_OLD, UNWRITABLE = "given_up", "too_old", "unwritable"
OBSOLETE, TOLD_BEFORE = "obsolete", "told_before"
OUTCOMES = (SENT, ERASED, UNVERIFIED, REFUSED, GIVEN_UP, TOO_OLD, UNWRITABLE, OBSOLETE, TOLD_BEFORE)
UNRECORDED = frozenset({OBSOLETE, TOLD_BEFORE})
"""Nobody was to be told any more: the log has nothing to learn."""

logger = structlog.get_logger("reactions")


class Notifier:
    """Tells people by mail; whatever goes wrong here stops nothing else."""

    def __init__(self, tools: Toolbox, send: SendMail) -> None:
        """`send` raises `MessageRefused` and `MessageUndelivered`."""
        self._tools = tools
        self._send = send

    async def begin(self) -> None:
        """Decide, once, from where on the log is told of: from its beginning, or from where the reactions are by now.

        In a log that was reacted to before, everybody has heard what there was to hear, or never will.
        """
        async with self._tools.pool.connection() as connection:
            await connection.execute(SQL.begin_checkpoint, {"name": NAME, "at": self._tools.clock()})

    async def run(self) -> None:
        """Tell of what is new until cancelled."""
        await asyncio.gather(_keep_on(self._follow), _keep_on(self._work))

    async def _follow(self) -> None:
        async for batch in follow(self._tools.pool, after=await self._checkpoint(), topics=TOPICS):
            await self._queue(batch)

    async def _work(self) -> None:
        while True:
            sent = await self.send_due()
            await self.record_told()
            if not sent:
                await asyncio.sleep(PAUSE_SECONDS)

    async def queue_new(self) -> None:
        """Queue what the log has to tell by now."""
        while batch := await read_after(self._tools.pool, await self._checkpoint(), topics=TOPICS):
            await self._queue(batch)

    async def send_due(self) -> int:
        """Send what is due, some of it at once; return how many were looked at."""
        due = await list_due(self._tools.pool, self._tools.clock(), AT_ONCE)
        await asyncio.gather(*(self._handle(each) for each in due))
        return len(due)

    async def record_told(self) -> None:
        """Tell the log how telling people ended."""
        for told in await list_unrecorded(self._tools.pool, AT_ONCE):
            try:
                await self._record(told)
            except (NotFound, Undecodable) as error:
                logger.error("notification_unrecordable", transaction_id=str(told.transaction_id), code=error.code)
            except EscrowError as error:
                # A conflict or an outage: it is still unrecorded the next time.
                logger.warning("notification_not_recorded", transaction_id=str(told.transaction_id), code=error.code)
                continue
            await mark_recorded(self._tools.pool, told, self._tools.clock())

    async def _queue(self, batch: Sequence[RecordedEvent]) -> None:
        """Queue and remember how far that is in one commit."""
        notifications = [note for event in batch for note in await self._tell(event)]
        async with self._tools.pool.connection() as connection, connection.transaction():
            await queue(connection, notifications)
            await save_checkpoint(connection, NAME, batch[-1].position, self._tools.clock())

    async def _tell(self, event: RecordedEvent) -> list[Notification]:
        """An event that cannot be read, or that lacks what is to be told of it, holds up no other."""
        try:
            if event.topic in OF_TRANSACTION:
                transaction = await self._tools.escrow.get(Transaction, event.stream_id)
                return list(tell_of_transaction(event, transaction, self._tools.clock()))
            if event.topic in OF_LISTING:
                return list(tell_of_listing(event, await self._tools.escrow.get(Listing, event.stream_id)))
            return list(tell_of_user(event))
        except (NotFound, Undecodable, KeyError, TypeError, ValueError) as error:
            logger.error("event_untold", position=event.position, topic=event.topic, error=type(error).__name__)
            return []

    async def _handle(self, note: DueNotification) -> None:
        at = self._tools.clock()
        try:
            outcome = await self._try(note, at)
        except MessageUndelivered as error:
            logger.warning("notification_waits", id=str(note.id), template=note.template, reason=error.reason)
            await postpone(self._tools.pool, note, error.reason, at + _pause(note.tries))
            return
        await settle(self._tools.pool, note, outcome, at=at, is_recorded=outcome in UNRECORDED)

    async def _try(self, note: DueNotification, at: datetime) -> str:
        obstacle = await self._obstacle(note, at)
        if obstacle is not None or note.email is None:
            return obstacle or ERASED
        facts = await self._facts_of(note)
        if facts is None:
            return OBSOLETE
        try:
            letter = write(note.template, facts)
        except Unwritable as error:
            logger.error("notification_unwritable", template=note.template, reason=str(error.facts))
            return UNWRITABLE
        # The moment of the event, not of the try: a repeat is the same message.
        mail = Mail(
            id=note.id,
            at=note.created_at,
            address=note.email,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
        )
        try:
            await self._send(mail)
        except MessageRefused as error:
            logger.warning("notification_refused", id=str(note.id), template=note.template, reason=error.reason)
            return REFUSED
        return SENT

    async def _obstacle(self, note: DueNotification, at: datetime) -> str | None:
        """Return why this is not sent at all, if there is a reason."""
        if note.email is None:
            return ERASED
        if not note.is_verified:
            return UNVERIFIED
        if at >= note.give_up_at:
            return GIVEN_UP if note.tries else TOO_OLD
        if note.transaction_id is None:
            return None
        return TOLD_BEFORE if await self._was_told(note) else None

    async def _was_told(self, note: DueNotification) -> bool:
        """Whether the log says so: after a restore it may know more than the queue."""
        assert note.transaction_id is not None, "only transactions are told of in the log"
        request = _request(note.transaction_id, note.event_version, note.template, SENT)
        return await find_command(self._tools.pool, request.command_id) is not None

    async def _facts_of(self, note: DueNotification) -> Facts | None:
        """Return what the message shows; None of a reminder whose time has passed otherwise."""
        if note.template != REMINDER or note.transaction_id is None:
            return note.facts
        transaction = await find_readable(self._tools.escrow, note.transaction_id)
        return None if transaction is None else bring_up_to_date(note.facts, transaction)

    async def _record(self, told: Told) -> None:
        command = RecordNotice(
            template=told.template, channel=MAIL, user_ids=tuple(told.user_ids), outcome=told.outcome
        )
        request = _request(told.transaction_id, told.event_version, told.template, told.outcome)
        await self._tools.escrow.execute(told.transaction_id, command, request)

    async def _checkpoint(self) -> int:
        return await get_checkpoint(self._tools.pool, NAME)


async def _keep_on(work: Callable[[], Awaitable[None]]) -> None:
    """Begin again after a failure: money does not wait for mail."""
    while True:
        try:
            await work()
        except (Error, EscrowError, OSError) as error:
            logger.warning("notifications_interrupted", error=type(error).__name__)
        await asyncio.sleep(AFTER_FAILURE_SECONDS)


def _pause(tries: int) -> timedelta:
    """30 seconds, doubled with every try, an hour at most."""
    return min(FIRST_PAUSE * 2 ** min(tries, 10), LONGEST_PAUSE)


def _request(transaction_id: UUID, event_version: int | None, template: str, outcome: str) -> Request:
    """The request to record it: of one event, told by one template, ended one way, there is one."""
    return Request.keyed(reaction(NAME), f"{NAME}:{transaction_id}:{event_version}:{template}:{MAIL}:{outcome}")
