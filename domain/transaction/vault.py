"""The vault's track in a transaction: the one reveal, its acknowledgement, and deposits that were lost on the way."""

from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import Refused
from domain.policy import REDEPOSIT_WITHIN
from domain.transaction.contract import ContractMissing, ContractTrack, GrantMissing
from domain.transaction.event import TransactionEvent
from domain.transaction.outage import DeadlinesExtended
from domain.transaction.records import ContractStatus, SettlementStatus, VaultStatus
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
        transaction.inspection_ends_at = self.inspection_ends_at


class RevealAcknowledged(TransactionEvent):
    """The buyer has read the credentials; the keys that open the deposit may be destroyed."""

    TOPIC = "transaction.reveal_acknowledged.v1"
    vault_id: UUID

    def change(self, transaction: TransactionState) -> None:
        """Silence counts from now on."""
        transaction.vault = VaultStatus.ACKNOWLEDGED
        transaction.acknowledged_at = self.timestamp


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
        transaction.vault_id = self.vault_id
        transaction.vault = VaultStatus.GRANTED
        transaction.redeposit_due_at = None
        transaction.reveal_due_at = self.reveal_due_at
        transaction.inspection_ends_at = None


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
        self._require_held()
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

    @property
    def is_handed_over(self) -> bool:
        """True once the buyer has a key to the deposit, or has seen it: the seller's is not needed any more."""
        return self.vault not in {VaultStatus.SEALED, VaultStatus.LOST}

    def needs_key(self, fingerprint: str) -> bool:
        """Whether the credentials can reach the buyer only as long as this key of a party opens something.

        The seller's until the grant, the buyer's from the contract to the reveal.
        """
        is_held = self.settlement is SettlementStatus.HELD and self.held_minor > 0
        if not is_held or self.vault not in {VaultStatus.SEALED, VaultStatus.GRANTED}:
            return False
        is_sellers = self.vault is VaultStatus.SEALED and fingerprint == self.seller_key_fingerprint
        return is_sellers or fingerprint == self.buyer_key_fingerprint

    def lose_deposit(self) -> None:
        """Record that nothing opens the deposit any more; an acknowledged reveal has nothing left to lose."""
        self.require_system()
        self._require_held()
        if self.vault not in {VaultStatus.LOST, VaultStatus.ACKNOWLEDGED}:
            self.record(DepositLost, vault_id=self.vault_id, redeposit_due_at=self.now + REDEPOSIT_WITHIN)

    def check_redeposit(self) -> None:
        """Raise unless the seller can deposit again."""
        self.require_seller()
        self._require_held()
        if self.vault is not VaultStatus.LOST:
            raise NotLost
        if self.contract is ContractStatus.NONE:
            raise ContractMissing

    def replace_deposit(self, vault_id: UUID, key_fingerprint: str) -> None:
        """The seller deposited again, granted to the buyer's key; raise `GrantMissing` for any other key."""
        self.check_redeposit()
        if key_fingerprint != self.buyer_key_fingerprint:
            raise GrantMissing
        self._give_back_time_to_sign()
        due = self.now + timedelta(seconds=self.terms.reveal_seconds)
        self.record(DepositReplaced, vault_id=vault_id, key_fingerprint=key_fingerprint, reveal_due_at=due)

    def _give_back_time_to_sign(self) -> None:
        """Nobody could hand anything over while the deposit was lost."""
        lost_at = self.lost_at or self.now
        seconds = int((self.now - lost_at).total_seconds())
        if self.contract is not ContractStatus.SIGNED and seconds > 0:
            self.record(DeadlinesExtended, seconds=seconds, reason="deposit_lost")
