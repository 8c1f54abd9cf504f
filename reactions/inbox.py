"""The inbox of the processor's webhooks: stored as delivered before anything else happens, worked off later.

A webhook is only a hint: whatever it says is confirmed by a GET before it is recorded, so that duplicates, forgeries
with a stolen key, wrong order and lost deliveries all lead to the same state.
"""

import asyncio
import hashlib
import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from database.connect import Connection, Pool
from database.queries import load
from domain.errors import EscrowError
from domain.ids import Clock
from domain.webhook import RecordWebhook, webhook_id
from gateways.paystack.secret import SecretKey
from gateways.paystack.webhook import parse_envelope, verify_signature
from reactions.refusals import Refusals
from reactions.toolbox import Toolbox, request_of

SQL = load("reactions", "inbox.sql")
BATCH = 512
"""As many as one append takes."""
FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(minutes=10)
UNFIT = re.compile("[\x00\ud800-\udfff]")


class SignatureWrong(EscrowError):
    """The signature does not match the body; nothing was stored."""

    code = "signature_wrong"
    status = 401


class Delivery(NamedTuple):
    """A stored webhook that has not been worked off."""

    id: int
    event: str
    reference: str | None
    attempts: int
    body_sha256: bytes
    received_at: datetime


class Conclusion(NamedTuple):
    """What became of a delivery."""

    delivery: Delivery
    outcome: str
    transaction_id: UUID | None


class Postponement(NamedTuple):
    """A delivery that could not be worked off yet, and why."""

    delivery: Delivery
    error: str


async def receive(
    pool: Pool, secret: SecretKey, clock: Clock, raw: bytes, signature: str | None, refusals: Refusals
) -> None:
    """Store a delivery as it came; when this returns it is durable. Raises `SignatureWrong`; `refusals` counts it."""
    await require_signature(pool, secret, clock, raw, signature, refusals)
    digest = hashlib.sha256(raw).digest()
    envelope = parse_envelope(raw)
    facts = {"body_sha256": digest, "body": raw, "event": clean(envelope.event), "at": clock()}
    async with pool.connection() as connection:
        await connection.execute(SQL.keep_event, {**facts, "reference": clean(envelope.reference)})


async def require_signature(
    pool: Pool, secret: SecretKey, clock: Clock, raw: bytes, signature: str | None, refusals: Refusals
) -> None:
    """Raise `SignatureWrong`, and count it, unless the header signs exactly these bytes."""
    if not verify_signature(secret, raw, signature):
        await refusals.count(pool, clock, hashlib.sha256(raw).digest())
        raise SignatureWrong


def clean(text: str | None) -> str | None:
    """Return text that PostgreSQL can store: no NUL, no lone surrogate, at most 200 characters; the body has all."""
    return None if text is None else UNFIT.sub("", text)[:200]


async def list_waiting(connection: Connection, clock: Clock, in_hand: Collection[int] = ()) -> list[Delivery]:
    """Return the deliveries that are due, without those `in_hand`, oldest first, at most 512."""
    facts = {"at": clock(), "in_hand": list(in_hand), "limit": BATCH}
    cursor = await connection.execute(SQL.list_waiting, facts)
    return [Delivery(*row) for row in await cursor.fetchall()]


async def put_on_record(tools: Toolbox, deliveries: Sequence[Delivery]) -> None:
    """Append the hashes of deliveries to the log, each once however often it is worked off, in few commits.

    If this ends half-way, it is done again. What stands there is left alone, also where the same bytes came as another
    delivery before the inbox was set back to an older state.
    """
    streams = {webhook_id(delivery.body_sha256): delivery for delivery in deliveries}
    async with tools.pool.connection() as connection:
        cursor = await connection.execute(SQL.list_on_record, {"stream_ids": list(streams)})
        known = {row[0] for row in await cursor.fetchall()}
    # What is proposed at once is committed at once.
    await asyncio.gather(*(_record(tools, *each) for each in streams.items() if each[0] not in known))


async def _record(tools: Toolbox, stream_id: UUID, delivery: Delivery) -> None:
    command = RecordWebhook(
        body_sha256=delivery.body_sha256.hex(), event=delivery.event, received_at=delivery.received_at
    )
    await tools.escrow.execute(stream_id, command, request_of("inbox", stream_id, 0, command))


async def conclude(pool: Pool, clock: Clock, conclusions: Sequence[Conclusion]) -> None:
    """Record of each whether it was `applied`, `unmatched` or `ignored`."""
    if conclusions:
        facts = {
            "ids": [each.delivery.id for each in conclusions],
            "outcomes": [each.outcome for each in conclusions],
            "transaction_ids": [each.transaction_id for each in conclusions],
        }
        async with pool.connection() as connection:
            await connection.execute(SQL.conclude, {**facts, "at": clock()})


async def postpone(pool: Pool, clock: Clock, postponements: Sequence[Postponement]) -> None:
    """Try deliveries again later: after 2 seconds, then twice as long each time, at most 10 minutes."""
    if postponements:
        facts = {
            "ids": [each.delivery.id for each in postponements],
            "errors": [each.error[:500] for each in postponements],
            "next_attempts_at": [clock() + _delay(each.delivery) for each in postponements],
        }
        async with pool.connection() as connection:
            await connection.execute(SQL.postpone, facts)


def _delay(delivery: Delivery) -> timedelta:
    return min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(delivery.attempts, 16))
