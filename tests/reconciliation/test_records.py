"""Our side of the books: whatever an event posts on the processor's accounts has a name that the processor knows."""

from domain.event import Event
from domain.journal import Account
from domain.transaction.clawback import ClawbackRecovered
from domain.treasury import FundsMoved
from reconciliation.key import Key, key_of_evidence
from reconciliation.records import Records
from tests.domain.test_golden_log import FILES, events_of

NAMELESS = (ClawbackRecovered, FundsMoved)


def test_every_kind_of_event_that_moves_the_processors_accounts_is_understood() -> None:
    """The golden log has every kind of event; what a seller pays back in cash, and statements, have no name there."""
    for path in FILES:
        records = Records()
        for position, event in enumerate(events_of(path), 1):
            before = len(records.lines)
            records.fold([(position, event)])
            assert not _nameless(event, records, before), f"{path.stem}: say in Records what {event.TOPIC} is about"


def _nameless(event: Event, records: Records, before: int) -> bool:
    lines = [line for line in records.lines[before:] if line.account is not Account.BANK]
    return not isinstance(event, NAMELESS) and any(line.key is None for line in lines)


def test_evidence_names_a_thing_only_at_its_beginning() -> None:
    assert key_of_evidence("settlement 12") == Key("settlement", "12")
    assert key_of_evidence("transfer po-abc, says the bank") == Key("transfer", "po-abc")
    assert key_of_evidence("account paystack:balance") == Key("account", "paystack:balance")
    assert key_of_evidence("statement of 2 November, settlement 12") is None
