"""What a call to the payment processor can end in. The branches differ in one thing: may the money have moved?

`GatewayRefused` and `GatewayUnavailable` say that nothing happened; `GatewayUncertain` and `DuplicateReference` say
that it may have, and only a question (`verify_transfer`, `verify_charge`, `list_refunds`) tells. The branches are
siblings on purpose: code that catches a refusal to free the money must never catch a duplicate or a timeout with it.
A page for paying is no movement of money: one that nobody was shown is replaced, and a charge under it is taken too.
"""

import re

from domain.errors import EscrowError

_SECRET_KEY = re.compile(r"[sp]k_(test|live)_\w+")
_MESSAGE_LIMIT = 500


def redact(text: str) -> str:
    """Return text from outside with anything that looks like a key blacked out, cut to 500 characters."""
    return _SECRET_KEY.sub(r"sk_\1_[redacted]", text)[:_MESSAGE_LIMIT]


class GatewayError(EscrowError):
    """The payment processor did not do what was asked."""

    code = "gateway_error"
    status = 502

    def __init__(self, detail: str = "", *, gateway_code: str = "", http_status: int | None = None) -> None:
        """Keep what the processor said; `detail` is for operators and logs, only the codes are public facts."""
        super().__init__(gateway_code=gateway_code or None, gateway_status=http_status)
        self.detail = redact(detail)
        self.gateway_code = gateway_code
        self.http_status = http_status

    def __str__(self) -> str:
        """The message and, in brackets, the processor's own words, redacted."""
        said = " ".join(part for part in (str(self.http_status or ""), self.gateway_code, self.detail) if part)
        return f"{self.message} [{said}]" if said else self.message


class GatewayRefused(GatewayError):
    """The payment processor refused this; nothing happened, and asking again unchanged will not help."""

    code = "gateway_refused"


class AmountOutOfRange(GatewayRefused):
    """The payment processor names an amount that is more than these books can hold; nothing was recorded."""

    code = "gateway_amount_out_of_range"


class InsufficientBalance(GatewayRefused):
    """The balance at the payment processor does not cover this; nothing happened, it needs a top-up first."""

    code = "gateway_balance_insufficient"
    status = 503


class GatewayUnavailable(GatewayError):
    """The payment processor could not be reached; nothing happened, try again later."""

    code = "gateway_unavailable"
    status = 503


class GatewayThrottled(GatewayUnavailable):
    """Too many calls to the payment processor; nothing happened, try again in a moment."""

    code = "gateway_throttled"

    def __init__(self, retry_after_seconds: float, detail: str = "", *, http_status: int | None = None) -> None:
        """`retry_after_seconds` is the processor's wish, or our own limiter's."""
        super().__init__(detail, http_status=http_status)
        self.retry_after_seconds = retry_after_seconds


class GatewayKeyRefused(GatewayUnavailable):
    """The payment processor does not accept our key; nothing happened, and nothing will until it is corrected."""

    code = "gateway_key_refused"


class GatewayUncertain(GatewayError):
    """The payment processor gave no usable answer; it may have happened, and only asking it tells."""

    code = "gateway_uncertain"


class WrongMode(GatewayUncertain):
    """The processor reports test money to a live system, or live money to a test system; nothing was recorded."""

    code = "wrong_mode"


class RefundAmbiguous(GatewayUncertain):
    """The charge has a refund of the same amount without our note; it may be ours, so a person must look."""

    code = "gateway_refund_ambiguous"


class DuplicateReference(GatewayError):
    """The payment processor has met this reference before; ask what became of it, never take a new one."""

    code = "gateway_duplicate_reference"
    status = 409


class UnknownReference(GatewayError):
    """The payment processor does not know this (yet): a transfer still being validated looks the same."""

    code = "gateway_unknown_reference"
    status = 404


class BaseUrlUnsafe(EscrowError):
    """PAYSTACK_BASE_URL must be an https address without user, query and fragment; plain http is only for a stand-in on
    this machine."""

    code = "paystack_base_url_unsafe"
    status = 500
