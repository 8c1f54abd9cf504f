"""What the stand-in remembers. Moments are ISO 8601 text in the stand-in's time, amounts integer minor units."""

from pydantic import BaseModel


class Record(BaseModel):
    """Anything that is kept; `id` is unique over all kinds."""

    id: int


class ChargeRecord(Record):
    """A checkout and the payment that came of it; `metadata` is JSON text as it was given, or empty.

    `settle_at` is None until it is paid, and for ever where settlements are made by hand.
    """

    reference: str
    access_code: str
    email: str
    amount_minor: int
    currency: str
    channels: list[str]
    callback_url: str | None
    metadata: str
    status: str
    created_at: str
    channel: str
    paid_minor: int = 0
    paid_currency: str = ""
    paid_at: str | None = None
    fee_minor: int | None = None
    refunded_minor: int = 0
    settle_at: str | None = None
    settlement_id: int | None = None


class RecipientRecord(Record):
    """An account that can be paid, unless it was deleted."""

    recipient_code: str
    type: str
    name: str
    account_number: str
    bank_code: str
    currency: str
    created_at: str
    is_deleted: bool = False


class TransferRecord(Record):
    """A transfer; `visible_at` is when verify starts to know it, `fate` the fault that decides how it goes on."""

    transfer_code: str
    reference: str
    recipient_code: str
    amount_minor: int
    fee_minor: int
    currency: str
    reason: str
    status: str
    created_at: str
    updated_at: str
    visible_at: str
    transferred_at: str | None = None
    fate: str = ""
    fate_seconds: float = 0.0


class RefundRecord(Record):
    """A refund; `pocket` is where its amount was taken from, `deducted_minor` what settlements have kept for it.

    `dispute_id` is set where a chargeback made it, `account_number` where the buyer's account was given afterwards.
    """

    charge_reference: str
    charge_id: int
    amount_minor: int
    currency: str
    merchant_note: str
    customer_note: str
    status: str
    pocket: str
    created_at: str
    updated_at: str
    expected_at: str
    refunded_at: str | None = None
    deducted_minor: int = 0
    settlement_id: int | None = None
    dispute_id: int | None = None
    account_number: str | None = None


class IntegrationRecord(Record):
    """What the merchant has set through the API; it outlives a restart."""

    session_timeout_seconds: int = 0
    needs_otp: bool = False


class Step(BaseModel):
    """A status that a dispute has taken, when and by whom, and what was said."""

    at: str
    status: str
    by: str
    message: str = ""


class EvidenceRecord(Record):
    """What the merchant says about a sale; `fields` are as he wrote them."""

    dispute_id: int
    fields: dict[str, str]
    created_at: str
    updated_at: str


class DisputeRecord(Record):
    """A chargeback; `refund_minor` is what the buyer's bank wants, `refund_id` the refund that it became."""

    charge_reference: str
    charge_id: int
    refund_minor: int
    currency: str
    category: str
    status: str
    created_at: str
    updated_at: str
    due_at: str
    steps: list[Step]
    resolution: str | None = None
    resolved_at: str | None = None
    attachments: list[str] = []
    refund_id: int | None = None


class UploadRecord(Record):
    """A place for one file, and what was written there."""

    dispute_id: int
    file_name: str
    expires_at: str
    media_type: str = ""
    size_bytes: int = 0
    sha256: str = ""


class SettlementRecord(Record):
    """A payout of charges to the merchant, into `pocket`: his balance or his bank."""

    currency: str
    total_minor: int
    fees_minor: int
    deductions_minor: int
    pocket: str
    settled_at: str

    @property
    def effective_minor(self) -> int:
        """What arrived."""
        return self.total_minor - self.fees_minor - self.deductions_minor


class JournalLine(Record):
    """One movement of money in or out of a pocket and what the pocket holds after it.

    Pockets: `uncleared` (paid by buyers, not settled yet), `balance` (what transfers are paid from) and `bank`.
    """

    at: str
    kind: str
    pocket: str
    currency: str
    difference_minor: int
    balance_minor: int
    reference: str
    object_id: int


class Attempt(BaseModel):
    """One try to deliver a webhook; status 0 means no answer."""

    at: str
    status: int


class DeliveryRecord(Record):
    """A webhook: the body exactly as signed, and how its delivery goes: pending, delivered, lost or given_up.

    A question to the approval URL is kept here too, as approved, rejected or blocked.
    """

    event: str
    reference: str
    body: str
    created_at: str
    state: str
    attempts: list[Attempt] = []


class TaskRecord(Record):
    """Something that will happen by itself: `action` on the object `key`, with an argument."""

    due_at: str
    action: str
    key: str
    argument: str = ""
