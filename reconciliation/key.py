"""What a line of either side's books is about: the name by which both sides know the same thing."""

import re
from typing import NamedTuple

SUBJECTS = CHARGE, TRANSFER, REFUND, DISPUTE, SETTLEMENT, ENTRY, ACCOUNT, MOVEMENT = (
    "charge",
    "transfer",
    "refund",
    "dispute",
    "settlement",
    "balance entry",
    "account",
    "movement",
)
_EVIDENCE = re.compile(rf"({'|'.join(SUBJECTS)}) ([\w:.=-]+)")


class Key(NamedTuple):
    """A subject and its id: Paystack's id, but our reference for a transfer, and the name of an account."""

    subject: str
    id: str

    def __str__(self) -> str:
        """As evidence of a movement names it."""
        return f"{self.subject} {self.id}"


def key_of_evidence(evidence: str) -> Key | None:
    """Return what the evidence of a movement names at its beginning; None for a statement of another kind."""
    found = _EVIDENCE.match(evidence)
    return None if found is None else Key(found[1], found[2])
