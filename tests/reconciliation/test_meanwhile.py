"""What is recorded while a run reads: the lists are older than the books, and nothing is concluded from that yet."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.reconciliation import DifferenceKind as Kind
from gateways.bookkeeping import SettlementStatus
from gateways.payment import ChargeStatus, RefundStatus, TransferStatus
from reconciliation.finding import GRACE
from tests.reconciliation.paper import Paper, write

change = dataclasses.replace
Plant = Callable[[Paper], dict[str, Any]]


def happen(paper: Paper, what: str) -> None:
    """Long after everything else, one thing more."""
    paper.at += timedelta(days=2)
    sale = paper.charge()
    match what:
        case "transfer":
            paper.pay_out(*sale)
        case "refund":
            paper.give_back(*sale)
        case "settlement":
            paper.settle(to_bank=True)
        case _:
            assert what == "charge"


def forget_lines(paper: Paper, cause_id: int) -> tuple[Any, ...]:
    mine = [each for each in paper.entries if each.cause_id == cause_id]
    for each in mine:
        paper.balance[each.currency] -= each.difference_minor
    return tuple(each for each in paper.entries if each not in mine)


def forget_charges(paper: Paper) -> dict[int, int]:
    """Which charges a settlement paid out is asked for when it is listed as paid."""
    last = paper.settlements[-1].processor_id
    return {charge: settlement for charge, settlement in paper.settled.items() if settlement != last}


UNLISTED: list[tuple[str, Plant]] = [
    ("charge", lambda p: {"charges": tuple(p.charges[:-1])}),
    (
        "transfer",
        lambda p: {"transfers": tuple(p.transfers[:-1]), "entries": forget_lines(p, p.transfers[-1].processor_id or 0)},
    ),
    ("refund", lambda p: {"refunds": tuple(p.refunds[:-1]), "entries": forget_lines(p, p.refunds[-1].processor_id)}),
    ("settlement", lambda p: {"settlements": tuple(p.settlements[:-1]), "settled_charges": forget_charges(p)}),
]
OPEN_STILL: list[tuple[str, Plant]] = [
    ("charge", lambda p: {"charges": (*p.charges[:-1], change(p.charges[-1], status=ChargeStatus.ONGOING))}),
    ("transfer", lambda p: {"transfers": (*p.transfers[:-1], change(p.transfers[-1], status=TransferStatus.PENDING))}),
    ("refund", lambda p: {"refunds": (*p.refunds[:-1], change(p.refunds[-1], status=RefundStatus.PENDING))}),
    (
        "settlement",
        lambda p: {
            "settlements": (*p.settlements[:-1], change(p.settlements[-1], status=SettlementStatus.PENDING)),
            "settled_charges": forget_charges(p),
        },
    ),
]


def find_half_an_hour_later(what: str, plant: Plant) -> list[tuple[Kind, str]]:
    """It is pending now; return what is found later, if nothing changes."""
    paper = write(1)
    happen(paper, what)
    lists = plant(paper)
    now = paper.match(now=paper.at, **lists)
    assert now.differences == ()
    assert now.pending
    return [(each.kind, each.subject) for each in paper.match(now=paper.at + GRACE, **lists).differences]


@pytest.mark.guarantee("G17", faults="each thing recorded between the reading of the lists and of the log")
@pytest.mark.parametrize(("what", "plant"), UNLISTED, ids=[what for what, _ in UNLISTED])
def test_what_was_recorded_after_the_list_was_read_is_pending_and_missing_half_an_hour_later(
    what: str, plant: Plant
) -> None:
    assert find_half_an_hour_later(what, plant) == [(Kind.MISSING_THERE, what)]


@pytest.mark.parametrize(("what", "plant"), OPEN_STILL, ids=[what for what, _ in OPEN_STILL])
def test_what_ended_after_the_list_was_read_is_pending_and_differs_half_an_hour_later(what: str, plant: Plant) -> None:
    assert (Kind.STATUS, what) in find_half_an_hour_later(what, plant)
