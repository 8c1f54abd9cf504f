"""Our side of the books: whatever an event posts on the processor's accounts has a name that the processor knows."""

from itertools import count
from uuid import UUID

import pytest

from domain.event import Event
from domain.ids import derive_reference
from domain.journal import Account
from domain.transaction.clawback import ClawbackRecoveredWithoutReason
from domain.treasury import FundsMoved
from reconciliation.key import SUBJECTS, Key, key_of_evidence
from reconciliation.records import Records
from tests.domain.golden_files import events_of, list_files

SOLD = UUID(int=1)
NAMELESS = (ClawbackRecoveredWithoutReason, FundsMoved)


def test_every_kind_of_event_that_moves_the_processors_accounts_is_understood() -> None:
    """The golden log has every kind of event; what a seller pays back in cash, and statements, have no name there."""
    for path in list_files():
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
    assert key_of_evidence("account paystack:balance at 2026-11-02T03:00:00+00:00") == Key(
        "account", "paystack:balance"
    )
    assert key_of_evidence("settlement 12.") == Key("settlement", "12")
    assert key_of_evidence("statement of 2 November, settlement 12") is None


@pytest.mark.parametrize(
    "sentence",
    [
        "account statement of 2 November",
        "account paystack:balances",
        "transfer from KCB",
        "transfer of 2 November",
        "settlement of May",
        "settlement 12/2026",
        "settlement 2026-11",
        "settlement 1,250.00 KES",
        "charge back",
        "charge 2nd",
        "refund to the buyer",
        "dispute lost in May",
        "balance entry of Monday",
        "movement of funds",
    ],
)
def test_an_ordinary_sentence_names_nothing(sentence: str) -> None:
    assert key_of_evidence(sentence) is None


@pytest.mark.parametrize("subject", sorted(SUBJECTS))
def test_whatever_has_a_name_is_found_again_under_it(subject: str) -> None:
    names = {
        "account": [*Account],
        "charge": ["4711", derive_reference("ch", SOLD, "price", 1)],
        "refund": ["4711", derive_reference("rf", SOLD, "refund", 1)],
        "transfer": [
            "4711",
            "TRF_abcdefgh",
            "made_by_hand_in_dashboard",
            "1ih9lc0qh1",
            derive_reference("po", SOLD, "seller", 1),
        ],
    }
    for name in names.get(subject, ["4711"]):
        key = Key(subject, str(name))
        assert key_of_evidence(str(key)) == key
        assert key_of_evidence(f"{key}, says the bank") == key


def test_a_payout_is_found_again_also_under_one_of_the_few_references_without_a_digit() -> None:
    references = (derive_reference("po", SOLD, "seller", attempt) for attempt in count())
    reference = next(each for each in references if not any(letter.isdigit() for letter in each))
    assert key_of_evidence(f"transfer {reference}") == Key("transfer", reference)
