"""Stories about disputes that overlap; their bytes are frozen in `golden/`."""

from domain.policy import Terms
from domain.transaction.commands import WithdrawDispute
from tests.domain import paths
from tests.domain.paths import dispute, pending
from tests.domain.people import BUYER, SELLER
from tests.domain.story import Story


def overlapping() -> Story:
    """The buyer's dispute begins and ends within the seller's; both are withdrawn and the sale goes on."""
    story = paths.revealed(pending(terms=Terms(reserve_bps=500, warranty_seconds=7 * 86400)))
    story.do(dispute(1), SELLER)
    sellers = story.dispute()
    story.wait(hours=1).do(dispute(2), BUYER)
    story.wait(hours=2).do(WithdrawDispute(dispute_id=story.dispute()), BUYER)
    story.wait(hours=3).do(WithdrawDispute(dispute_id=sellers), SELLER)
    story.do(paths.confirm(), BUYER)
    return story
