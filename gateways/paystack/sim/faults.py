"""Faults on demand: what goes wrong, at which endpoint, for which request, and how many times or how often.

A fault with `times` happens to the next so many that fit. One with `rate` happens to that share of all that fit, drawn
from the stand-in's seed, until it is cleared. Where several fit, the oldest that strikes does.
"""

import random
import re
from collections.abc import Collection, Mapping

from pydantic import BaseModel, ConfigDict, Field, field_validator

BEFORE = frozenset({"500_before", "timeout_before", "reset_before", "refuse", "throttle"})
AFTER = frozenset({"500_after_commit", "accept_then_timeout", "reset_after_commit", "garbage_after_commit"})
CALL = BEFORE | AFTER | {"slow"}
TRANSFER = frozenset(
    {
        "insufficient_balance",
        "otp",
        "pending",
        "fail",
        "reversed_after_success",
        "abandoned",
        "blocked",
        "rejected",
        "late",
    }
)
REFUND = frozenset({"pending", "fail", "needs_attention", "insufficient_balance", "without_note"})
CHECKOUT = frozenset({"other_amount", "customer_bears_fee", "chargeback", "processing"})
DISPUTE = frozenset({"chargeback_won", "chargeback_lost"})
VERIFY = frozenset({"fees_unknown"})
WEBHOOK = frozenset({"duplicate_webhook", "lost_webhook", "delay_webhook", "reorder_webhook"})
KINDS = CALL | TRANSFER | REFUND | CHECKOUT | DISPUTE | VERIFY | WEBHOOK

CHAOS = (
    "webhook:duplicate_webhook@0.1",
    "webhook:lost_webhook@0.05",
    "webhook:reorder_webhook@0.1",
    "*:accept_then_timeout@0.02",
    "*:500_after_commit@0.02",
    "*:500_before@0.02",
    "*:throttle@0.01+2",
    "transfer:fail@0.05",
    "transfer:reversed_after_success@0.02+3600",
    "refund:fail@0.05",
    "refund:needs_attention@0.02",
    "checkout:chargeback@0.02+3600",
)
_WORD = re.compile(
    r"(?:(?P<endpoint>[a-z_]+|\*):)?(?P<kind>\w+)(?:@(?P<rate>[0-9.]+)|\*(?P<times>[0-9]+))?(?:\+(?P<delay_seconds>[0-9.]+))?"
)


class Fault(BaseModel):
    """One scripted fault. `match` compares fields of the request (or of the webhook: event, reference) as text."""

    model_config = ConfigDict(extra="forbid")

    endpoint: str = "*"
    kind: str
    times: int = Field(default=1, ge=1)
    rate: float | None = Field(default=None, ge=0.0, le=1.0)
    match: dict[str, str | int] = {}
    status: int = 400
    message: str = "The stand-in refuses, as it was told to"
    code: str = "unknown"
    type: str = "api_error"
    delay_seconds: float = 0.0
    amount_minor: int | None = None
    currency: str | None = None

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        """A misspelt fault would make a test pass that tests nothing."""
        if kind not in KINDS:
            raise ValueError(f"unknown kind of fault; known: {', '.join(sorted(KINDS))}")
        return kind

    def fits(self, endpoints: Collection[str], facts: Mapping[str, object], kinds: Collection[str]) -> bool:
        """Tell whether this fault is meant for this place, request and moment."""
        here = self.endpoint == "*" or self.endpoint in endpoints
        return here and self.kind in kinds and all(str(facts.get(name)) == str(it) for name, it in self.match.items())


def parse_faults(text: str) -> list[Fault]:
    """Read "transfer:accept_then_timeout@0.05,webhook:delay_webhook*3+60": where, what, how often, seconds of delay.

    `@0.05` is a rate, `*3` a number of times, without either it happens once; "chaos" is a mix of what must do no harm.
    Raises ValueError.
    """
    words = [word for part in text.split(",") for word in (CHAOS if part == "chaos" else (part,))]
    return [_parse(word) for word in words]


def _parse(word: str) -> Fault:
    read = _WORD.fullmatch(word.strip())
    if read is None:
        raise ValueError(f"not a fault: {word}")
    given = {name: value for name, value in read.groupdict().items() if value is not None}
    return Fault.model_validate(given)


class Faults:
    """The faults that wait for their moment, oldest first."""

    def __init__(self, chance: random.Random) -> None:
        """Start without any; `chance` decides about those with a rate."""
        self.waiting: list[Fault] = []
        self._chance = chance

    def add(self, fault: Fault) -> None:
        """Let this happen."""
        self.waiting.append(fault)

    def clear(self) -> None:
        """Let nothing more go wrong."""
        self.waiting.clear()

    def take(self, endpoints: Collection[str], facts: Mapping[str, object], kinds: Collection[str]) -> Fault | None:
        """Return the first fault that fits and strikes; one that is counted is used up by one."""
        fitting = (fault for fault in self.waiting if fault.fits(endpoints, facts, kinds))
        fault = next((fault for fault in fitting if self._strikes(fault)), None)
        if fault is not None and fault.rate is None:
            fault.times -= 1
            self.waiting = [waiting for waiting in self.waiting if waiting.times > 0]
        return fault

    def share(self, seconds: float) -> float:
        """A random part of a delay."""
        return seconds * self._chance.random()

    def _strikes(self, fault: Fault) -> bool:
        return fault.rate is None or self._chance.random() < fault.rate
