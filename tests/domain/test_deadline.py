"""Silence: every deadline is recorded, compared with the injected time, and lengthened by an outage."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.errors import Invalid
from domain.policy import MAX_EXTENSION_SECONDS, Silence, Terms
from domain.reason import ReasonTooShort
from domain.transaction.commands import AcknowledgeReveal, ExtendInspection
from domain.transaction.deadline import DeadlineKind
from domain.transaction.inspection import AlreadySettled, ExtensionOutOfRange
from domain.transaction.opening import NotDueYet
from domain.transaction.state import DEADLINES
from domain.transaction.system_commands import EnforceDeadline, ExtendDeadlines
from tests.domain.paths import (
    PHASES,
    REASON,
    asked,
    completed,
    confirm,
    disputed,
    funded,
    lost,
    pending,
    refund,
    release,
    releasing,
    reveal,
    revealed,
    signed,
)
from tests.domain.people import ADMIN, BUYER, BUYER_AS_STAFF, SELLER, SUPER
from tests.domain.story import Story

RESERVE = Terms(reserve_bps=500, warranty_seconds=7 * 86400)


def _asking(story: Story) -> Story:
    disputed(story)
    story.do(release(limit=0), SUPER)
    return story


KINDS: dict[DeadlineKind, tuple[Callable[[Story], Story], timedelta, list[str]]] = {
    DeadlineKind.PAYMENT: (asked, timedelta(hours=24), ["expired"]),
    DeadlineKind.SIGNING: (funded, timedelta(hours=72), ["refund_ordered"]),
    DeadlineKind.REVEAL: (signed, timedelta(hours=72), ["refund_ordered"]),
    DeadlineKind.REDEPOSIT: (lost, timedelta(hours=72), ["refund_ordered"]),
    DeadlineKind.INSPECTION: (revealed, timedelta(hours=72), ["inspection_lapsed", "release_ordered"]),
    DeadlineKind.RESERVE: (releasing, timedelta(days=7), ["reserve_released"]),
    DeadlineKind.DISPUTE: (disputed, timedelta(days=7), ["dispute_escalated"]),
    DeadlineKind.APPROVAL: (_asking, timedelta(hours=24), ["approval_expired"]),
}


def test_every_kind_of_deadline_is_told_of():
    assert set(KINDS) == set(DeadlineKind)


@pytest.mark.parametrize("kind", DeadlineKind)
def test_it_falls_due_to_the_microsecond(kind: DeadlineKind):
    path, after, topics = KINDS[kind]
    story = path(pending(terms=RESERVE))
    assert story.transaction.next_deadline == (kind, story.now + after)
    story.wait_until(story.now + after - timedelta(microseconds=1)).refuses(NotDueYet, EnforceDeadline())
    assert story.wait(microseconds=1).do(EnforceDeadline()) == topics


LENGTHENED = sorted(set(DeadlineKind) - {DeadlineKind.DISPUTE, DeadlineKind.APPROVAL})


@pytest.mark.parametrize("kind", LENGTHENED)
def test_an_outage_lengthens_every_running_deadline_of_the_parties(kind: DeadlineKind):
    assert _is_lengthened(kind)


@pytest.mark.parametrize("forgotten", DEADLINES)
def test_the_test_notices_a_deadline_that_an_outage_leaves_alone(forgotten: str, monkeypatch: pytest.MonkeyPatch):
    """A bug is planted: one of the deadlines does not move, and just those who wait for it lose their time."""
    monkeypatch.setattr("domain.transaction.state.DEADLINES", tuple(set(DEADLINES) - {forgotten}))
    unmoved = [kind for kind in LENGTHENED if not _is_lengthened(kind)]
    assert unmoved != []
    assert len(unmoved) < len(LENGTHENED)


def _is_lengthened(kind: DeadlineKind) -> bool:
    story = KINDS[kind][0](pending(terms=RESERVE))
    due = story.transaction.next_deadline.at
    story.do(ExtendDeadlines(seconds=27 * 3600, reason="outage"))
    return story.transaction.next_deadline == (kind, due + timedelta(hours=27))


@pytest.mark.parametrize("phase", ["completed", "refunded", "cancelled", "expired", "split", "charged_back"])
def test_what_is_over_is_not_lengthened(phase: str):
    story = PHASES[phase](pending())
    story.ignores(ExtendDeadlines(seconds=60, reason="outage"))
    assert story.transaction.next_deadline is None


def test_an_outage_of_no_length_changes_nothing():
    asked(story := pending())
    story.ignores(ExtendDeadlines(seconds=0, reason="outage"))


@pytest.mark.parametrize(
    ("silence", "topics"),
    [
        (Silence.RELEASE, ["inspection_lapsed", "release_ordered"]),
        (Silence.REFUND, ["inspection_lapsed", "refund_ordered"]),
        (Silence.ESCALATE, ["inspection_lapsed"]),
    ],
)
def test_silence_after_an_acknowledged_reveal_means_what_the_terms_say(silence: Silence, topics: list[str]):
    story = revealed(pending(terms=Terms(silence=silence)))
    assert story.wait(hours=72).do(EnforceDeadline()) == topics


@pytest.mark.parametrize("silence", Silence)
def test_a_reveal_that_nobody_acknowledged_is_escalated_never_released(silence: Silence):
    story = signed(pending(terms=Terms(silence=silence)))
    story.do(reveal(), BUYER)
    assert story.wait(hours=72).do(EnforceDeadline()) == ["inspection_lapsed"]
    assert story.transaction.stuck_reason == "awaiting_decision: inspection lapsed"
    story.refuses(NotDueYet, EnforceDeadline())
    story.do(AcknowledgeReveal(), BUYER)
    story.do(confirm(), BUYER)


def test_an_inspection_lapses_once():
    story = revealed(pending(terms=Terms(silence=Silence.ESCALATE)))
    story.wait(hours=72).do(EnforceDeadline())
    story.refuses(NotDueYet, EnforceDeadline())


def test_more_time_counts_from_the_end_or_from_now_whichever_is_later():
    story = revealed(pending(terms=Terms(silence=Silence.ESCALATE)))
    ends = story.transaction.inspection_ends_at
    story.do(ExtendInspection(seconds=3600, reason=REASON), SELLER)
    assert story.transaction.inspection_ends_at == ends + timedelta(hours=1)
    story.wait(days=10).do(EnforceDeadline())
    story.do(ExtendInspection(seconds=3600, reason=REASON), ADMIN)
    assert story.transaction.inspection_ends_at == story.now + timedelta(hours=1)
    assert story.transaction.next_deadline.kind is DeadlineKind.INSPECTION


@pytest.mark.parametrize("seconds", [0, -1, MAX_EXTENSION_SECONDS + 1])
def test_an_extension_has_bounds(seconds: int):
    revealed(story := pending())
    story.refuses(ExtensionOutOfRange, ExtendInspection(seconds=seconds, reason=REASON), SELLER)


def test_an_extension_has_a_reason():
    revealed(story := pending())
    story.refuses(ReasonTooShort, ExtendInspection(seconds=1, reason="short"), SELLER)


def test_a_buyer_with_a_staff_role_does_not_give_himself_more_time():
    story = revealed(pending())
    assert "extend-inspection" not in story.actions(BUYER_AS_STAFF)


def test_where_silence_means_refund_the_seller_cannot_put_the_refund_off():
    story = revealed(pending(terms=Terms(silence=Silence.REFUND)))
    assert "extend-inspection" not in story.actions(SELLER)
    story.do(ExtendInspection(seconds=3600, reason=REASON), ADMIN)


def test_nothing_is_confirmed_twice_or_after_the_lapse():
    releasing(story := pending())
    story.refuses(AlreadySettled, confirm(), BUYER)
    lapsed = revealed(pending())
    lapsed.wait(hours=72).do(EnforceDeadline())
    lapsed.refuses(AlreadySettled, confirm(), BUYER)


def test_confirming_after_the_deadline_counts_while_the_clock_has_not_acted():
    revealed(story := pending())
    story.wait(days=30).do(confirm(), BUYER)


def test_a_partial_refund_does_not_stop_the_lapse_of_the_rest():
    story = disputed(pending())
    story.do(refund(10_000), SUPER)
    story.wait(hours=72).do(EnforceDeadline())
    assert story.last("release_ordered").amount_minor == 90_000


@pytest.mark.parametrize(
    "terms",
    [
        {"fee_bps": -1},
        {"fee_bps": 10_001},
        {"fee_bps": 9_000, "reserve_bps": 1_001},
        {"payment_seconds": 0},
        {"warranty_seconds": -1},
    ],
)
def test_terms_leave_the_seller_something_and_the_parties_time(terms: dict[str, int]):
    with pytest.raises(Invalid):
        Terms(**terms)


def test_completed_nothing_runs():
    assert completed(pending()).transaction.next_deadline is None
