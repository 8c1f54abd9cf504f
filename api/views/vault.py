"""A deposit, without anything that opens it."""

from uuid import UUID

from pydantic import BaseModel

from domain.vault import Vault


class DepositView(BaseModel):
    """Sealed credentials; `commitment_sha256` lets a buyer show later what was delivered."""

    vault_id: UUID
    version: int
    listing_id: UUID
    state: str
    suite: str
    commitment_sha256: str

    @classmethod
    def of(cls, vault: Vault) -> "DepositView":
        """Show a deposit."""
        return cls(
            vault_id=vault.id,
            version=vault.version,
            listing_id=vault.listing_id,
            state=vault.state,
            suite=vault.suite,
            commitment_sha256=vault.commitment_sha256,
        )
