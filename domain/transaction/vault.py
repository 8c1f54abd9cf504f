"""The vault's track in a transaction: the one reveal, its acknowledgement, and deposits that were lost on the way."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import Refused
from domain.policy import REDEPOSIT_WITHIN
from domain.transaction.contract import ContractMissing, ContractTrack
from domain.transaction.event import TransactionEvent
from domain.transaction.outage import DeadlinesExtended
from domain.transaction.records import ContractStatus, VaultStatus
from domain.transaction.state import TransactionState


class ContractUnsigned(Refused):
    """Both parties have to sign the contract before the credentials are revealed."""

    code = "contract_unsigned"


class AlreadyRevealed(Refused):
    """The credentials were revealed already; they are shown once."""

    code = "already_revealed"


class CredentialsUnavailable(Refused):
    """The credentials cannot be opened: the grant is missing or the deposit was lost; the seller may deposit again."""

    code = "credentials_unavailable"


class NotRevealed(Refused):
    """The credentials have not been revealed."""

    code = "not_revealed"


class NotLost(Refused):
    """The deposit is not lost, so there is nothing to replace."""

    code = "not_lost"


class MissedAlready(Refused):
    """You have said once before that the credentials did not reach you; now a person decides: open a dispute."""

    code = "missed_already"


class CredentialsRevealed(TransactionEvent):
    """The credentials were shown to the buyer, once, under this command; the clock of the inspection starts."""

    TOPIC = "transaction.credentials_revealed.v1"
    vault_id: UUID
    to_user_id: UUID
    sealed_to: str
    inspection_ends_at: datetime

    def change(self, transaction: TransactionState) -> None:
        """There is no second time."""
        transaction.vault = VaultStatus.REVEALED
        transaction.revealed_at = transaction.revealed_at or self.timestamp
        transaction.shown_at = self.timestamp
        transaction.shown_vault_id = self.vault_id
        transaction.inspection_ends_at = self.inspection_ends_at


class RevealAcknowledged(TransactionEvent):
    """The buyer has read the credentials; the keys that open the deposit may be destroyed."""

    TOPIC = "transaction.reveal_acknowledged.v1"
    vault_id: UUID

    def change(self, transaction: TransactionState) -> None:
        """Silence counts from now on."""
        transaction.vault = VaultStatus.ACKNOWLEDGED
        transaction.acknowledged_at = self.timestamp


class RevealMissed(TransactionEvent):
    """The buyer says that the answer with the credentials was lost; the deposit is lost in the same append."""

    TOPIC = "transaction.reveal_missed.v1"
    vault_id: UUID

    def change(self, transaction: TransactionState) -> None:
        """It is said once."""
        transaction.missed_at = self.timestamp


class AddendumSigned(TransactionEvent):
    """The seller signed what replaces the lost deposit: by which keys of whom, under the contract that stands.

    `content_sha256` is that of the text, `name_digest` a salted SHA-256 of the typed name.
    """

    TOPIC = "transaction.addendum_signed.v1"
    contract_id: UUID
    content_sha256: str
    template_version: str
    signer_id: UUID
    name_digest: str
    replaced_vault_id: UUID
    buyer_key_fingerprint: str
    seller_key_fingerprint: str

    def change(self, transaction: TransactionState) -> None:
        """These keys are the ones that the vault uses from now on."""
        transaction.buyer_key_fingerprint = self.buyer_key_fingerprint
        transaction.seller_key_fingerprint = self.seller_key_fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Addendum:
    """What the seller signs when a lost deposit is replaced."""

    content_sha256: str
    template_version: str
    name_digest: str
    buyer_key_fingerprint: str
    seller_key_fingerprint: str


class DepositLost(TransactionEvent):
    """The deposit cannot be opened any more; until `redeposit_due_at` the seller may deposit again."""

    TOPIC = "transaction.deposit_lost.v1"
    vault_id: UUID
    redeposit_due_at: datetime

    def change(self, transaction: TransactionState) -> None:
        """Other clocks wait meanwhile."""
        transaction.lost_at = self.timestamp
        transaction.vault = VaultStatus.LOST
        transaction.redeposit_due_at = self.redeposit_due_at


class DepositReplaced(TransactionEvent):
    """The seller deposited again and granted the new deposit to the buyer; it may be revealed once."""

    TOPIC = "transaction.deposit_replaced.v1"
    vault_id: UUID
    key_fingerprint: str
    reveal_due_at: datetime

    def change(self, transaction: TransactionState) -> None:
        """The new deposit takes the place of the old one."""
        if transaction.vault_id != self.vault_id:
            transaction.superseded_vaults = (*transaction.superseded_vaults, transaction.vault_id)
        transaction.vault_id = self.vault_id
        transaction.vault = VaultStatus.GRANTED
        transaction.redeposit_due_at = None
        transaction.reveal_due_at = self.reveal_due_at
        transaction.inspection_ends_at = None
        transaction.inspection_lapsed = False


class VaultTrack(ContractTrack):
    """Revealing once, acknowledging, and replacing what was lost."""

    def check_sign(self) -> None:
        """Raise unless a party can sign now; the seller cannot hand over a deposit that is lost."""
        super().check_sign()
        if self.vault is VaultStatus.LOST and self.actor.id == self.seller_text:
            raise CredentialsUnavailable

    def check_reveal(self) -> None:
        """Raise unless the buyer can see the credentials now, for the first time."""
        self.require_buyer()
        self.require_live()
        self.require_no_dispute()
        if self.contract is not ContractStatus.SIGNED:
            raise ContractUnsigned
        if self.vault in {VaultStatus.REVEALED, VaultStatus.ACKNOWLEDGED}:
            raise AlreadyRevealed
        if self.vault is not VaultStatus.GRANTED:
            raise CredentialsUnavailable

    def reveal(self, sealed_to: str) -> None:
        """Record the one showing; `sealed_to` is the fingerprint of the client's ephemeral key, or `plaintext`."""
        self.check_reveal()
        self.record(
            CredentialsRevealed,
            vault_id=self.vault_id,
            to_user_id=self.buyer_id,
            sealed_to=sealed_to,
            inspection_ends_at=self.now + timedelta(seconds=self.terms.inspection_seconds),
        )

    def check_acknowledge(self) -> None:
        """Raise unless the buyer has a reveal to acknowledge."""
        self.require_buyer()
        if self.vault is not VaultStatus.REVEALED:
            raise NotRevealed

    def acknowledge_reveal(self) -> None:
        """The buyer has what he needs."""
        self.check_acknowledge()
        self.record(RevealAcknowledged, vault_id=self.vault_id)

    def check_missed(self) -> None:
        """Raise unless the buyer can say, once, that the credentials did not reach him."""
        self.require_buyer()
        self.require_live()
        self.require_no_dispute()
        if self.vault is not VaultStatus.REVEALED:
            raise NotRevealed
        if self.missed_at is not None:
            raise MissedAlready

    def miss_reveal(self) -> None:
        """The buyer did not get the answer: the deposit is lost, and the seller may deposit again."""
        self.check_missed()
        self.record(RevealMissed, vault_id=self.vault_id)
        self.record(DepositLost, vault_id=self.vault_id, redeposit_due_at=self.now + REDEPOSIT_WITHIN)

    @property
    def is_handed_over(self) -> bool:
        """True once the buyer has a key to the deposit, or has seen it: the seller's is not needed any more."""
        return self.vault not in {VaultStatus.SEALED, VaultStatus.LOST}

    def needs_buyer_key(self, fingerprint: str) -> bool:
        """Whether the credentials can reach the buyer only as long as he has this key: from contract to reveal."""
        is_unseen = self.vault in {VaultStatus.SEALED, VaultStatus.GRANTED}
        return self.is_live and is_unseen and fingerprint == self.buyer_key_fingerprint

    def lose_deposit(self) -> None:
        """Record that nothing opens the deposit any more; an acknowledged reveal has nothing left to lose."""
        self.require_system()
        self.require_live()
        if self.vault not in {VaultStatus.LOST, VaultStatus.ACKNOWLEDGED}:
            self.record(DepositLost, vault_id=self.vault_id, redeposit_due_at=self.now + REDEPOSIT_WITHIN)

    def check_redeposit(self) -> None:
        """Raise unless the seller can deposit again."""
        self.require_seller()
        self.require_live()
        if self.vault is not VaultStatus.LOST:
            raise NotLost
        if self.contract is ContractStatus.NONE:
            raise ContractMissing

    def replace_deposit(self, vault_id: UUID, addendum: Addendum) -> None:
        """The seller granted a deposit to the key of the buyer that the addendum names.

        It is a new one, or the same if nobody has seen it; else `AlreadyRevealed`.
        """
        self.check_redeposit()
        if vault_id == self.shown_vault_id:
            raise AlreadyRevealed
        self._give_back_time_to_sign()
        self._record_addendum(addendum)
        self.record(
            DepositReplaced,
            vault_id=vault_id,
            key_fingerprint=addendum.buyer_key_fingerprint,
            reveal_due_at=self.now + timedelta(seconds=self.terms.reveal_seconds),
        )

    def _record_addendum(self, addendum: Addendum) -> None:
        self.record(
            AddendumSigned,
            contract_id=self.contract_id,
            content_sha256=addendum.content_sha256,
            template_version=addendum.template_version,
            signer_id=self.seller_id,
            name_digest=addendum.name_digest,
            replaced_vault_id=self.vault_id,
            buyer_key_fingerprint=addendum.buyer_key_fingerprint,
            seller_key_fingerprint=addendum.seller_key_fingerprint,
        )

    def _give_back_time_to_sign(self) -> None:
        """Nobody could hand anything over while the deposit was lost."""
        lost_at = self.lost_at or self.now
        seconds = int((self.now - lost_at).total_seconds())
        if self.contract is not ContractStatus.SIGNED and seconds > 0:
            self.record(DeadlinesExtended, seconds=seconds, reason="deposit_lost")
