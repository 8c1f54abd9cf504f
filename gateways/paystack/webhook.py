"""Webhooks: who sent them, and what they are about. https://paystack.com/docs/payments/webhooks/

There is no event id, timestamp or delivery id, so nothing here bounds replays: they must be harmless. A webhook is only
a hint to go and ask; it is never itself the proof that money moved.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from gateways.paystack.payload import JsonObject, NotJson, child, decode, is_object, text
from gateways.paystack.secret import SecretKey

SIGNATURE_HEADER = "x-paystack-signature"
_HEX_SHA512 = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a webhook says. `event` is empty where the body is no envelope; the raw body is kept regardless."""

    event: str
    data: JsonObject = field(repr=False)

    @property
    def reference(self) -> str | None:
        """Our reference: the transfer's own, else that of the charge that the event is about.

        Refunds carry the charge's reference, never one of their own; disputes have it inside `transaction`.
        """
        match self.event.split(".")[:2]:
            case ["charge", "dispute"]:
                return text(child(self.data, "transaction"), "reference")
            case ["refund", _]:
                return text(self.data, "transaction_reference") or text(child(self.data, "transaction"), "reference")
            case ["charge" | "transfer", _]:
                return text(self.data, "reference")
            case _:
                return None


def signature(secret: SecretKey, raw: bytes) -> str:
    """Return the lower-case hex HMAC-SHA512 of the body as delivered; re-serialised JSON would not match."""
    return hmac.new(secret.reveal().encode(), raw, hashlib.sha512).hexdigest()


def verify_signature(secret: SecretKey, raw: bytes, header: str | None) -> bool:
    """Tell, in constant time, whether the header signs exactly this body. Do this before parsing anything."""
    if header is None or _HEX_SHA512.fullmatch(header) is None:
        return False
    return hmac.compare_digest(signature(secret, raw), header)


def parse_envelope(raw: bytes) -> Envelope:
    """Read {event, data}; anything else gives an empty event, because a signed delivery is never dropped."""
    try:
        body = decode(raw)
    except NotJson:
        return Envelope("", {})
    return Envelope(text(body, "event") or "", child(body, "data")) if is_object(body) else Envelope("", {})
