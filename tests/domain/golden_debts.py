"""Stories about what a seller owes; their bytes are frozen in `golden/`."""

from domain.transaction.system_commands import WithholdPayable
from tests.domain import paths
from tests.domain.paths import chargeback, pending, transfer
from tests.domain.story import Story


def withheld() -> Story:
    """A bank takes a price back after the payout, and the seller's next sale pays what he owes because of it."""
    story = paths.completed(pending())
    story.do(chargeback("lost"))
    sale = paths.releasing(story.beside(price_minor=150_000))
    sale.do(WithholdPayable(owing_transaction_id=story.transaction_id))
    sale.do(paths.pay_out())
    sale.do(transfer(sale.payout(), "success", 2_000))
    return story
