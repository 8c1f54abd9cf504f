"""What a run has found so far, and the window in which it judges."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.journal import Account
from domain.reconciliation import Difference, DifferenceKind
from reconciliation.key import Key

GRACE = timedelta(minutes=30)
"""What is younger may still be on its way: a webhook, a poll, a settlement. It is pending, not a difference."""

Place = tuple[Account, str]
"""An account in a currency."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """From when lines are judged, and the present of the run."""

    since: datetime
    now: datetime

    def is_young(self, *moments: datetime | None) -> bool:
        """True when any of it happened within the grace period."""
        return any(moment is not None and moment > self.now - GRACE for moment in moments)

    def is_before(self, *moments: datetime | None) -> bool:
        """True when all of it happened before the window: an earlier run has judged it, and it explains nothing."""
        return all(moment is not None and moment < self.since for moment in moments)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Which thing it is, by the names of both sides, and what each has of it in minor units."""

    currency: str
    reference: str = ""
    processor_id: str | None = None
    transaction_id: UUID | None = None
    ours: int | None = None
    theirs: int | None = None


@dataclass(frozen=True, kw_only=True)
class Withheld:
    """What a settlement has kept, without a line in the balance; `at` is when it was booked, or else when it came."""

    at: datetime
    currency: str
    amount_minor: int


@dataclass
class Findings:
    """Each thing is matched, pending or in a list of differences; `theirs` are the processor's amounts per account.

    `kept` are refunds and chargebacks that a settlement keeps instead of the balance, `withheld` what settlements have
    kept.
    """

    matched: int = 0
    pending: set[Key] = field(default_factory=set[Key])
    kept: set[Key] = field(default_factory=set[Key])
    withheld: dict[Key, Withheld] = field(default_factory=dict[Key, Withheld])
    differences: dict[Key, list[Difference]] = field(default_factory=dict[Key, list[Difference]])
    theirs: dict[Key, Counter[Place]] = field(default_factory=dict[Key, Counter[Place]])

    def match(self, key: Key) -> None:
        """Both sides say the same, unless something else about it was found already."""
        if key not in self.differences and key not in self.pending:
            self.matched += 1

    def wait(self, key: Key) -> None:
        """It is on its way."""
        self.pending.add(key)

    def differ(self, kind: DifferenceKind, key: Key, sentence: str, facts: Facts, command: str = "") -> None:
        """Both sides disagree; without a `command` it will be the correction of whatever is open in the end."""
        found = Difference(
            kind=kind,
            subject=key.subject,
            reference=facts.reference,
            processor_id=facts.processor_id,
            transaction_id=facts.transaction_id,
            currency=facts.currency,
            ledger_minor=facts.ours,
            processor_minor=facts.theirs,
            sentence=sentence,
            command=command,
        )
        self.differences.setdefault(key, []).append(found)

    def compare_amounts(self, key: Key, facts: Facts, booked: str, verb: str) -> None:
        """List another currency than the `booked` one, or another amount; the processor `verb` (charged, ...) it."""
        if facts.currency != booked:
            sentence = f"Paystack {verb} {facts.currency} and {booked} is booked."
            self.differ(DifferenceKind.CURRENCY, key, sentence, facts)
        elif facts.theirs != facts.ours:
            sentence = f"Paystack {verb} {facts.theirs} and {facts.ours} is booked."
            self.differ(DifferenceKind.AMOUNT, key, sentence, facts)

    def count(self, key: Key, account: Account, currency: str, amount_minor: int) -> None:
        """The processor has moved this much on an account because of that."""
        self.theirs.setdefault(key, Counter())[account, currency] += amount_minor
