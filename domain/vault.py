"""A deposit in the vault: sealed credentials, later destroyed or lost. Plaintext and keys are never in an event."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from domain.actor import Actor, Role
from domain.aggregate import Aggregate
from domain.command import Command
from domain.errors import Forbidden
from domain.event import Context, CreatedEvent, Event


class DepositStatus(StrEnum):
    """Where a deposit stands; `DESTROYED` means that no key opens it any more."""

    SEALED = "sealed"
    DESTROYED = "destroyed"
    LOST = "lost"


class CredentialsSealed(CreatedEvent):
    """A seller deposited credentials; `commitment_sha256` lets a buyer show later what was delivered."""

    TOPIC = "vault.credentials_sealed.v1"
    listing_id: UUID
    seller_id: UUID
    ciphertext: bytes
    commitment_sha256: str
    suite: str
    seller_key_fingerprint: str


class CredentialsDestroyed(Event):
    """All grants of the deposit are deleted: it can never be opened again, and the log still verifies."""

    TOPIC = "vault.credentials_destroyed.v1"
    method: str
    reason: str

    def apply(self, aggregate: "Vault") -> None:
        """It is gone."""
        aggregate.status = DepositStatus.DESTROYED


class CredentialsLost(Event):
    """The only key that opens the deposit is lost, for instance with the seller's password."""

    TOPIC = "vault.credentials_lost.v1"
    reason: str

    def apply(self, aggregate: "Vault") -> None:
        """The seller may deposit again."""
        aggregate.status = DepositStatus.LOST


class Vault(Aggregate):
    """One deposit."""

    TOPIC = "vault"

    def __init__(self, listing_id: UUID, seller_id: UUID, commitment_sha256: str, suite: str) -> None:
        self.listing_id = listing_id
        self.seller_id = seller_id
        self.commitment_sha256 = commitment_sha256
        self.suite = suite
        self.status = DepositStatus.SEALED

    @classmethod
    def seal(cls, stream_id: UUID, context: Context, **facts: UUID | bytes | str) -> Self:
        """Return a new sealed deposit."""
        return cls.start(CredentialsSealed, stream_id, context, **facts)

    @property
    def state(self) -> str:
        """The status in lower case."""
        return self.status.value

    def allowed_actions(self, actor: Actor, at: datetime) -> tuple[str, ...]:
        """Nothing: a deposit is acted upon through its listing and its transaction."""
        return ()

    def destroy(self, reason: str) -> None:
        """Record that no key opens the deposit any more; a second time changes nothing."""
        self._require_system()
        if self.status is not DepositStatus.DESTROYED:
            self.record(CredentialsDestroyed, method="crypto_shred", reason=reason)

    def lose(self, reason: str) -> None:
        """Record that the only key is lost; a second time changes nothing."""
        self._require_system()
        if self.status is DepositStatus.SEALED:
            self.record(CredentialsLost, reason=reason)

    def _require_system(self) -> None:
        if self.actor.role is not Role.SYSTEM:
            raise Forbidden


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyCredentials(Command[Vault]):
    """A reaction: acknowledged, refunded or removed, so nobody may open the deposit again."""

    aggregate_type = Vault
    reason: str

    def decide(self, aggregate: Vault, *related: Aggregate) -> None:
        """Call `Vault.destroy`."""
        aggregate.destroy(self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoseCredentials(Command[Vault]):
    """A reaction: the seller's key is gone."""

    aggregate_type = Vault
    reason: str

    def decide(self, aggregate: Vault, *related: Aggregate) -> None:
        """Call `Vault.lose`."""
        aggregate.lose(self.reason)
