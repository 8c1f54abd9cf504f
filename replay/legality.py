"""The fold of one stream, checked at every step: order, guards, phases, and debts that never turn negative."""

from typing import cast

from eventsourcing.utils import get_topic

from domain.aggregate import Aggregate
from domain.event import CreatedEvent, Event
from domain.journal import CLIENT_LIABILITIES, Account
from domain.transaction import Transaction
from domain.transaction.phase import Phase
from replay.answer_rules import ANSWER_RULES
from replay.finding import FindingKind
from replay.payout_rules import PAYOUT_RULES
from replay.refund_rules import REFUND_RULES
from replay.short_rules import SHORT_RULES
from replay.transaction_rules import TRANSACTION_RULES

RULES = TRANSACTION_RULES | PAYOUT_RULES | REFUND_RULES | ANSWER_RULES | SHORT_RULES
NEVER_DEBTORS = frozenset(CLIENT_LIABILITIES)
IN_TRANSIT = frozenset({Account.TRANSFERS_IN_TRANSIT, Account.REFUNDS_IN_TRANSIT})

_ANYTIME = {Phase.DISPUTED, Phase.PAYOUT_FAILED, Phase.CHARGED_BACK}
_SETTLING = {Phase.RELEASING, Phase.REFUNDING, Phase.COMPLETED, Phase.REFUNDED, Phase.SPLIT}
_HELD = {Phase.FUNDS_HELD, Phase.CONTRACT_SIGNED, Phase.CREDENTIALS_RELEASED}

SUCCESSORS: dict[Phase, frozenset[Phase]] = {
    Phase.PENDING: frozenset({Phase.FUNDS_HELD, Phase.CANCELLED, Phase.EXPIRED} | (_ANYTIME - {Phase.PAYOUT_FAILED})),
    Phase.FUNDS_HELD: frozenset({Phase.CONTRACT_SIGNED} | _SETTLING | _ANYTIME),
    Phase.CONTRACT_SIGNED: frozenset({Phase.CREDENTIALS_RELEASED} | _SETTLING | _ANYTIME),
    # A deposit that is lost after the reveal and before its acknowledgement has to be revealed again.
    Phase.CREDENTIALS_RELEASED: frozenset({Phase.CONTRACT_SIGNED} | _SETTLING | _ANYTIME),
    Phase.RELEASING: frozenset(_SETTLING | _ANYTIME),
    Phase.REFUNDING: frozenset(_SETTLING | _ANYTIME),
    Phase.COMPLETED: frozenset(_SETTLING | _ANYTIME),
    Phase.REFUNDED: frozenset(_SETTLING | _ANYTIME),
    Phase.SPLIT: frozenset(_SETTLING | _ANYTIME),
    Phase.PAYOUT_FAILED: frozenset(_HELD | _SETTLING | _ANYTIME),
    Phase.DISPUTED: frozenset(Phase),
    # Money that comes late can still be charged back.
    Phase.CANCELLED: frozenset({Phase.CHARGED_BACK}),
    Phase.EXPIRED: frozenset({Phase.CHARGED_BACK}),
    # What was taken back turns out to have been stray money: the price is as it was.
    Phase.CHARGED_BACK: frozenset({Phase.PENDING, Phase.CANCELLED, Phase.EXPIRED, Phase.DISPUTED}),
}


class Objection(Exception):
    """The event could not follow the state before it."""

    def __init__(self, kind: FindingKind, expected: str, found: str) -> None:
        """What should have been, and what was."""
        super().__init__(expected, found)
        self.kind = kind
        self.expected = expected
        self.found = found


def advance(aggregate: Aggregate | None, event: Event) -> Aggregate:
    """Fold the event into the aggregate, which is changed; raise `Objection`."""
    if aggregate is None or isinstance(event, CreatedEvent):
        return _create(aggregate, event)
    rule = RULES.get(event.TOPIC)
    if rule is not None and not rule.holds(aggregate, event):
        raise Objection(FindingKind.ILLEGAL, rule.says, f"{event.TOPIC} while {aggregate.state}")
    before = aggregate.phase if isinstance(aggregate, Transaction) else None
    folded = _mutate(aggregate, event)
    if isinstance(folded, Transaction) and before is not None:
        _check_phase(before, folded.phase, event)
        _check_debts(folded)
    return folded


def _create(aggregate: Aggregate | None, event: Event) -> Aggregate:
    if aggregate is not None:
        raise Objection(FindingKind.ILLEGAL, "one beginning", f"{event.TOPIC} in the middle of a stream")
    if not isinstance(event, CreatedEvent):
        raise Objection(FindingKind.ILLEGAL, "an event that begins a stream", event.TOPIC)
    created = _mutate(None, event)
    if get_topic(type(created)) != event.TOPIC.partition(".")[0]:
        raise Objection(FindingKind.ILLEGAL, f"the aggregate of {event.TOPIC}", event.originator_topic)
    return created


def _mutate(aggregate: Aggregate | None, event: Event) -> Aggregate:
    """Whatever a fold raises here is a finding about the event, and the program goes on."""
    try:
        folded = event.mutate(aggregate)
    except Exception as error:
        raise Objection(FindingKind.ILLEGAL, "an event that folds", f"{event.TOPIC}: {error!r}") from error
    return cast("Aggregate", folded)


def _check_phase(before: Phase, after: Phase, event: Event) -> None:
    if after is not before and after not in SUCCESSORS[before]:
        raise Objection(FindingKind.ILLEGAL, f"a phase that may follow {before}", f"{after} by {event.TOPIC}")


def _check_debts(transaction: Transaction) -> None:
    """What is owed and what is on its way is never less than nothing."""
    negative = [
        (account, amount_minor)
        for account, amount_minor in transaction.balances.items()
        if (amount_minor > 0 and account in NEVER_DEBTORS) or (amount_minor < 0 and account in IN_TRANSIT)
    ]
    if negative:
        found = ", ".join(f"{account.value} {-amount_minor}" for account, amount_minor in negative)
        raise Objection(FindingKind.LIABILITY_NEGATIVE, "no account below zero", found)
