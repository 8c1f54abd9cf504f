"""What the processor says of its disputes, which are chargebacks here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from domain.journal import Account
from domain.transaction.records import DisputeCategory


class ChargebackOutcome(StrEnum):
    """Where a chargeback stands at the processor."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargebackReport:
    """What a GET of the processor's dispute said; `source` is the account it took the money from.

    Without a `currency` it is about the price's, and without `charge_id` about the charge that an earlier report named,
    or else the one that paid the price.
    `is_declined` says that it has the merchant's answer, with the files that `evidence_refs` name.
    """

    processor_dispute_id: str
    outcome: ChargebackOutcome
    amount_minor: int
    category: DisputeCategory = DisputeCategory.CHARGEBACK
    due_at: datetime | None = None
    currency: str | None = None
    charge_id: str | None = None
    charge_reference: str | None = None
    source: Account = Account.BALANCE
    is_declined: bool = False
    evidence_refs: tuple[str, ...] = ()


def dispute_id_of(transaction_id: UUID, processor_dispute_id: str) -> UUID:
    """Return our id of a processor's dispute: whoever hears of it first gives it the same."""
    return uuid5(transaction_id, processor_dispute_id)
