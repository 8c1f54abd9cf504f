"""Stories about what a seller owes; their bytes are frozen in `golden/`."""

from domain.transaction.staff_commands import RecoverInCash
from domain.transaction.system_commands import WithholdPayable
from tests.domain import paths
from tests.domain.paths import REASON, chargeback, pending, transfer
from tests.domain.people import SUPER
from tests.domain.story import Story


def paid_back() -> Story:
    """After a chargeback the seller pays back a part, and a payout of his that came back settles the rest."""
    story = paths.completed(pending())
    story.do(chargeback("lost"))
    story.do(RecoverInCash(amount_minor=1_000, reason=REASON), SUPER)
    story.do(transfer(story.payout(), "reversed"))
    return story


def withheld() -> Story:
    """A bank takes a price back after the payout, and the seller's next sale pays what he owes because of it."""
    story = paths.completed(pending())
    story.do(chargeback("lost"))
    sale = paths.releasing(story.beside(price_minor=150_000))
    sale.do(WithholdPayable(owing_transaction_id=story.transaction_id))
    sale.do(paths.pay_out())
    sale.do(transfer(sale.payout(), "success", 2_000))
    return story
