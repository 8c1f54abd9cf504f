"""The inbox of the processor's webhooks: stored as delivered before anything else happens, worked off later.

A webhook is only a hint: whatever it says is confirmed by a GET before it is recorded, so that duplicates, forgeries
with a stolen key, wrong order and lost deliveries all lead to the same state.
"""

import hashlib
import re
from collections.abc import Collection
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
from projections.payout import PAYOUTS
from projections.reached import get_reached
from reactions.refusals import Refusals
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


class TablesBehind(EscrowError):
    """The table of payouts does not hold yet what was recorded before this delivery; it is tried again."""

    code = "tables_behind"
    status = 503


class Delivery(NamedTuple):
    """A stored webhook that has not been worked off."""

    id: int
    event: str
    reference: str | None
    attempts: int
    body_sha256: bytes
    received_at: datetime


async def receive(
    pool: Pool, secret: SecretKey, clock: Clock, raw: bytes, signature: str | None, refusals: Refusals | None = None
) -> None:
    """Store a delivery as it came; when this returns it is durable. Raises `SignatureWrong`.

    `refusals` counts the wrong signatures of this process; without it each one is written at once.
    """
    await require_signature(pool, secret, clock, raw, signature, refusals)
    digest = hashlib.sha256(raw).digest()
    envelope = parse_envelope(raw)
    facts = {"body_sha256": digest, "body": raw, "event": clean(envelope.event), "at": clock()}
    async with pool.connection() as connection:
        await connection.execute(SQL.keep_event, {**facts, "reference": clean(envelope.reference)})


async def require_signature(
    pool: Pool, secret: SecretKey, clock: Clock, raw: bytes, signature: str | None, refusals: Refusals | None = None
) -> None:
    """Raise `SignatureWrong`, and count it, unless the header signs exactly these bytes."""
    if not verify_signature(secret, raw, signature):
        await (refusals or Refusals()).count(pool, clock, hashlib.sha256(raw).digest())
        raise SignatureWrong


def clean(text: str | None) -> str | None:
    """Return text that PostgreSQL can store: no NUL, no lone surrogate, at most 200 characters; the body has all."""
    return None if text is None else UNFIT.sub("", text)[:200]


async def list_waiting(connection: Connection, clock: Clock, in_hand: Collection[int] = ()) -> list[Delivery]:
    """Return the deliveries that are due, without those `in_hand`, oldest first, at most 64."""
    facts = {"at": clock(), "in_hand": list(in_hand), "limit": BATCH}
    cursor = await connection.execute(SQL.list_waiting, facts)
    return [Delivery(*row) for row in await cursor.fetchall()]


async def find_transaction(connection: Connection, delivery: Delivery) -> UUID | None:
    """Return the transaction that a delivery is about; None when no reference of ours is in it."""
    if delivery.reference is None:
        return None
    query = SQL.find_payout if is_transfer(delivery) else PAYMENT_SQL.find_transaction
    row = await (await connection.execute(query, (delivery.reference,))).fetchone()
    found: UUID | None = row[0] if row else None
    return found


async def find_late(tools: Toolbox, delivery: Delivery) -> UUID | None:
    """Look once more for the transaction of a transfer that was not found. Raises `TablesBehind`.

    Whoever pays out says so in the log first, so a payout that a delivery can be about stands there before the delivery
    itself, but perhaps not in the table yet.
    """
    if not is_transfer(delivery):
        return None
    position = await put_on_record(tools, delivery)
    reached = await get_reached(tools.pool, (PAYOUTS.name,))
    async with tools.pool.connection() as connection:
        found = await find_transaction(connection, delivery)
    if found is None and reached < position:
        raise TablesBehind(reached=reached, wanted=position)
    return found


def is_transfer(delivery: Delivery) -> bool:
    """Whether a delivery is about a payout."""
    return delivery.event.startswith("transfer.")


async def put_on_record(tools: Toolbox, delivery: Delivery) -> int:
    """Append the hash of a delivery to the log, once, however often it is worked off; return its position."""
    stream_id = webhook_id(delivery.body_sha256)
    command = RecordWebhook(
        body_sha256=delivery.body_sha256.hex(), event=delivery.event, received_at=delivery.received_at
    )
    result = await tools.escrow.execute(stream_id, command, request_of("inbox", stream_id, 0, command))
    return result.position


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
