"""What a line of either side's books is about: the name by which both sides know the same thing."""

import re
from typing import NamedTuple

from domain.journal import Account

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
NUMBER = r"\d+"
IDS = dict.fromkeys(SUBJECTS, NUMBER) | {
    CHARGE: rf"{NUMBER}|ch-[a-z0-9]+",
    REFUND: rf"{NUMBER}|rf-[a-z0-9]+",
    TRANSFER: r"(?:(?=po-|TRF_|[\w-]*\d|[\w-]{16})[\w-]+)",
    ACCOUNT: "|".join(map(re.escape, Account)),
}
"""How the id of each looks, so that no word of a sentence is taken for one.

Paystack's ids are numbers; before the first answer a charge or refund has only our reference. A transfer's reference
may be anybody's: it is ours, or holds a digit, or is as long as Paystack demands. Its code stands for a second transfer
under the same reference.
"""
_NAMES = "|".join(rf"{subject} (?:{shape})" for subject, shape in IDS.items())
_EVIDENCE = re.compile(rf"({_NAMES})(?=[.,;:)]*(?:\s|$))", re.ASCII)


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
    return None if found is None else Key(*found[1].rsplit(" ", 1))
