"""The `credential_vaults` table: one row per deposit; ciphertext, never a key or a plaintext."""

import base64
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from database.queries import load
from eventstore.converter import JSON, text_of
from eventstore.log import RecordedEvent
from projections.projection import Change, at_field, at_stream, project
from projections.rows import Rows, Table

SQL = load("projections", "vault.sql")


class DepositRow(NamedTuple):
    """A row of `credential_vaults` without its ciphertext."""

    vault_id: UUID
    listing_id: UUID
    seller_id: UUID
    transaction_id: UUID | None
    suite: str
    commitment_sha256: str
    seller_key_fingerprint: str
    buyer_key_fingerprint: str | None
    sealed_at: datetime
    granted_at: datetime | None
    revealed_at: datetime | None
    revealed_to_user_id: UUID | None
    acknowledged_at: datetime | None
    destroyed_at: datetime | None
    lost_at: datetime | None
    position: int


VAULT = Table(
    name="credential_vaults",
    key=("vault_id",),
    columns=(*DepositRow._fields, "ciphertext"),
)


def seal(event: RecordedEvent, rows: Rows) -> None:
    """A seller deposited credentials."""
    data = event.data
    rows.put(
        VAULT.name,
        {
            **dict.fromkeys(VAULT.columns),
            "vault_id": text_of(event.stream_id),
            "listing_id": data["listing_id"],
            "seller_id": data["seller_id"],
            "ciphertext": f"\\x{base64.b64decode(cast('str', data['ciphertext'])).hex()}",
            "suite": data["suite"],
            "commitment_sha256": data["commitment_sha256"],
            "seller_key_fingerprint": data["seller_key_fingerprint"],
            "sealed_at": data["timestamp"],
            "position": event.position,
        },
    )


def sell(event: RecordedEvent, rows: Rows) -> None:
    """A transaction was opened on the deposit; a grant in an earlier one, which ended before the reveal, is void."""
    stamp = text_of(event.stream_id)
    _change(event, rows, event.data["vault_id"], transaction_id=stamp, granted_at=None, buyer_key_fingerprint=None)


def grant(event: RecordedEvent, rows: Rows) -> None:
    """The seller handed the key to the buyer, perhaps of a deposit that was lost; a new one is this transaction's."""
    _change(
        event,
        rows,
        event.data["vault_id"],
        transaction_id=text_of(event.stream_id),
        granted_at=event.data["timestamp"],
        lost_at=None,
        buyer_key_fingerprint=event.data["key_fingerprint"],
    )


def reveal(event: RecordedEvent, rows: Rows) -> None:
    """The credentials were shown, once."""
    data = event.data
    _change(event, rows, data["vault_id"], revealed_at=data["timestamp"], revealed_to_user_id=data["to_user_id"])


def acknowledge(event: RecordedEvent, rows: Rows) -> None:
    """The buyer has read them."""
    _change(event, rows, event.data["vault_id"], acknowledged_at=event.data["timestamp"])


def lose(event: RecordedEvent, rows: Rows) -> None:
    """Nothing opens the deposit any more, and nobody meant that; the first report counts."""
    vault_id = event.data.get("vault_id") or text_of(event.stream_id)
    row = rows.get(VAULT.name, vault_id)
    _change(event, rows, vault_id, lost_at=row["lost_at"] or event.data["timestamp"])


def destroy(event: RecordedEvent, rows: Rows) -> None:
    """All grants were deleted on purpose."""
    _change(event, rows, text_of(event.stream_id), destroyed_at=event.data["timestamp"])


def _change(event: RecordedEvent, rows: Rows, vault_id: JSON, **columns: JSON) -> None:
    rows.change(VAULT.name, vault_id, **columns, position=event.position)


_NAMED = at_field(VAULT, "vault_id")
_OWN = at_stream(VAULT)

CREDENTIAL_VAULTS = project(
    "credential_vaults",
    2,
    (VAULT,),
    SQL,
    {
        "vault.credentials_sealed.v1": Change(seal),
        "transaction.opened.v1": Change(sell, _NAMED),
        "transaction.credentials_granted.v1": Change(grant, _NAMED),
        "transaction.deposit_replaced.v1": Change(grant, _NAMED),
        "transaction.credentials_revealed.v1": Change(reveal, _NAMED),
        "transaction.reveal_acknowledged.v1": Change(acknowledge, _NAMED),
        "transaction.deposit_lost.v1": Change(lose, _NAMED),
        "vault.credentials_lost.v1": Change(lose, _OWN),
        "vault.credentials_destroyed.v1": Change(destroy, _OWN),
    },
)
