"""Compensation: after a finding against the platform, within the cap, by a super_admin, above the limit by two."""

from domain.money import AmountNotPositive
from domain.reason import ReasonTooShort
from domain.transaction.approval import PlatformNotAtFault
from domain.transaction.compensation import CompensationTooLarge
from domain.transaction.records import Finding
from domain.transaction.staff_commands import Compensate, GrantApproval
from tests.domain.paths import REASON, compensating, disputed, pending, resolve
from tests.domain.people import SECOND, SUPER


def grant(amount_minor: int, *, limit: int | None = 10**9, reason: str = REASON) -> Compensate:
    return Compensate(amount_minor=amount_minor, reason=reason, limit_usd_cents=limit)


def test_it_needs_a_finding_against_the_platform():
    story = disputed(pending())
    story.refuses(PlatformNotAtFault, grant(1), SUPER)
    story.do(resolve(story, Finding.SELLER), SUPER)
    story.refuses(PlatformNotAtFault, grant(1), SUPER)


def test_it_may_follow_the_finding_with_a_note_and_a_decision_in_one_append():
    story = compensating(pending())
    assert story.do(grant(5_000), SUPER) == ["decision_taken", "note_added", "compensation_granted"]


def test_all_grants_together_stay_within_a_fifth_of_the_price():
    story = compensating(pending())
    assert story.refuses(CompensationTooLarge, grant(15_001), SUPER).facts["remaining_minor"] == 15_000
    story.do(grant(15_000), SUPER)
    story.refuses(CompensationTooLarge, grant(1), SUPER)
    assert "compensate" not in story.actions(SUPER)


def test_it_is_an_amount_with_a_reason():
    story = compensating(pending())
    story.refuses(AmountNotPositive, grant(0), SUPER)
    story.refuses(ReasonTooShort, grant(1, reason="sorry"), SUPER)


def test_above_the_limit_it_takes_two_and_break_glass_does_not_help():
    for limit in (0, None):
        story = compensating(pending())
        assert story.do(grant(5_000, limit=limit), SUPER) == ["approval_requested"]
        assert "compensation_granted" in story.do(GrantApproval(approval_id=story.approval()), SECOND)
