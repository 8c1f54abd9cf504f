"""The credentials on their way to the buyer."""

import base64
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from api.http.json_reader import Object
from domain.transaction import Transaction


class RevealView(BaseModel):
    """Sealed to the key that you sent (`sealed`: base64 of the HPKE message), or in the clear (`document`).

    The SHA-256 of the document's canonical JSON is `commitment_sha256` of the deposit: it proves what was delivered.
    """

    transaction_id: UUID
    vault_id: UUID
    version: int
    sealed: str | None = Field(repr=False)
    document: dict[str, JsonValue] | None = Field(repr=False)

    @classmethod
    def of(cls, transaction: Transaction, *, sealed: bytes | None, document: Object | None) -> "RevealView":
        """Show the credentials."""
        return cls(
            transaction_id=transaction.id,
            vault_id=transaction.vault_id,
            version=transaction.version,
            sealed=None if sealed is None else base64.b64encode(sealed).decode(),
            document=document,
        )
