"""What is kept outside the log, because it must be erasable: the log has a salted hash of it, by which it is proven."""

import hashlib
import json
from collections.abc import Mapping

SALT_BYTES = 32

Text = Mapping[str, str]


def hash_content(salt: bytes, text: Text) -> str:
    """Return the salted SHA-256 of the canonical JSON of a text, in hexadecimal."""
    canonical = json.dumps(text, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(salt + canonical.encode()).hexdigest()
