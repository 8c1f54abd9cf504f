"""The reveal: the credentials, opened in memory for the one buyer entitled to them, sealed at once for the client.

The sealed answer is stored by the same database transaction as the event, so that a retry gets the same bytes, and is
destroyed with the grants. A client that sends no key gets the plaintext over TLS, and nothing is stored.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from database.connect import Connection
from database.queries import load
from vault.deposit import Document, SealedDeposit, open_deposit
from vault.grant import Grant, open_grant
from vault.sealing import KeySuite, context, seal_to
from vault.secret import Secret

SQL = load("vault", "reveal.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """One showing: which command shows which deposit to whom. `command_id` is 32 bytes."""

    transaction_id: UUID
    deposit_id: UUID
    user_id: UUID
    command_id: bytes


def open_credentials(grant: Grant, deposit: SealedDeposit, private_key: Secret) -> Document:
    """Open the grant and with its key the deposit. Raises SealBroken."""
    return open_deposit(deposit, open_grant(grant, deposit, private_key))


def seal_answer(document: Document, reveal: Reveal, client_key: bytes) -> bytes:
    """Seal the padded document to the ephemeral X25519 key (32 bytes) that the client sent with the command.

    Raises UnfitPublicKey, before any event, for what is no such key.
    """
    place = (reveal.transaction_id, reveal.deposit_id, reveal.user_id, reveal.command_id)
    return seal_to(client_key, document.padded, context("reveal", KeySuite.X25519, *place))


async def get_answer(connection: Connection, command_id: bytes, at: datetime) -> bytes | None:
    """The stored sealed answer of an earlier try of the same command; None when there is none, or no longer."""
    cursor = await connection.execute(SQL.get_answer, (command_id, at))
    row = await cursor.fetchone()
    return bytes(row[0]) if row else None


async def take_repeat(connection: Connection, reveal: Reveal) -> bool:
    """Whether this is the first repeat of a plaintext answer: there is one per command, whichever worker is asked."""
    cursor = await connection.execute(SQL.take_repeat, (reveal.command_id, reveal.transaction_id))
    return await cursor.fetchone() is not None
