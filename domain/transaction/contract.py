"""The contract: generated once the money is held, then signed by both parties over the same SHA-256."""

from datetime import datetime, timedelta
from uuid import UUID

from domain.actor import Role
from domain.errors import Invalid, Refused
from domain.transaction.event import TransactionEvent
from domain.transaction.payment import PaymentTrack
from domain.transaction.records import ContractStatus, VaultStatus
from domain.transaction.state import TransactionState


class ContractMissing(Refused):
    """The contract has not been generated yet; it follows the payment within seconds."""

    code = "contract_missing"


class ContractDiffers(Invalid):
    """The SHA-256 is not that of the contract as it was generated; read the contract again and sign what it says."""

    code = "contract_differs"


class AlreadySigned(Refused):
    """You have signed already."""

    code = "already_signed"


class GrantMissing(Invalid):
    """The seller's signature hands the key of the credentials to the buyer, and that grant is missing."""

    code = "grant_missing"


class ContractGenerated(TransactionEvent):
    """The text that both are to sign; the fingerprints are those of the keys that the vault will use."""

    TOPIC = "transaction.contract_generated.v1"
    contract_id: UUID
    content_sha256: str
    template_version: str
    buyer_key_fingerprint: str
    seller_key_fingerprint: str

    def change(self, transaction: TransactionState) -> None:
        """There is something to sign."""
        transaction.contract = ContractStatus.GENERATED
        transaction.contract_id = self.contract_id
        transaction.contract_sha256 = self.content_sha256
        transaction.contract_template = self.template_version
        transaction.buyer_key_fingerprint = self.buyer_key_fingerprint
        transaction.seller_key_fingerprint = self.seller_key_fingerprint


class ContractSigned(TransactionEvent):
    """A party signed. `name_digest` is a salted SHA-256 of the typed name; the last signature sets `reveal_due_at`."""

    TOPIC = "transaction.contract_signed.v1"
    contract_id: UUID
    content_sha256: str
    signer_id: UUID
    signer_role: Role
    name_digest: str
    acknowledgements: tuple[str, ...]
    reveal_due_at: datetime | None

    def change(self, transaction: TransactionState) -> None:
        """Both signatures together let the buyer reveal."""
        if self.signer_role is Role.BUYER:
            transaction.buyer_signed_at = self.timestamp
        else:
            transaction.seller_signed_at = self.timestamp
        both = self.reveal_due_at is not None
        transaction.contract = ContractStatus.SIGNED if both else ContractStatus.PARTLY_SIGNED
        transaction.reveal_due_at = self.reveal_due_at


class CredentialsGranted(TransactionEvent):
    """The seller handed the key of the deposit to the buyer's public key with this fingerprint."""

    TOPIC = "transaction.credentials_granted.v1"
    vault_id: UUID
    to_user_id: UUID
    key_fingerprint: str

    def change(self, transaction: TransactionState) -> None:
        """The buyer's password can open the deposit now."""
        transaction.vault = VaultStatus.GRANTED
        transaction.redeposit_due_at = None


class ContractTrack(PaymentTrack):
    """Generating and signing the contract."""

    def generate_contract(
        self, contract_id: UUID, content_sha256: str, template_version: str, buyer_key: str, seller_key: str
    ) -> None:
        """Record the text to be signed; a second time changes nothing."""
        self.require_system()
        self.require_live()
        if self.contract is ContractStatus.NONE:
            self.record(
                ContractGenerated,
                contract_id=contract_id,
                content_sha256=content_sha256,
                template_version=template_version,
                buyer_key_fingerprint=buyer_key,
                seller_key_fingerprint=seller_key,
            )

    def check_sign(self) -> None:
        """Raise unless a party who has not signed yet can sign now."""
        self.require_party()
        self.require_live()
        self.require_no_dispute()
        if self.contract is ContractStatus.NONE:
            raise ContractMissing
        if self._own_signature() is not None:
            raise AlreadySigned

    def sign_contract(
        self,
        content_sha256: str,
        name_digest: str,
        acknowledgements: tuple[str, ...],
        granted_fingerprint: str | None = None,
    ) -> None:
        """A party signs; the seller's signature carries the grant to the buyer's key in the same append.

        Raises `ContractDiffers` when the hash is not that of the contract, `GrantMissing` when the seller's grant is
        not for the key that the contract names.
        """
        self.check_sign()
        if content_sha256 != self.contract_sha256:
            raise ContractDiffers
        role = self.actor_on_record().role
        if role is Role.SELLER and granted_fingerprint != self.buyer_key_fingerprint:
            raise GrantMissing
        self._record_signature(role, name_digest, acknowledgements)
        if role is Role.SELLER:
            self._record_grant(granted_fingerprint or "")

    def _record_signature(self, role: Role, name_digest: str, acknowledgements: tuple[str, ...]) -> None:
        is_last = self.contract is ContractStatus.PARTLY_SIGNED
        self.record(
            ContractSigned,
            contract_id=self.contract_id,
            content_sha256=self.contract_sha256,
            signer_id=self.buyer_id if role is Role.BUYER else self.seller_id,
            signer_role=role,
            name_digest=name_digest,
            acknowledgements=acknowledgements,
            reveal_due_at=self.now + timedelta(seconds=self.terms.reveal_seconds) if is_last else None,
        )

    def _record_grant(self, fingerprint: str) -> None:
        self.record(CredentialsGranted, vault_id=self.vault_id, to_user_id=self.buyer_id, key_fingerprint=fingerprint)

    def _own_signature(self) -> datetime | None:
        is_buyer = self.actor.id == self.buyer_text
        return self.buyer_signed_at if is_buyer else self.seller_signed_at
