"""The Merkle leaf of an event, computed apart from the database that stored it (docs/reference/log-format.md)."""

from functools import cache
from hashlib import sha256
from struct import Struct

PREFIX = b"\x00escrow-leaf-v1"
BEFORE_TOPIC = Struct(">q16sqI")
AFTER_TOPIC = Struct(">QI")
POSTGRES_EPOCH_MICROSECONDS = 946_684_800_000_000
U64 = 2**64 - 1


def leaf_hash(position: int, stream_id: bytes, version: int, topic: str, recorded_at: int, state: bytes) -> bytes:
    """SHA-256 of position, stream, version, topic, time (microseconds since 1970 UTC) and state; never raises."""
    name = encode_topic(topic)
    head = BEFORE_TOPIC.pack(position, stream_id, version, len(name))
    tail = AFTER_TOPIC.pack(recorded_at & U64, len(state))
    return sha256(b"".join((PREFIX, head, name, tail, state))).digest()


@cache
def encode_topic(topic: str) -> bytes:
    """UTF-8; there are few topics."""
    return topic.encode()


def microseconds(sent: bytes) -> int:
    """What `timestamptz_send` gives, as microseconds since 1970: PostgreSQL counts from 2000."""
    return int.from_bytes(sent, "big", signed=True) + POSTGRES_EPOCH_MICROSECONDS
