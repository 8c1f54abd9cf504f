"""A settlement is booked whole: also when the process dies between the two movements that one to the bank needs."""

import dataclasses
from typing import Any

import pytest

from domain.money import Currency
from domain.reconciliation import DifferenceKind as Kind
from domain.treasury import MoveFunds, Movement
from gateways.paystack.sim.state import Behaviour
from reconciliation.finding import GRACE
from reconciliation.run import book_settlements, reconcile
from reconciliation.settlement import list_due
from tests.conftest import Database
from tests.killed import Killed
from tests.reconciliation.keeping import keep, lose
from tests.reconciliation.paper import Paper, write
from tests.reconciliation.world import Business, run

change = dataclasses.replace
KEPT_MINOR = 100


class Dying:
    """An escrow whose process dies when it is to move funds for the second time."""

    def __init__(self, escrow: Any) -> None:
        self._escrow = escrow
        self._moved = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._escrow, name)

    async def execute(self, stream_id: Any, command: Any, request: Any) -> Any:
        self._moved += isinstance(command, MoveFunds)
        if self._moved > 1:
            raise Killed
        return await self._escrow.execute(stream_id, command, request)


@pytest.mark.guarantee("G17", faults="the process dies between the two movements of one settlement")
@pytest.mark.parametrize("by_worker", [True, False], ids=["the worker", "a run"])
def test_what_a_crash_left_of_a_settlement_is_booked_by_the_next_look(database: Database, *, by_worker: bool) -> None:
    async def story(business: Business) -> None:
        for _ in range(2):
            await business.world.hold()
        await business.sell(2)
        business.world.wait(hours=1)
        await business.until_settled()
        business.fold()
        dying = dataclasses.replace(business.desk, escrow=Dying(business.world.escrow))
        with pytest.raises(Killed):
            await (book_settlements(dying) if by_worker else reconcile(dying, "dies"))
        business.fold()
        booked = await book_settlements(business.desk) if by_worker else (await business.reconcile("next")).booked
        assert [each.movement for each in booked] == [Movement.CHARGES_SETTLED_TO_BANK, Movement.REFUND_DEDUCTED]
        assert await book_settlements(business.desk) == ()
        business.world.wait(hours=1)
        again = await business.reconcile("again")
        assert (again.booked, again.outcome.differences) == ((), ())

    run(database, story, Behaviour(settles_to="bank", settle_seconds=600.0))


def half_booked(movement: Movement, amount_minor: int | None = None) -> Paper:
    """A settlement to the bank that kept a chargeback, of which one movement is booked."""
    paper = write(5)
    lose(paper, amount_minor=KEPT_MINOR)
    keep(paper, KEPT_MINOR)
    del paper.events[-2:]
    last = paper.settlements[-1]
    due = {Movement.CHARGES_SETTLED: KEPT_MINOR, Movement.CHARGES_SETTLED_TO_BANK: last.effective_minor}
    paper.record(movement, Currency.KES, amount_minor or due[movement], f"settlement {last.processor_id}")
    return paper


def due_of(paper: Paper) -> list[tuple[Movement, int]]:
    return [(each.movement, each.amount_minor) for each in list_due(paper.books(), paper.records())]


def test_the_rest_is_due_when_exactly_one_movement_is_booked() -> None:
    arrived = half_booked(Movement.CHARGES_SETTLED).settlements[-1].effective_minor
    assert due_of(half_booked(Movement.CHARGES_SETTLED)) == [(Movement.CHARGES_SETTLED_TO_BANK, arrived)]
    assert due_of(half_booked(Movement.CHARGES_SETTLED_TO_BANK)) == [(Movement.CHARGES_SETTLED, KEPT_MINOR)]


def test_where_anything_else_is_booked_a_person_decides() -> None:
    other = half_booked(Movement.CHARGES_SETTLED, KEPT_MINOR + 1)
    assert due_of(other) == []
    assert Kind.AMOUNT in {each.kind for each in other.match().differences}
    corrected = half_booked(Movement.CHARGES_SETTLED)
    evidence = f"settlement {corrected.settlements[-1].processor_id}"
    corrected.record(Movement.UNCLEARED_SHORT, Currency.KES, 1, evidence)
    assert due_of(corrected) == []
    twice = half_booked(Movement.CHARGES_SETTLED)
    twice.record(Movement.CHARGES_SETTLED, Currency.KES, KEPT_MINOR, evidence)
    assert due_of(twice) == []


def test_a_run_that_books_nothing_names_the_rest_with_the_command_that_books_it() -> None:
    paper = half_booked(Movement.CHARGES_SETTLED)
    booking = paper.match(now=paper.at)
    assert (booking.differences, booking.pending) == ((), 1)
    (found,) = paper.match(now=paper.at + GRACE).differences
    assert (found.kind, found.subject) == (Kind.MISSING_HERE, "settlement")
    assert found.command.startswith(f"escrow ledger record {Movement.CHARGES_SETTLED_TO_BANK} ")
    paper.paste(found.command)
    assert due_of(paper) == []
    assert paper.match(now=paper.at + 2 * GRACE).differences == ()
