"""All that can be reached: every position has an exit, says why it is stuck, and offers exactly what succeeds."""

import pytest

from domain.actor import Actor
from domain.errors import EscrowError
from domain.journal import Account
from domain.transaction.actions import ACTIONS
from domain.transaction.phase import TERMINAL, Phase
from domain.transaction.records import RefundStatus
from tests.domain.offers import OFFERS
from tests.domain.people import EVERYBODY
from tests.domain.starts import starts
from tests.domain.walk import Position, explore, resolve

NEAR, FAR = 1_000, 20_000


@pytest.fixture(scope="module")
def positions() -> list[Position]:
    """The nearest positions from there."""
    return list(explore(starts(), NEAR))


def is_left(at: Position) -> bool:
    """Whether anything is left to do, asked of the tracks and accounts one by one."""
    t = at.transaction
    waiting = t.suspense or t.open_disputes or any(p.status.is_open for p in t.payouts.values())
    refunds = any(r.status.is_open for r in t.refunds.values())
    abroad = any(r.status is RefundStatus.FAILED and r.currency != t.price.currency for r in t.refunds.values())
    return bool(waiting or refunds or abroad or not t.is_flat or t.receivable_minor or t.phase not in TERMINAL)


def test_the_walk_sees_every_phase(positions: list[Position]):
    assert {at.transaction.phase for at in positions} == set(Phase)


def test_no_position_is_without_an_exit_though_no_party_does_anything(positions: list[Position]):
    for at in positions:
        assert_ends(at)


@pytest.mark.soak
def test_no_far_position_is_without_an_exit_either():
    for at in explore(starts(), FAR):
        assert_ends(at)
        assert (at.transaction.stuck_reason is not None) == is_left(at), at.steps


def assert_ends(at: Position) -> None:
    end = resolve(at)
    assert end.transaction.is_over, end.steps
    assert end.transaction.phase in TERMINAL


def test_it_says_why_it_is_stuck_exactly_while_something_is_left_to_do(positions: list[Position]):
    for at in positions:
        assert (at.transaction.stuck_reason is not None) == is_left(at), (at.steps, at.transaction.stuck_reason)


@pytest.mark.guarantee("G2", faults="every position that a walk through the machine reaches", runs="all")
def test_what_ended_is_flat_unless_a_chargeback_or_a_stray_charge_came_on_top(positions: list[Position]):
    for at in positions:
        t = at.transaction
        if t.phase in TERMINAL - {Phase.CHARGED_BACK, Phase.CANCELLED, Phase.EXPIRED}:
            assert t.is_flat, at.steps
        if t.phase in {Phase.CANCELLED, Phase.EXPIRED}:
            assert t.held_minor == t.owed(Account.SELLER_PAYABLE) == 0


def test_every_action_is_offered_to_somebody_somewhere(positions: list[Position]):
    known = set(ACTIONS)
    assert set(OFFERS) == known
    seen = {name for at in positions for actor in EVERYBODY.values() for name in allowed(at, actor)}
    assert seen == known


def allowed(at: Position, actor: Actor) -> tuple[str, ...]:
    return at.transaction.allowed_actions(actor, at.now)


def succeeds(at: Position, actor: Actor, name: str) -> bool:
    try:
        at.do(OFFERS[name](at, actor), actor)
    except EscrowError:
        return False
    return True


def test_a_command_succeeds_exactly_when_it_is_among_the_permitted_actions(positions: list[Position]):
    for at in positions[:: max(1, len(positions) // 250)]:
        for person, actor in EVERYBODY.items():
            found = {name for name in OFFERS if succeeds(at, actor, name)}
            assert set(allowed(at, actor)) == found, (person, at.steps)


def test_asking_what_is_permitted_changes_nothing(positions: list[Position]):
    for at in positions[:50]:
        before = repr(vars(at.transaction))
        for actor in EVERYBODY.values():
            allowed(at, actor)
        assert repr(vars(at.transaction)) == before
