"""What the escrow asks of a payment processor, in the escrow's own words.

Amounts are integer minor units. Moments are aware UTC. A currency that comes back is text, because it may be one the
escrow does not know; it compares equal to `domain.money.Currency`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from domain.errors import Invalid
from domain.money import AmountNotPositive, Currency, Money

JsonObject = Mapping[str, object]

_CHARGE_REFERENCE = re.compile(r"[A-Za-z0-9.=-]{1,100}")
TRANSFER_REFERENCE = re.compile(r"[a-z0-9_-]{16,50}")


class ReferenceInvalid(Invalid):
    """Paystack takes letters, digits, ".", "=" and "-" in charge references, 16 to 50 of a-z 0-9 _ - in transfers."""

    code = "reference_invalid"


class Mode(StrEnum):
    """Whether money is real. Paystack calls it `domain`; the key, every object and every webhook have one."""

    TEST = "test"
    LIVE = "live"


class ChargeStatus(StrEnum):
    """Where a charge stands; `UNKNOWN` is a word we have not met and concludes nothing."""

    ABANDONED = "abandoned"
    ONGOING = "ongoing"
    PENDING = "pending"
    PROCESSING = "processing"
    QUEUED = "queued"
    SUCCESS = "success"
    FAILED = "failed"
    REVERSAL_PENDING = "reversal pending"
    REVERSED = "reversed"
    UNKNOWN = "unknown"


class TransferStatus(StrEnum):
    """Where a transfer stands; `UNKNOWN` is a word we have not met and concludes nothing."""

    PENDING = "pending"
    RECEIVED = "received"
    OTP = "otp"
    SUCCESS = "success"
    FAILED = "failed"
    REVERSED = "reversed"
    ABANDONED = "abandoned"
    BLOCKED = "blocked"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class RefundStatus(StrEnum):
    """Where a refund stands; `UNKNOWN` is a word we have not met and concludes nothing."""

    PENDING = "pending"
    PROCESSING = "processing"
    NEEDS_ATTENTION = "needs-attention"
    PROCESSED = "processed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCharge:
    """An invitation to pay. `email` is personal data and goes nowhere but to the processor."""

    reference: str
    amount: Money
    email: str = field(repr=False)
    metadata: JsonObject | None = None

    def __post_init__(self) -> None:
        """Raise `ReferenceInvalid` or `AmountNotPositive` before anything is sent."""
        _require(_CHARGE_REFERENCE, self.reference, self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeLink:
    """Where the buyer pays. Whoever holds the link can open the checkout, so it stays out of `repr`."""

    reference: str
    authorization_url: str = field(repr=False)
    access_code: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A charge as the processor sees it. `amount_minor` differs from `requested_minor` when the buyer bears fees."""

    processor_id: int
    reference: str
    status: ChargeStatus
    mode: Mode | None
    amount_minor: int
    requested_minor: int | None
    currency: str
    fee_minor: int | None
    channel: str | None
    paid_at: datetime | None
    created_at: datetime | None
    gateway_response: str | None
    metadata: JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecipient:
    """A payout account. `type` is one of nuban, ghipss, mobile_money, mobile_money_business, kepss, basa."""

    type: str
    name: str = field(repr=False)
    account_number: str = field(repr=False)
    bank_code: str
    currency: Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A payout account as registered; the same account number gives the same code again."""

    recipient_code: str
    type: str
    currency: str
    mode: Mode | None
    is_active: bool
    is_deleted: bool
    name: str | None = field(repr=False)
    account_name: str | None = field(repr=False)
    account_number: str | None = field(repr=False)
    bank_code: str | None
    bank_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransfer:
    """A payout from the balance. The reference is the only key against paying twice: never change it after a doubt."""

    reference: str
    recipient_code: str
    amount: Money
    reason: str

    def __post_init__(self) -> None:
        """Raise `ReferenceInvalid` or `AmountNotPositive` before anything is sent."""
        _require(TRANSFER_REFERENCE, self.reference, self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A transfer as the processor sees it; `fee_minor` is known only after success."""

    processor_id: int | None
    transfer_code: str
    reference: str
    status: TransferStatus
    mode: Mode | None
    amount_minor: int
    currency: str
    recipient_code: str | None
    fee_minor: int | None
    reason: str | None
    gateway_response: str | None
    created_at: datetime | None
    transferred_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRefund:
    """A refund of a charge. Refunds have no key at Paystack: `merchant_note` carries our refund's id to find it by."""

    charge_reference: str
    amount: Money
    merchant_note: str

    def __post_init__(self) -> None:
        """Raise `ReferenceInvalid` or `AmountNotPositive`; a refund without a note could never be found again."""
        _require(_CHARGE_REFERENCE, self.charge_reference, self.amount)
        if not self.merchant_note.strip():
            raise ReferenceInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A refund as the processor sees it; `dispute_id` is set when a chargeback made it."""

    processor_id: int
    status: RefundStatus
    mode: Mode | None
    amount_minor: int
    currency: str
    charge_reference: str | None
    charge_id: int | None
    merchant_note: str | None
    customer_note: str | None
    deducted_minor: int | None
    is_fully_deducted: bool | None
    dispute_id: int | None
    reason: str | None
    bank_reference: str | None
    created_at: datetime | None
    expected_at: datetime | None
    refunded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundAccount:
    """Where a refund goes that cannot go back the way it came; `bank_id` is the `processor_id` of a `Bank`."""

    currency: Currency
    account_number: str = field(repr=False)
    bank_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What can be spent on transfers in one currency; negative when refunds took more than there was."""

    currency: str
    balance_minor: int


class PaymentGateway(Protocol):
    """A payment processor. Each method raises the errors of `gateways.errors`; only questions are asked twice."""

    @property
    def mode(self) -> Mode:
        """Whether the key moves real money; compare it with the `mode` of every object that comes back."""
        ...

    async def initialize(self, charge: NewCharge, /) -> ChargeLink:
        """Open a checkout; `DuplicateReference` if the reference was ever used."""
        ...

    async def verify_charge(self, reference: str) -> Charge:
        """Ask what became of a charge; `UnknownReference` if there is none."""
        ...

    async def fetch_charge(self, processor_id: int) -> Charge:
        """Ask for a charge by the processor's id; `UnknownReference` if there is none."""
        ...

    async def checkout_seconds(self) -> int:
        """Return how long after it was opened a checkout can be paid; 0 for ever."""
        ...

    async def create_recipient(self, recipient: NewRecipient, /) -> Recipient:
        """Register a payout account; doing it twice gives the same recipient."""
        ...

    async def initiate_transfer(self, transfer: NewTransfer, /) -> Transfer:
        """Pay out; after `GatewayUncertain` or `DuplicateReference` only `verify_transfer` tells what happened."""
        ...

    async def verify_transfer(self, reference: str) -> Transfer:
        """Ask what became of a transfer; `UnknownReference` may mean not yet, so post again with the same reference."""
        ...

    async def finalize_transfer(self, transfer_code: str, otp: str) -> Transfer:
        """Send the code that the processor asked for; a refusal is about the code, `verify_transfer` tells the rest."""
        ...

    async def resend_otp(self, transfer_code: str) -> None:
        """Have the code for a transfer sent again."""
        ...

    async def create_refund(self, refund: NewRefund, /) -> Refund:
        """Give money back; there is no key against doing it twice: look with `list_refunds` before any retry."""
        ...

    async def list_refunds(self, *, since: datetime) -> tuple[Refund, ...]:
        """Return every refund created since then, completely or not at all."""
        ...

    async def fetch_refund(self, processor_id: int) -> Refund:
        """Ask what became of a refund; `UnknownReference` if there is none."""
        ...

    async def retry_refund(self, processor_id: int, account: RefundAccount, /) -> Refund:
        """Send a refund that needs attention to an account; in any other status `GatewayRefused`."""
        ...


def _require(pattern: re.Pattern[str], reference: str, amount: Money) -> None:
    if not pattern.fullmatch(reference):
        raise ReferenceInvalid
    if amount.amount_minor == 0:
        raise AmountNotPositive
