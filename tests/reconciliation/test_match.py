"""The matcher, on paper: nothing false is found, and whatever is planted is found and named."""

import dataclasses
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.journal import Account
from domain.money import Currency
from domain.reconciliation import DifferenceKind as Kind
from domain.treasury import Movement
from gateways.bookkeeping import BalanceCause
from gateways.payment import ChargeStatus, RefundStatus, TransferStatus
from reconciliation.match import Outcome
from tests.reconciliation.paper import Paper, write

SEEDS = range(40)
change = dataclasses.replace


def kinds(outcome: Outcome) -> set[Kind]:
    return {difference.kind for difference in outcome.differences}


@pytest.mark.guarantee("G17", faults="none: no false alarm", runs="every seed")
@pytest.mark.parametrize("seed", SEEDS)
def test_books_that_agree_have_no_difference_and_every_line_is_matched(seed: int) -> None:
    paper = write(seed, sales=30)
    outcome = paper.match()
    assert outcome.differences == ()
    things = len(paper.charges) + len(paper.transfers) + len(paper.refunds) + len(paper.settlements)
    assert outcome.matched == things + len(paper.entries)
    assert outcome.pending == 0
    assert all(figure.unexplained_minor == 0 for figure in outcome.figures)


def without(things: list[Any], thing: Any) -> tuple[Any, ...]:
    return tuple(each for each in things if each is not thing)


def swapped(things: list[Any], thing: Any, **changes: Any) -> tuple[Any, ...]:
    return tuple(change(each, **changes) if each is thing else each for each in things)


def paid(paper: Paper, dice: random.Random) -> Any:
    return dice.choice([each for each in paper.transfers if each.status is TransferStatus.SUCCESS])


def kept(paper: Paper, dice: random.Random) -> Any:
    return dice.choice([each for each in paper.charges if each.status is ChargeStatus.SUCCESS])


def of_transfer(paper: Paper, dice: random.Random) -> Any:
    return dice.choice([each for each in paper.entries if each.cause is BalanceCause.TRANSFER])


Plant = Callable[[Paper, random.Random], dict[str, Any]]

PLANTS: list[tuple[Kind, str, Plant]] = [
    (
        Kind.MISSING_HERE,
        "a charge",
        lambda p, d: {"charges": (*p.charges, change(kept(p, d), processor_id=9_001, reference="shop-1"))},
    ),
    (
        Kind.MISSING_HERE,
        "a transfer",
        lambda p, d: {"transfers": (*p.transfers, change(paid(p, d), processor_id=9_002, reference="po-made-by-hand"))},
    ),
    (
        Kind.MISSING_HERE,
        "a refund",
        lambda p, d: {
            "refunds": (*p.refunds, change(d.choice(p.refunds), processor_id=9_003, merchant_note="by hand"))
        },
    ),
    (
        Kind.MISSING_HERE,
        "a settlement",
        lambda p, d: {"settlements": (*p.settlements, change(d.choice(p.settlements), processor_id=9_004))},
    ),
    (
        Kind.MISSING_HERE,
        "a line of the balance",
        lambda p, d: {"entries": (*p.entries, change(of_transfer(p, d), processor_id=9_005, cause_id=9_005))},
    ),
    (Kind.MISSING_THERE, "a charge", lambda p, d: {"charges": without(p.charges, kept(p, d))}),
    (Kind.MISSING_THERE, "a transfer", lambda p, d: _never_sent(p, paid(p, d))),
    (Kind.MISSING_THERE, "a refund", lambda p, d: {"refunds": without(p.refunds, d.choice(p.refunds))}),
    (Kind.MISSING_THERE, "a settlement", lambda p, d: {"settlements": without(p.settlements, d.choice(p.settlements))}),
    (Kind.AMOUNT, "a charge", lambda p, d: {"charges": _amount(p.charges, kept(p, d))}),
    (Kind.AMOUNT, "a transfer", lambda p, d: {"transfers": _amount(p.transfers, paid(p, d))}),
    (Kind.AMOUNT, "a refund", lambda p, d: {"refunds": _amount(p.refunds, d.choice(p.refunds))}),
    (
        Kind.AMOUNT,
        "a settlement",
        lambda p, d: {"settlements": _effective(p.settlements, d.choice(p.settlements))},
    ),
    (Kind.CURRENCY, "a charge", lambda p, d: {"charges": swapped(p.charges, kept(p, d), currency="GHS")}),
    (Kind.CURRENCY, "a transfer", lambda p, d: {"transfers": swapped(p.transfers, paid(p, d), currency="GHS")}),
    (Kind.CURRENCY, "a refund", lambda p, d: {"refunds": swapped(p.refunds, d.choice(p.refunds), currency="GHS")}),
    (
        Kind.STATUS,
        "a charge",
        lambda p, d: {"charges": swapped(p.charges, kept(p, d), status=ChargeStatus.FAILED)},
    ),
    (
        Kind.STATUS,
        "a transfer",
        lambda p, d: {"transfers": swapped(p.transfers, paid(p, d), status=TransferStatus.FAILED)},
    ),
    (
        Kind.DUPLICATE,
        "a charge",
        lambda p, d: {"charges": (*p.charges, change(kept(p, d), processor_id=9_006))},
    ),
    (
        Kind.DUPLICATE,
        "a transfer",
        lambda p, d: {"transfers": (*p.transfers, change(paid(p, d), processor_id=9_007, transfer_code="TRF_x"))},
    ),
    (
        Kind.DUPLICATE,
        "a refund",
        lambda p, d: {"refunds": (*p.refunds, change(d.choice(p.refunds), processor_id=9_008))},
    ),
    (
        Kind.DUPLICATE,
        "a line of the balance",
        lambda p, d: {"entries": (*p.entries, change(of_transfer(p, d), processor_id=9_009))},
    ),
    (Kind.FEE, "a charge", lambda p, d: {"charges": _fee(p.charges, kept(p, d))}),
    (Kind.FEE, "a transfer", lambda p, d: {"transfers": _fee(p.transfers, paid(p, d))}),
    (
        Kind.REVERSED,
        "a charge",
        lambda p, d: {"charges": swapped(p.charges, kept(p, d), status=ChargeStatus.REVERSED)},
    ),
    (
        Kind.REVERSED,
        "a transfer",
        lambda p, d: {"transfers": swapped(p.transfers, paid(p, d), status=TransferStatus.REVERSED)},
    ),
]


def _never_sent(paper: Paper, transfer: Any) -> dict[str, Any]:
    """It is in neither list: it moved nothing."""
    mine = [each for each in paper.entries if (each.cause, each.cause_id) == ("Transfer", transfer.processor_id)]
    paper.balance[transfer.currency] -= sum(each.difference_minor for each in mine)
    left = tuple(each for each in paper.entries if each not in mine)
    return {"transfers": without(paper.transfers, transfer), "entries": left}


def _amount(things: list[Any], thing: Any) -> tuple[Any, ...]:
    return swapped(things, thing, amount_minor=thing.amount_minor + 1)


def _effective(things: list[Any], thing: Any) -> tuple[Any, ...]:
    return swapped(things, thing, effective_minor=thing.effective_minor - 7)


def _fee(things: list[Any], thing: Any) -> tuple[Any, ...]:
    return swapped(things, thing, fee_minor=thing.fee_minor + 5)


@pytest.mark.guarantee("G17", planted="each kind of difference on each kind of object, on paper")
@pytest.mark.parametrize(("kind", "what", "plant"), PLANTS, ids=[f"{kind} of {what}" for kind, what, _ in PLANTS])
def test_what_is_planted_is_found_and_named_once(kind: Kind, what: str, plant: Plant) -> None:
    del what
    for seed in SEEDS:
        paper = write(seed)
        (found,) = paper.match(**plant(paper, random.Random(seed))).differences
        assert found.kind is kind
        assert found.sentence.endswith(".")
        assert found.command.startswith("escrow ")


def test_a_refund_that_failed_explains_no_reversal() -> None:
    paper = write(1)
    charge = kept(paper, random.Random(1))
    failed = change(
        paper.refunds[0],
        processor_id=9_014,
        merchant_note="by hand",
        status=RefundStatus.FAILED,
        amount_minor=charge.amount_minor,
        currency=charge.currency,
        charge_reference=charge.reference,
        charge_id=charge.processor_id,
    )
    reversed_ = swapped(paper.charges, charge, status=ChargeStatus.REVERSED)
    (found,) = paper.match(charges=reversed_, refunds=(*paper.refunds, failed)).differences
    assert (found.kind, found.reference) == (Kind.REVERSED, charge.reference)
    processed = change(failed, status=RefundStatus.PROCESSED)
    assert kinds(paper.match(charges=reversed_, refunds=(*paper.refunds, processed))) == {Kind.MISSING_HERE}


def test_two_charges_of_the_same_amount_are_never_taken_for_each_other() -> None:
    paper = write(1)
    other = change(kept(paper, random.Random(1)), processor_id=9_010, reference="shop-2")
    lost = kept(paper, random.Random(1))
    found = paper.match(charges=(*without(paper.charges, lost), other)).differences
    assert {difference.kind for difference in found} == {Kind.MISSING_HERE, Kind.MISSING_THERE}


def test_what_is_younger_than_half_an_hour_is_pending() -> None:
    paper = write(1)
    new = change(kept(paper, random.Random(1)), processor_id=9_011, reference="shop-3", paid_at=paper.at)
    found = paper.match(now=paper.at, charges=(*paper.charges, new))
    assert found.differences == ()
    assert found.pending == 1


@pytest.mark.parametrize("reference", ["rent", 'po-1"; rm -r /; "'])
def test_what_has_a_name_that_evidence_cannot_carry_has_no_command_that_books(reference: str) -> None:
    paper = write(1)
    by_hand = change(paid(paper, random.Random(1)), processor_id=9_015, reference=reference)
    line = change(of_transfer(paper, random.Random(1)), processor_id=9_016, cause_id=9_015, currency=by_hand.currency)
    paper.balance[line.currency] += line.difference_minor
    (found,) = paper.match(transfers=(*paper.transfers, by_hand), entries=(*paper.entries, line)).differences
    assert (found.kind, found.reference) == (Kind.MISSING_HERE, reference)
    assert found.command == f"escrow ledger entries {Account.BALANCE} --currency {line.currency}"


def test_a_top_up_is_paired_whatever_sentence_is_its_evidence() -> None:
    for sentence in ("transfer from KCB", "account statement of 2 November", "settlement of May"):
        paper = write(1)
        paper.at += timedelta(days=4)
        paper.move(BalanceCause.UNKNOWN, None, Currency.KES, 5_000)
        paper.record(Movement.BALANCE_TOPPED_UP, Currency.KES, 5_000, sentence)
        assert paper.match().differences == ()


def test_a_balance_that_no_line_explains_is_named() -> None:
    paper = write(2)
    paper.balance["KES"] += 500
    (found,) = paper.match().differences
    assert (found.kind, found.subject, found.processor_minor) == (Kind.BALANCE, "account", paper.balance["KES"])
    paper.record(Movement.BALANCE_OVER, Currency.KES, 500, f"account {Account.BALANCE}")
    assert paper.match().differences == ()


@pytest.mark.parametrize("seed", range(10))
def test_pasting_the_command_settles_a_difference_for_good(seed: int) -> None:
    paper = write(seed)
    extra = change(of_transfer(paper, random.Random(seed)), processor_id=9_012, cause_id=9_012)
    paper.entries.append(extra)
    paper.balance[extra.currency] += extra.difference_minor
    (found,) = paper.match().differences
    paper.paste(found.command)
    assert paper.match().differences == ()


@pytest.mark.parametrize("seed", range(10))
def test_pasting_the_command_settles_a_fee_and_an_unknown_charge(seed: int) -> None:
    paper = write(seed)
    _, thing = paper.charge()
    paper.charges[paper.charges.index(thing)] = change(thing, fee_minor=thing.fee_minor + 5)
    paper.charges.append(change(thing, processor_id=9_013, reference="shop-4"))
    found = paper.match().differences
    assert {difference.kind for difference in found} == {Kind.FEE, Kind.MISSING_HERE}
    for difference in found:
        paper.paste(difference.command)
    assert paper.match().differences == ()


def test_a_movement_that_never_happened_is_named_and_can_be_taken_back() -> None:
    paper = write(3)
    paper.record(Movement.CHARGES_SETTLED, Currency.KES, 12_345, "the statement of Monday")
    (found,) = paper.match().differences
    assert (found.kind, found.subject) == (Kind.MISSING_THERE, "movement")
    paper.paste(found.command)
    assert paper.match().differences == ()


def test_two_top_ups_of_one_amount_on_one_day_are_not_guessed_at() -> None:
    paper = write(3)
    paper.top_up(Currency.KES)
    found = paper.match().differences
    assert {difference.kind for difference in found} == {Kind.MISSING_HERE, Kind.MISSING_THERE}
    assert len(found) == 4


def test_a_refund_that_no_settlement_has_kept_yet_explains_the_balance() -> None:
    paper = write(4)
    transaction_id, charge = paper.charge()
    refund = paper.give_back(transaction_id, charge)
    paper.balance[refund.currency] += refund.amount_minor
    paper.entries.pop()
    assert paper.match().differences == ()
