"""From an event to the messages about it: to whom, and the facts that they show, ready to be shown.

Facts are taken from the event by name. What people wrote is not among them, with one exception: why staff refused or
removed a listing, which its seller has to know.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from domain.listing import Listing
from domain.transaction import Transaction
from domain.transaction.phase import Phase
from eventstore.converter import Fields
from eventstore.log import RecordedEvent
from identity.notification import Facts, Notification, notification_id, show_time
from reactions.audience import Telling, purpose_of
from reactions.telling import OF_LISTING, OF_TRANSACTION, OF_USER

MINOR_UNITS = 100
REMINDER = "inspection_ends_soon"
REMIND_BEFORE = timedelta(hours=24)
SHORTEST_NOTICE = timedelta(hours=1)

RUNS_ANEW = frozenset(
    {
        "transaction.credentials_revealed.v1",
        "transaction.inspection_extended.v1",
        "transaction.deadlines_extended.v1",
        "transaction.dispute_withdrawn.v1",
        "transaction.dispute_resolved.v1",
    }
)
"""After these the end of the inspection is another one."""


def tell_of_transaction(event: RecordedEvent, transaction: Transaction, at: datetime) -> Iterator[Notification]:
    """Yield what the parties are to hear of an event of their transaction."""
    data = event.data
    happened_at = _time(data["timestamp"])
    for telling in OF_TRANSACTION[event.topic]:
        for role in telling.to(data, transaction):
            shown = _show(telling, data, transaction)
            yield _make(event, transaction, role, telling.template, shown, happened_at, happened_at)
    if event.topic in RUNS_ANEW:
        yield from _remind(event, transaction, at)


def tell_of_listing(event: RecordedEvent, listing: Listing) -> Iterator[Notification]:
    """Yield what the seller is to hear of an event of the listing."""
    for telling in OF_LISTING[event.topic]:
        yield _tell_one(event, listing.seller_id, telling, {"listing": str(listing.id)})


def tell_of_user(event: RecordedEvent) -> Iterator[Notification]:
    """Yield what somebody is to hear of what he may do."""
    for telling in OF_USER[event.topic]:
        yield _tell_one(event, event.stream_id, telling, {})


def bring_up_to_date(facts: Facts, transaction: Transaction) -> Facts | None:
    """Return what a reminder shows as things are when it is sent; None where it would remind of what is over."""
    ends_at = transaction.inspection_ends_at
    if transaction.phase is not Phase.CREDENTIALS_RELEASED or ends_at is None or facts["ends"] != show_time(ends_at):
        return None
    return {**facts, "outcome": transaction.outcome_of_silence.value}


def _remind(event: RecordedEvent, transaction: Transaction, at: datetime) -> Iterator[Notification]:
    """Yield a reminder for the buyer, due a day before silence decides; none where that is about to happen anyhow."""
    ends_at = transaction.inspection_ends_at
    if ends_at is None or ends_at - REMIND_BEFORE < at + SHORTEST_NOTICE:
        return
    shown = {**_always(transaction), "ends": show_time(ends_at)}
    happened_at = _time(event.data["timestamp"])
    yield _make(event, transaction, "buyer", REMINDER, shown, happened_at, ends_at - REMIND_BEFORE)


def _make(
    event: RecordedEvent,
    transaction: Transaction,
    role: str,
    template: str,
    shown: Facts,
    created_at: datetime,
    due_at: datetime,
) -> Notification:
    user_id = transaction.buyer_id if role == "buyer" else transaction.seller_id
    return Notification(
        id=notification_id(event.stream_id, *_cause_of(event, template, shown), template, user_id),
        user_id=user_id,
        template=template,
        facts={**shown, "role": role},
        created_at=created_at,
        due_at=due_at,
        transaction_id=event.stream_id,
        event_version=event.version,
    )


def _cause_of(event: RecordedEvent, template: str, shown: Facts) -> tuple[object, ...]:
    """Return what is told of once: of one end he is reminded once, however many events have led to it before this was
    looked at, and of one decision he hears once, however many disputes it closes.
    """
    match template:
        case _ if template == REMINDER:
            return (shown["ends"],)
        case "dispute_resolved":
            return (event.data["command_id"], event.topic)
        case _:
            return (event.version, event.topic)


def _tell_one(event: RecordedEvent, user_id: UUID, telling: Telling, shown: Facts) -> Notification:
    happened_at = _time(event.data["timestamp"])
    return Notification(
        id=notification_id(event.stream_id, event.version, event.topic, telling.template, user_id),
        user_id=user_id,
        template=telling.template,
        facts={**shown, **{name: str(event.data[name]) for name in telling.facts}},
        created_at=happened_at,
        due_at=happened_at,
    )


def _show(telling: Telling, data: Fields, transaction: Transaction) -> Facts:
    shown = {**_always(transaction), **_facts(telling, data, transaction)}
    return shown | _payout_facts(data, transaction) if telling.template.startswith("payout_") else shown


def _always(transaction: Transaction) -> dict[str, str]:
    return {
        "transaction": str(transaction.id),
        "price": _money(transaction.price.amount_minor, transaction.price.currency),
    }


def _facts(telling: Telling, data: Fields, transaction: Transaction) -> dict[str, str]:
    return dict(_fact(name, data[name], transaction) for name in telling.facts)


def _fact(name: str, value: object, transaction: Transaction) -> tuple[str, str]:
    if name.endswith("_minor"):
        return name.removesuffix("_minor"), _money(cast("int", value), transaction.price.currency)
    if name.endswith("_at"):
        return name.removesuffix("_at"), show_time(_time(value))
    return name, str(value)


def _payout_facts(data: Fields, transaction: Transaction) -> dict[str, str]:
    payout = transaction.payouts[cast("str", data["reference"])]
    return {
        "amount": _money(payout.amount_minor, transaction.price.currency),
        "purpose": purpose_of(data, transaction).value,
    }


def _money(amount_minor: int, currency: str) -> str:
    whole, rest = divmod(amount_minor, MINOR_UNITS)
    return f"{currency} {whole:,}.{rest:02}"


def _time(value: object) -> datetime:
    return datetime.fromisoformat(cast("str", value))
