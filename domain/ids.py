"""Identifiers: UUIDv7 from an injected clock and random source, and references derived from what they stand for."""

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

Clock = Callable[[], datetime]
RandomBytes = Callable[[int], bytes]

REFERENCE_LENGTH = 40


def uuid7(at: datetime, random_bytes: RandomBytes) -> UUID:
    """Return a version 7 UUID (RFC 9562 section 5.7): 48 bits of milliseconds, then 74 random bits."""
    milliseconds = int(at.timestamp() * 1000)
    value = (milliseconds << 80) | int.from_bytes(random_bytes(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    return UUID(int=(value & ~(0x3 << 62)) | (0x2 << 62))


def derive_reference(prefix: str, transaction_id: UUID, purpose: str, attempt: int) -> str:
    """Return the reference of a payment, payout or refund: `prefix` and 40 base32 characters.

    It is derived, never random, so that a command executed again after a restore meets its own earlier operation at
    Paystack. Lower-case letters, digits and "-" are legal in charge and transfer references alike.
    """
    digest = hashlib.sha256(f"{transaction_id}:{purpose}:{attempt}".encode()).digest()
    return f"{prefix}-{base64.b32encode(digest).decode().lower()[:REFERENCE_LENGTH]}"
