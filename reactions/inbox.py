"""The inbox of the processor's webhooks: stored as delivered before anything else happens, worked off later.

A webhook is only a hint: whatever it says is confirmed by a GET before it is recorded, so that duplicates, forgeries
with a stolen key, wrong order and lost deliveries all lead to the same state.
"""

import hashlib
import re
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
from reactions.toolbox import Toolbox, request_of

SQL = load("reactions", "inbox.sql")
PAYMENT_SQL = load("reactions", "payment.sql")
BATCH = 64
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


async def receive(pool: Pool, secret: SecretKey, clock: Clock, raw: bytes, signature: str | None) -> None:
    """Store a delivery as it came; when this returns it is durable. Raises `SignatureWrong`."""
    digest = hashlib.sha256(raw).digest()
    if not verify_signature(secret, raw, signature):
        async with pool.connection() as connection:
            await connection.execute(SQL.count_refusal, {"at": clock(), "body_sha256": digest})
        raise SignatureWrong
    envelope = parse_envelope(raw)
    facts = {"body_sha256": digest, "body": raw, "event": clean(envelope.event), "at": clock()}
    async with pool.connection() as connection:
        await connection.execute(SQL.keep_event, {**facts, "reference": clean(envelope.reference)})


def clean(text: str | None) -> str | None:
    """Return text that PostgreSQL can store: no NUL, no lone surrogate, at most 200 characters; the body has all."""
    return None if text is None else UNFIT.sub("", text)[:200]


async def list_waiting(connection: Connection, clock: Clock) -> list[Delivery]:
    """Return the deliveries that are due, oldest first, at most 64."""
    cursor = await connection.execute(SQL.list_waiting, {"at": clock(), "limit": BATCH})
    return [Delivery(*row) for row in await cursor.fetchall()]


async def find_transaction(connection: Connection, delivery: Delivery) -> UUID | None:
    """Return the transaction that a delivery is about; None when no reference of ours is in it."""
    if delivery.reference is None:
        return None
    query = SQL.find_payout if delivery.event.startswith("transfer.") else PAYMENT_SQL.find_transaction
    row = await (await connection.execute(query, (delivery.reference,))).fetchone()
    found: UUID | None = row[0] if row else None
    return found


async def put_on_record(tools: Toolbox, delivery: Delivery) -> None:
    """Append the hash of a delivery to the log; once, however often it is worked off."""
    stream_id = webhook_id(delivery.body_sha256)
    command = RecordWebhook(
        body_sha256=delivery.body_sha256.hex(), event=delivery.event, received_at=delivery.received_at
    )
    await tools.escrow.execute(stream_id, command, request_of("inbox", stream_id, 0, command))


async def conclude(pool: Pool, clock: Clock, delivery: Delivery, outcome: str, transaction_id: UUID | None) -> None:
    """Record that a delivery was `applied`, `unmatched` or `ignored`."""
    facts = {"id": delivery.id, "at": clock(), "outcome": outcome, "transaction_id": transaction_id}
    async with pool.connection() as connection:
        await connection.execute(SQL.conclude, facts)


async def postpone(pool: Pool, clock: Clock, delivery: Delivery, error: str) -> None:
    """Try a delivery again later: after 2 seconds, then twice as long each time, at most 10 minutes."""
    delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(delivery.attempts, 16))
    facts = {"id": delivery.id, "error": error[:500], "next_attempt_at": clock() + delay}
    async with pool.connection() as connection:
        await connection.execute(SQL.postpone, facts)
