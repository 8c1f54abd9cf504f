"""Chargebacks as a payment processor reports them, and how they are answered.

A buyer's bank takes the money back; the merchant accepts, or declines with evidence before `due_at`, or the processor
accepts for him. Amounts are integer minor units, moments aware UTC.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol


class ChargebackStatus(StrEnum):
    """Where a chargeback stands; `UNKNOWN` is a word we have not met and concludes nothing."""

    AWAITING_MERCHANT = "awaiting-merchant-feedback"
    AWAITING_BANK = "awaiting-bank-feedback"
    PENDING = "pending"
    RESOLVED = "resolved"
    ARCHIVED = "archived"
    UNKNOWN = "unknown"


class ChargebackResolution(StrEnum):
    """How it ended: accepted by the merchant or by silence, or declined; `UNKNOWN` is a word we have not met."""

    MERCHANT_ACCEPTED = "merchant-accepted"
    AUTO_ACCEPTED = "auto-accepted"
    DECLINED = "declined"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chargeback:
    """A chargeback as the processor sees it; `resolution` is None while it is open.

    `file_names` are those of the files that the merchant has sent.
    """

    processor_id: int
    status: ChargebackStatus
    resolution: ChargebackResolution | None
    charge_reference: str | None
    charge_id: int | None
    refund_minor: int
    currency: str | None
    category: str | None
    due_at: datetime | None
    resolved_at: datetime | None
    created_at: datetime | None
    file_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the processor wants to know about the sale; who the customer is stays out of `repr`."""

    customer_email: str = field(repr=False)
    customer_name: str = field(repr=False)
    customer_phone: str = field(repr=False)
    service_details: str = field(repr=False)
    delivery_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Where one file goes; whoever holds the address can write there for 30 minutes, so it stays out of `repr`."""

    signed_url: str = field(repr=False)
    file_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The merchant's word: accept, or decline with the name of an uploaded file and the id of the evidence sent."""

    resolution: ChargebackResolution
    message: str
    refund_minor: int
    uploaded_file_name: str
    evidence_id: int | None = None


class ChargebackDesk(Protocol):
    """Where chargebacks are seen and answered. Each method raises the errors of `gateways.errors`."""

    async def list_chargebacks(
        self, *, since: datetime, status: ChargebackStatus | None = None
    ) -> tuple[Chargeback, ...]:
        """Return every chargeback created since then, or those in one status, completely or not at all."""
        ...

    async def list_chargebacks_of(self, charge_id: int) -> tuple[Chargeback, ...]:
        """Return the chargebacks of one charge, by the processor's id of the charge."""
        ...

    async def fetch_chargeback(self, processor_id: int) -> Chargeback:
        """Ask where a chargeback stands; `UnknownReference` if there is none."""
        ...

    async def send_evidence(self, processor_id: int, evidence: Evidence, /) -> int:
        """Send what we know about the sale; return the id of the evidence. Sending it again replaces it."""
        ...

    async def open_upload(self, processor_id: int, file_name: str = "evidence.pdf") -> Upload:
        """Ask for an address to which one file can be written within 30 minutes; a name ends in .pdf, .jpg or .jpeg."""
        ...

    async def upload(self, target: Upload, content: bytes, media_type: str) -> None:
        """Write a PDF or JPEG there."""
        ...

    async def answer_chargeback(self, processor_id: int, answer: Answer, /) -> Chargeback:
        """Accept or decline; a chargeback that is resolved already raises `GatewayRefused`."""
        ...
