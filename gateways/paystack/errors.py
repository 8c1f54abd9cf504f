"""Turn Paystack's answers into the three outcomes: it did, it refused, we cannot tell.

The envelope of an error is {status: false, message, meta: {nextStep}, type, code}. Paystack's own specification puts
the three values of `type` into `code` in one schema, so both fields are read for both meanings. A 4xx that is not such
an envelope did not come from Paystack's application (a proxy, a firewall) and concludes nothing.
"""

from http import HTTPStatus

from gateways.errors import (
    DuplicateReference,
    GatewayError,
    GatewayKeyRefused,
    GatewayRefused,
    GatewayThrottled,
    GatewayUncertain,
    InsufficientBalance,
    UnknownReference,
)
from gateways.paystack.payload import JsonObject, NotJson, decode, is_object, text

TYPES = frozenset({"validation_error", "processor_error", "api_error"})
DEFAULT_RETRY_AFTER_SECONDS = 10.0
_MAX_RETRY_AFTER_SECONDS = 3600.0
_SUCCESS, _CLIENT_ERROR = 2, 4
_DUPLICATES = frozenset({"duplicate_reference", "duplicate_transfer_reference"})


def read_answer(method: str, status: int, raw: bytes, retry_after: str | None = None) -> JsonObject:
    """Return the envelope of a success; raise the `GatewayError` that this answer amounts to.

    A 2xx whose envelope says status false contradicts itself and counts as uncertain. `retry_after` is the header.
    """
    envelope = _envelope(raw)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise GatewayThrottled(_seconds(retry_after), http_status=status)
    if envelope is None:
        raise GatewayUncertain("no readable answer", http_status=status)
    if status // 100 == _SUCCESS and envelope["status"] is True:
        return envelope
    raise _failure(method, status, envelope)


def code_of(envelope: JsonObject) -> str:
    """Return the specific code of an error, from whichever of `code` and `type` holds it, or an empty text."""
    words = (text(envelope, "code"), text(envelope, "type"))
    return next((word for word in words if word is not None and word not in TYPES), "")


def _failure(method: str, status: int, envelope: JsonObject) -> GatewayError:
    code, said = code_of(envelope), _message(envelope)
    conclusive = status // 100 == _CLIENT_ERROR and status != HTTPStatus.REQUEST_TIMEOUT
    kind = _refusal(method, status, code, said) if conclusive else GatewayUncertain
    return kind(said, gateway_code=code, http_status=status)


def _refusal(method: str, status: int, code: str, said: str) -> type[GatewayError]:
    said = said.lower()
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return GatewayKeyRefused
    if method == "GET":
        unknown = status == HTTPStatus.NOT_FOUND or code.endswith("_not_found")
        return UnknownReference if unknown else GatewayRefused
    if code in _DUPLICATES or "duplicate transaction reference" in said or "reference already exists" in said:
        return DuplicateReference
    if code == "insufficient_balance" or "balance is not enough" in said:
        return InsufficientBalance
    return GatewayRefused


def _envelope(raw: bytes) -> JsonObject | None:
    try:
        value = decode(raw)
    except NotJson:
        return None
    return value if is_object(value) and isinstance(value.get("status"), bool) else None


def _message(envelope: JsonObject) -> str:
    return text(envelope, "message") or "no message"


def _seconds(retry_after: str | None) -> float:
    """The header's date form is not worth its clock trouble: the default serves."""
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return DEFAULT_RETRY_AFTER_SECONDS
    return min(float(retry_after), _MAX_RETRY_AFTER_SECONDS)
