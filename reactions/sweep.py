"""What no webhook told of and nobody waits for: money on a page that was given up, and payouts that were taken back.

What the processor lists of the last three days finds them within minutes. About everything older that is not closed for
certain it is asked one by one, after pauses that grow with the age. A page is asked about until it can no longer be
paid; where pages never die that is for ever, at most 22 times in the first year and 4 times in each doubling of its
age. A transfer is asked about for as many days as `ask_transfers_for` says: 17 times in 35 days. Whatever there is to
ask, it is at most 200 questions in ten minutes, of the 6,000 that the processor answers in that time.
"""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.transaction import Transaction
from domain.transaction.records import PayoutStatus
from gateways.errors import GatewayRefused, UnknownReference
from gateways.payment import Charge, Transfer, TransferStatus
from reactions.payment import PAID
from reactions.toolbox import Toolbox, find_readable
from reactions.watch import Question, Watch

LOOK_BACK = timedelta(days=3)
"""By the day on which a charge or transfer was made; about what is older single questions are asked."""
MOST_QUESTIONS = 200
"""So many questions are asked in one sweep, the most overdue first."""
SHORTEST_PAUSE = timedelta(hours=6)
GROWTH = 4
"""A pause is this part of the age, so that nothing is heard of later than a quarter of its age after it happened."""
LAST_LOOK = timedelta(days=1)
"""So long after a page has died it is asked about for the last time."""


class Unheard(NamedTuple):
    """A reference of ours that stands otherwise at the processor than here."""

    transaction_id: UUID
    reference: str


async def list_unheard(tools: Toolbox, watch: Watch) -> AsyncGenerator[Unheard]:
    """Yield what is to be asked about again, also where the log cannot be read: the next sweep may find it mended.

    Raises the processor's errors, of which nothing is concluded.
    """
    since = tools.clock() - LOOK_BACK
    charges = await tools.gateway.list_charges(since=since)
    paid = {charge.reference: charge for charge in charges if charge.status in PAID}
    for reference, transaction_id in (await watch.find(paid)).items():
        transaction = await find_readable(tools.escrow, transaction_id)
        if transaction is None or not _knows_charge(transaction, paid[reference]):
            yield Unheard(transaction_id, reference)
    transfers = await tools.gateway.list_transfers(since=since)
    taken = {transfer.reference: transfer for transfer in transfers if transfer.status is TransferStatus.REVERSED}
    for reference, transaction_id in (await watch.find(taken)).items():
        transaction = await find_readable(tools.escrow, transaction_id)
        if transaction is None or _believes_paid(transaction, taken[reference]):
            yield Unheard(transaction_id, reference)


async def get_life_of_pages(tools: Toolbox) -> timedelta | None:
    """Return how long after it was opened a page can be paid; None for ever. Raises the processor's errors."""
    try:
        seconds = await tools.gateway.checkout_seconds()
    except (GatewayRefused, UnknownReference):
        return None
    return timedelta(seconds=seconds) + LAST_LOOK if seconds else None


def next_question_at(question: Question, at: datetime, life: timedelta | None) -> datetime | None:
    """Return when to ask again about what was asked at `at`; None when it was the last time, `life` being over."""
    age = at - question.ask_from
    if life is not None and age >= life:
        return None
    after = at + max(SHORTEST_PAUSE, age / GROWTH)
    return after if life is None else min(after, question.ask_from + life)


def _knows_charge(transaction: Transaction, charge: Charge) -> bool:
    number = str(charge.processor_id)
    if charge.fee_minor is not None and not _knows_fee(transaction, charge):
        return False
    return number == transaction.processor_charge_id or number in transaction.seen_charges


def _knows_fee(transaction: Transaction, charge: Charge) -> bool:
    """The first answer about a charge can lack it."""
    if str(charge.processor_id) == transaction.processor_charge_id:
        return transaction.charge_fee_minor is not None
    return charge.reference in transaction.stray_fees


def _believes_paid(transaction: Transaction, transfer: Transfer) -> bool:
    payout = transaction.payouts.get(transfer.reference)
    return payout is not None and payout.status is PayoutStatus.SUCCEEDED
