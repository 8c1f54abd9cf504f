"""Looking for secrets, in every spelling, in all that the system writes."""

import base64
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote


def spell(secret: bytes) -> set[bytes]:
    """Return the secret plain, hexadecimal, base64 at each of its three offsets, url-encoded, UTF-16, escaped."""
    text = secret.decode("latin-1")
    spellings = {secret, secret.hex().encode(), secret.hex().upper().encode(), quote(secret).encode()}
    spellings |= {repr(secret)[2:-1].encode(), text.encode("utf-16-le"), text.encode("utf-16-be")}
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + secret)[-(-offset * 8 // 6) + (offset > 0) :]
        middle = encoded[1 : (len(secret) * 8) // 6 - 1]
        spellings |= {middle, middle.translate(bytes.maketrans(b"+/", b"-_"))}
    return {spelling for spelling in spellings if len(spelling) >= 12}


def read_what_was_written(root: Path, started: float) -> dict[Path, bytes]:
    """Every file that changed since then; those of other tests' databases may go while we look."""
    contents: dict[Path, bytes] = {}
    for folder, _, names in os.walk(root):
        for path in (Path(folder, name) for name in names):
            with suppress(FileNotFoundError):
                if path.is_file() and path.stat().st_mtime >= started:
                    contents[path] = path.read_bytes()
    return contents


def find_secrets(secrets: Iterable[bytes], contents: Mapping[object, bytes]) -> list[str]:
    """Return the places where a secret stands, in whatever spelling; never the secret."""
    needles = [spelling for secret in secrets for spelling in spell(secret)]
    return [str(place) for place, content in contents.items() if any(needle in content for needle in needles)]
