"""The terms of a transaction, fixed when it is opened: fees, deadlines and what silence means."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from domain.errors import Invalid
from domain.money import BASIS_POINTS, share

CENT = Decimal("0.01")
HOUR_SECONDS = 3600


class Silence(StrEnum):
    """What happens when the inspection period lapses without a word from the buyer."""

    RELEASE = "release"
    ESCALATE = "escalate"
    REFUND = "refund"


class TermsInvalid(Invalid):
    """Fees and reserve are basis points that add up to the whole at most; periods are positive whole hours."""

    code = "terms_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Basis points of what is released, tax of the commission, and periods in seconds; fixed in the opening event.

    An installation sets the commission; the other terms are these unless the program that opens the sale gives others.
    """

    fee_bps: int = 1000
    tax_bps: int = 0
    reserve_bps: int = 0
    payment_seconds: int = 24 * 3600
    signing_seconds: int = 72 * 3600
    reveal_seconds: int = 72 * 3600
    inspection_seconds: int = 72 * 3600
    warranty_seconds: int = 0
    silence: Silence = Silence.RELEASE

    def __post_init__(self) -> None:
        """Refuse shares above the whole and periods that are not positive."""
        periods = (self.payment_seconds, self.signing_seconds, self.reveal_seconds, self.inspection_seconds)
        shares = (self.fee_bps, self.tax_bps, self.reserve_bps)
        if min(periods) <= 0 or self.warranty_seconds < 0 or min(shares) < 0 or sum(shares) > BASIS_POINTS:
            raise TermsInvalid

    def require_whole_hours(self) -> None:
        """Raise `TermsInvalid` for a period that the contract could not state: its text names hours."""
        periods = (self.payment_seconds, self.signing_seconds, self.reveal_seconds, self.inspection_seconds)
        if any(seconds % HOUR_SECONDS for seconds in (*periods, self.warranty_seconds)):
            raise TermsInvalid

    def fee_minor(self, released_minor: int) -> int:
        """Return the platform's commission on what is released, rounded down: the remainder is the seller's."""
        return share(released_minor, self.fee_bps)

    def tax_minor(self, released_minor: int) -> int:
        """Return the tax on the commission, rounded down."""
        return share(self.fee_minor(released_minor), self.tax_bps)

    def reserve_minor(self, released_minor: int) -> int:
        """Return what is kept back for the warranty period, rounded down."""
        return share(released_minor, self.reserve_bps)


def limit_usd_cents(given_usd: Decimal, changed_usd: int | None) -> int:
    """Return what one person may move alone, in US cents: as it was changed, else as it was given, cut off to cents."""
    limit = given_usd if changed_usd is None else Decimal(changed_usd)
    return int(limit.quantize(CENT, ROUND_DOWN) / CENT)


DISPUTE_WINDOW = timedelta(days=30)
STUCK_AFTER = timedelta(days=7)
ESCALATE_DISPUTE_AFTER = timedelta(days=7)
ESCALATE_BEFORE_DUE = timedelta(hours=3)
EVIDENCE_BEFORE_DUE = timedelta(hours=4)
"""What was revealed but not acknowledged is defended this long before the processor stops waiting, not earlier."""
APPROVAL_VALID = timedelta(hours=24)
REDEPOSIT_WITHIN = timedelta(hours=72)
MAX_EXTENSION_SECONDS = 30 * 24 * 3600
COMPENSATION_CAP_BPS = 2000
UNKNOWN_AT_MOST = timedelta(minutes=10)
"""So long after it accepted something the processor may say that it does not know it."""
PAYOUT_RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
MAX_PAYOUT_ATTEMPTS = len(PAYOUT_RETRY_AFTER) + 1
