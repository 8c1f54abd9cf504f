"""The `contracts` table: what was to be signed, and who signed it when."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from database.queries import load
from eventstore.converter import text_of
from eventstore.log import RecordedEvent
from projections.projection import Change, at_field, project
from projections.rows import Rows, Table

SQL = load("projections", "contract.sql")


class ContractRow(NamedTuple):
    """A row of `contracts`; the SHA-256 covers the bytes that both parties saw."""

    contract_id: UUID
    transaction_id: UUID
    content_sha256: str
    template_version: str
    buyer_key_fingerprint: str
    seller_key_fingerprint: str
    generated_at: datetime
    buyer_signed_at: datetime | None
    seller_signed_at: datetime | None
    buyer_name_digest: str | None
    seller_name_digest: str | None
    position: int


CONTRACT = Table(name="contracts", key=("contract_id",), columns=ContractRow._fields)


def generate(event: RecordedEvent, rows: Rows) -> None:
    """There is something to sign."""
    data = event.data
    named = ("contract_id", "content_sha256", "template_version", "buyer_key_fingerprint", "seller_key_fingerprint")
    rows.put(
        CONTRACT.name,
        {
            **dict.fromkeys(CONTRACT.columns),
            **{name: data[name] for name in named},
            "transaction_id": text_of(event.stream_id),
            "generated_at": data["timestamp"],
            "position": event.position,
        },
    )


def sign(event: RecordedEvent, rows: Rows) -> None:
    """A party signed."""
    data = event.data
    signed = {f"{data['signer_role']}_signed_at": data["timestamp"]}
    named = {f"{data['signer_role']}_name_digest": data["name_digest"]}
    rows.change(CONTRACT.name, data["contract_id"], **signed, **named, position=event.position)


CONTRACTS = project(
    "contracts",
    1,
    (CONTRACT,),
    SQL,
    {
        "transaction.contract_generated.v1": Change(generate),
        "transaction.contract_signed.v1": Change(sign, at_field(CONTRACT, "contract_id")),
    },
)
