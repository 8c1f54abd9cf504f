"""What a file is called: data to be shown, never a path, and never what decides how a file is treated."""

import re
import unicodedata
from urllib.parse import quote

from api.files.media import MediaType

LONGEST_NAME = 120
NAMELESS = "file"
FOLDERS = re.compile(r"[/\\]")
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def clean_name(raw: bytes) -> str:
    """Return what can be shown of a name that a client sent: without folders, controls, and dots at either end."""
    last = FOLDERS.split(unicodedata.normalize("NFC", raw.decode("utf-8", "replace")))[-1]
    seen = "".join(character for character in last if unicodedata.category(character) not in UNSEEN)
    return seen.strip(" .")[:LONGEST_NAME].strip(" .") or NAMELESS


def attachment_header(name: str, media_type: MediaType) -> str:
    """Return a Content-Disposition (RFC 6266) that saves the file, under the extension of what it really is."""
    whole = name if name.lower().endswith(media_type.extension) else name + media_type.extension
    plain = UNSAFE.sub("_", whole)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(whole, safe='')}"
