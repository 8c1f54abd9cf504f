"""What the processor says of a transfer, which is how a payout looks to it."""

from dataclasses import dataclass
from enum import StrEnum


class TransferStatus(StrEnum):
    """What the processor says of a transfer; `UNCERTAIN`: nobody knows.

    `REFUSED`: it never accepted it; `NOT_COVERED`: nor did it, but only until its balance is topped up.
    """

    UNCERTAIN = "uncertain"
    NOT_COVERED = "not_covered"
    REFUSED = "refused"
    PENDING = "pending"
    RECEIVED = "received"
    OTP = "otp"
    SUCCESS = "success"
    FAILED = "failed"
    ABANDONED = "abandoned"
    BLOCKED = "blocked"
    REJECTED = "rejected"
    REVERSED = "reversed"


NOT_PAID = frozenset(
    {
        TransferStatus.FAILED,
        TransferStatus.ABANDONED,
        TransferStatus.BLOCKED,
        TransferStatus.REJECTED,
        TransferStatus.REVERSED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferReport:
    """What the processor said of a transfer, confirmed by a GET; `fee_minor` where it is known."""

    reference: str
    status: TransferStatus
    transfer_code: str | None = None
    fee_minor: int | None = None
    reason: str | None = None
