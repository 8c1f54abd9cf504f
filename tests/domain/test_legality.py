"""What the domain records, the verifier calls lawful: its rules were written a second time, and must not cry wolf."""

from dataclasses import replace

from domain.event import Event
from domain.transaction import Transaction
from domain.transaction.system_commands import RecordChargeback, ReturnReceipts
from eventstore.fork import fork
from replay.legality import Objection, advance
from tests.domain.golden_files import events_of, list_files
from tests.domain.golden_stories import STORIES
from tests.domain.paths import charge, chargeback, payout_failed, pending, revealed, transfer
from tests.domain.starts import starts
from tests.domain.walk import MOVES, Position, explore, step


def objections(transaction: Transaction, events: list[Event]) -> list[tuple[str, str]]:
    """What the verifier says against these events after this transaction."""
    folded = fork(transaction)
    for event in events:
        if event.originator_id != transaction.id:
            continue
        try:
            advance(folded, event)
        except Objection as objection:
            return [(event.TOPIC, objection.expected)]
    return []


def test_every_move_from_every_near_position_is_lawful_to_the_verifier():
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for at in explore(starts(), 400):
        for after, events in filter(None, (step(at, move) for move in MOVES)):
            found |= dict.fromkeys(objections(at.transaction, events), after.steps)
    assert found == {}


def test_every_golden_story_is_lawful_to_the_verifier_as_it_is_told_now_and_as_it_was_recorded_once():
    for events in (*(tell().events for tell in STORIES.values()), *map(events_of, list_files())):
        folded = {}
        for event in events:
            folded[event.originator_id] = advance(folded.get(event.originator_id), event)


def test_the_verifier_objects_to_what_the_domain_would_not_record():
    at: Position = starts()[0]
    done = step(at, next(move for move in MOVES if move[0] == "charge"))
    assert done is not None
    assert objections(at.transaction, done[1]) == []
    assert objections(done[0].transaction, done[1]) != []


def test_the_verifier_objects_to_a_payout_that_is_paid_although_it_was_taken_back():
    failed = payout_failed(pending())
    paid, taken_back = failed.fork(), failed.fork()
    paid.do(transfer(paid.payout(), "success"))
    taken_back.do(transfer(taken_back.payout(), "reversed"))
    news = [paid.last("payout_paid_after_all")]
    assert objections(failed.transaction, news) == []
    assert objections(taken_back.transaction, news) != []


def test_the_verifier_objects_to_a_return_of_what_is_known_to_be_disputed():
    """Older logs have such returns: they did not say what a chargeback was of."""
    story = revealed(pending())
    second = charge(story, processor_id="charge-2")
    for report in (second, chargeback("open")):
        story.do(report)
    known, returned = story.fork(), story.fork()
    returned.do(ReturnReceipts())
    known.do(chargeback("open", of=second))
    news = [returned.last("receipt_return_ordered")]
    assert objections(story.transaction, news) == []
    assert objections(known.transaction, news) != []
    named = [known.last("chargeback_charge_named")]
    assert objections(story.transaction, named) == []
    assert objections(known.transaction, named) != []


def test_the_verifier_objects_to_a_charge_that_is_named_twice_but_not_to_its_reference():
    story = revealed(pending())
    second = charge(story, processor_id="charge-2")
    whole = chargeback("open", of=second)
    for report in (second, RecordChargeback(report=replace(whole.report, charge_reference=None))):
        story.do(report)
    by_number = [story.last("chargeback_charge_named")]
    named = story.fork()
    named.do(whole)
    by_reference = [named.last("chargeback_charge_named")]
    assert objections(story.transaction, by_number) != []
    assert objections(story.transaction, by_reference) == []
    assert objections(named.transaction, by_reference) != []
