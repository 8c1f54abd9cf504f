"""Keyset cursors: where a page ended, signed for one list and one user."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import cast

from api.errors import CursorInvalid

TAG_BYTES = 16
LONGEST = 512

Key = Sequence[str | int | None]


def write_cursor(secret: bytes, scope: str, key: Key) -> str:
    """Return an opaque cursor; `scope` names the list, its filters and the user."""
    payload = json.dumps(list(key), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_tag(secret, scope, payload) + payload).decode().rstrip("=")


def read_cursor(secret: bytes, scope: str, cursor: str) -> Key:
    """Return the key in a cursor. Raises CursorInvalid unless it was written for this scope."""
    if len(cursor) > LONGEST or not cursor.isascii():
        raise CursorInvalid
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise CursorInvalid from None
    tag, payload = raw[:TAG_BYTES], raw[TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(secret, scope, payload)):
        raise CursorInvalid
    return cast("Key", json.loads(payload))


def _tag(secret: bytes, scope: str, payload: bytes) -> bytes:
    return hmac.digest(secret, scope.encode() + b"\0" + payload, hashlib.sha256)[:TAG_BYTES]
