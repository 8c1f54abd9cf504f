"""PDF (ISO 32000): a header at the very start, a table of objects where the end says, and nothing after the end."""

import re

from api.files.media.structure import Data, require

SIGNATURE = b"%PDF-"
HEADER = re.compile(rb"%PDF-[12]\.[0-9]\s")
ENDING = re.compile(rb"startxref\s+([0-9]{1,10})\s+%%EOF\s*\Z")
TABLE = re.compile(rb"\s*(xref\s|[0-9]+\s+[0-9]+\s+obj)")
# Compressed objects can hide them; whoever does not even hide them is refused.
ACTIVE = re.compile(rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia)(?![A-Za-z0-9])")
TAIL_BYTES = 1024


def check(data: Data) -> None:
    """Raise MediaDamaged, also for scripts, attachments and programs that stand in the open."""
    require(HEADER.match(data) is not None)
    ending = ENDING.search(data[-TAIL_BYTES:])
    require(ending is not None)
    table_at = int(ending[1]) if ending else 0
    require(table_at < len(data) and TABLE.match(data, table_at) is not None)
    require(ACTIVE.search(data) is None)
