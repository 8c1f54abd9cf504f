"""What the parties read is true of their sale, whatever else is recorded with what they are told of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import cast
from uuid import UUID

import pytest

from domain.event import Event
from domain.policy import Terms
from domain.transaction import Transaction
from domain.transaction.commands import WithdrawDispute
from domain.transaction.phase import SOURCES
from domain.transaction.records import Basis, DisputeSource, Finding, PayoutPurpose
from domain.transaction.system_commands import EnforceDeadline, ExtendDeadlines, WithholdPayable
from eventstore.log import RecordedEvent
from eventstore.transcoder import encode
from reactions.notice import REMINDER, tell_of_transaction
from reactions.telling import OF_TRANSACTION
from reactions.writing import write
from tests.domain.paths import (
    PHASES,
    cancel,
    chargeback,
    completed,
    dispute,
    disputed,
    funded,
    pay_out,
    paying,
    pending,
    refunded,
    refunding,
    release,
    releasing,
    resolve,
    revealed,
    transfer,
)
from tests.domain.people import BUYER, SELLER, SUPER
from tests.domain.story import Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A letter to a party, in which append its event was, and the sale as that append left it."""

    append: str
    template: str
    role: str
    text: str
    sale: Transaction


def told(story: Story) -> Iterator[Told]:
    """Yield every letter of the story so far; the sale of one is as it says until the next is asked for."""
    sale: Transaction | None = None
    own = (event for event in story.events if event.originator_id == story.transaction_id)
    for append, events in groupby(own, lambda event: event.command_id):
        recorded = list(events)
        for event in recorded:
            sale = cast("Transaction", event.mutate(sale))
        assert sale is not None
        for event in recorded:
            yield from _write(event, append, sale)


def _write(event: Event, append: str, sale: Transaction) -> Iterator[Told]:
    row = RecordedEvent(1, event.timestamp, sale.id, event.originator_version, type(event).TOPIC, encode(event))
    notes = tell_of_transaction(row, sale, event.timestamp) if row.topic in OF_TRANSACTION else ()
    for note in notes:
        if note.template != REMINDER:
            text = write(note.template, note.facts).text
            yield Told(append=append, template=note.template, role=note.facts["role"], text=text, sale=sale)


def last(story: Story) -> dict[tuple[str, str], str]:
    """The letters about what the story's last command recorded, by template and reader."""
    append = story.events[-1].command_id
    return {(each.template, each.role): each.text for each in told(story) if each.append == append}


def is_owed(letter: Told) -> bool:
    """Whether the reader still gets money of this sale."""
    purposes = tuple(p for p in PayoutPurpose if (p is PayoutPurpose.SELLER) == (letter.role == "seller"))
    return any(letter.sale.owed(SOURCES[purpose]) > 0 for purpose in purposes)


def is_refunding(letter: Told) -> bool:
    """Whether a refund was ordered that is not sent yet, or was agreed on."""
    return any(one.status.is_open or one.basis is Basis.MUTUAL for one in letter.sale.refunds.values())


CLAIMS: dict[str, Callable[[Told], bool]] = {
    "still yours": is_owed,
    "You are still owed": is_owed,
    "and will be sent": is_owed,
    "If you ask for it too": lambda letter: not is_refunding(letter),
    "If the other party asks too": lambda letter: not is_refunding(letter),
    "no money moves": lambda letter: not is_refunding(letter),
    "where they stopped": lambda letter: not letter.sale.has_open_dispute,
    "on our side": lambda letter: letter.template != "deadlines_extended",
    "sent to where you paid from. ": lambda letter: not any(one.accounts for one in letter.sale.refunds.values()),
    "bank": lambda letter: (
        letter.template in {"payout_reversed", "payout_sent", "refund_sent", "refund_ordered"}
        or any(one.source is DisputeSource.PROCESSOR for one in letter.sale.disputes.values())
    ),
}
"""What a letter may say only of a sale of which it is true."""


def called_off() -> Story:
    """Both ask to call the sale off."""
    story = funded(pending())
    story.do(cancel(), BUYER)
    story.do(cancel(), SELLER)
    return story


def reversed_to_debt() -> Story:
    """The seller was paid, lost a dispute, and his bank sends the payout back: it settles what he owes."""
    story = completed(pending())
    story.do(dispute(), BUYER)
    story.do(resolve(story, Finding.SELLER), SUPER)
    story.do(transfer(story.payout(), "reversed"))
    return story


def reversed_of_two() -> Story:
    """A refund was paid by two transfers, and one of them comes back."""
    story = refunding(pending())
    story.do(refunded(story.refund(), "failed"))
    story.do(pay_out(PayoutPurpose.REFUND, "RCP_buyer"))
    first = story.payout()
    story.do(transfer(first, "pending"))
    story.do(transfer(first, "failed"))
    story.wait(minutes=2).do(pay_out(PayoutPurpose.REFUND, "RCP_buyer"))
    story.do(transfer(story.payout(), "success"))
    story.do(transfer(first, "success"))
    story.do(transfer(story.payout(), "reversed"))
    return story


def withdrawn_of_two() -> Story:
    """The buyer takes his dispute back; the seller's is open."""
    story = revealed(pending())
    story.do(dispute(1), BUYER)
    first: UUID = story.dispute()
    story.do(dispute(2), SELLER)
    story.do(WithdrawDispute(dispute_id=first), BUYER)
    return story


def disputed_while_refunding() -> Story:
    """The buyer opens a dispute about a sale whose money goes back to him."""
    story = refunding(pending())
    story.do(dispute(), BUYER)
    return story


def questioned_while_refunding() -> Story:
    """His bank questions it, which stops no refund of the price."""
    story = refunding(pending())
    story.do(chargeback("open"))
    return story


def extended() -> Story:
    """The deadlines are moved."""
    story = revealed(pending())
    story.do(ExtendDeadlines(seconds=3_600, reason="outage"))
    return story


def paid_twice(terms: Terms | None = None) -> Story:
    """The seller has two transfers for one sale."""
    debt = paying(pending(terms=terms))
    first = debt.payout()
    debt.do(transfer(first, "pending"))
    debt.do(transfer(first, "failed"))
    debt.wait(minutes=2).do(pay_out())
    debt.do(transfer(debt.payout(), "success"))
    debt.do(transfer(first, "success"))
    return debt


def withheld() -> Story:
    """A seller who was paid twice for one sale pays it back by another; no buyer of his got anything back."""
    debt = paid_twice()
    story = releasing(debt.beside())
    story.do(WithholdPayable(owing_transaction_id=debt.transaction_id))
    return story


def released_to_debt() -> Story:
    """What was kept back from a seller who was paid twice settles what he owes."""
    story = paid_twice(Terms(reserve_bps=900, warranty_seconds=86_400))
    story.wait(days=2).do(EnforceDeadline())
    return story


STORIES: dict[str, Callable[[], Story]] = {
    **{name: lambda tell=tell: tell(pending()) for name, tell in PHASES.items()},
    **{
        tell.__name__: tell
        for tell in (
            called_off,
            reversed_to_debt,
            reversed_of_two,
            withdrawn_of_two,
            disputed_while_refunding,
            questioned_while_refunding,
            extended,
            withheld,
            released_to_debt,
        )
    },
}


@pytest.mark.parametrize("name", STORIES)
def test_a_message_claims_nothing_that_is_not_true_of_its_sale(name: str) -> None:
    letters = 0
    for letter in told(STORIES[name]()):
        letters += 1
        for claim, is_true in CLAIMS.items():
            assert claim not in letter.text or is_true(letter), (letter.template, letter.role, letter.text)
    assert letters


def test_who_has_agreed_to_call_the_sale_off_is_not_asked_whether_he_wants_to() -> None:
    story = funded(pending())
    story.do(cancel(), BUYER)
    assert "If you ask for it too" in last(story)["cancellation_requested", "seller"]
    story.do(cancel(), SELLER)
    letters = last(story)
    assert set(letters) == {("refund_ordered", "buyer"), ("refund_ordered", "seller")}
    assert all("Both of you asked to call off the sale: KES 1,000.00" in text for text in letters.values())


@pytest.mark.parametrize(("tell", "payee"), [(reversed_to_debt, "seller"), (reversed_of_two, "buyer")])
def test_of_a_payout_that_came_back_only_what_is_still_owed_is_promised(tell: Callable[[], Story], payee: str) -> None:
    story = tell()
    assert not any(story.transaction.payable_minor(purpose) for purpose in PayoutPurpose)
    assert "What is still owed to you of it is safe" in last(story)["payout_reversed", payee]


def test_what_was_kept_back_is_not_promised_to_whom_it_only_lowers_a_debt() -> None:
    letters = last(released_to_debt())
    assert set(letters) == {("reserve_released", "seller"), ("clawback_recovered", "seller")}
    assert "What you do not owe us of it will be sent." in letters["reserve_released", "seller"]


def test_a_withdrawn_dispute_lets_go_on_only_what_waited_for_it_alone() -> None:
    letters = last(withdrawn_of_two())
    assert all(
        "What waited for that alone goes on." in letters["dispute_withdrawn", role] for role in ("buyer", "seller")
    )


@pytest.mark.parametrize(
    ("tell", "template"),
    [(disputed_while_refunding, "dispute_opened"), (questioned_while_refunding, "chargeback_opened")],
)
def test_a_dispute_stops_what_goes_to_the_seller_and_no_refund(tell: Callable[[], Story], template: str) -> None:
    story = tell()
    letters = last(story)
    assert all("nothing is released or sent to the seller" in letters[template, role] for role in ("buyer", "seller"))
    assert story.do(refunded(story.refund(), "processed")) == ["refund_submitted", "refund_processed"]


def test_what_is_released_is_not_all_for_the_seller() -> None:
    story = disputed(pending())
    story.do(release(), SUPER)
    assert story.transaction.payable_minor(PayoutPurpose.SELLER) < story.price_minor
    for role in ("buyer", "seller"):
        assert "released KES 1,000.00 held for this sale, or" in last(story)["decision_taken", role]


def test_what_is_withheld_names_no_buyer_who_got_nothing_back() -> None:
    letters = last(withheld())
    assert "what you owe on another sale" in letters["payable_withheld", "seller"]
    assert "buyer" not in letters["payable_withheld", "seller"]
