"""Stories about chargebacks of money that was never the price; their bytes are frozen in `golden/`."""

from dataclasses import replace

from domain.money import Currency
from domain.transaction.system_commands import RecordChargeback, ReturnReceipts
from tests.domain import paths
from tests.domain.paths import charge, chargeback, pending, refunded
from tests.domain.story import Story


def stray_taken_back() -> Story:
    """A sale is paid three times: one payment is taken back on its return, another before anybody has heard of it."""
    story = paths.revealed(pending())
    second = charge(story, 100_000, processor_id="second")
    story.do(second)
    story.do(ReturnReceipts())
    story.do(chargeback("lost", of=second))
    story.do(charge(story, 50_000, processor_id="fourth"))
    story.do(ReturnReceipts())
    story.do(refunded(story.refund(), "failed"))
    story.do(chargeback("lost", 50_000, number="dispute-4", of=charge(story, 50_000, processor_id="fourth")))
    third = charge(story, 100_000, processor_id="third")
    story.do(chargeback("lost", 60_000, number="dispute-2", of=third))
    story.do(third)
    return story


def taken_back_on_its_way() -> Story:
    """Refunds of the price and of a second payment were on their way when both were taken back, and came to nothing."""
    story = paths.splitting(pending())
    second = charge(story, 100_000, processor_id="second")
    story.do(second)
    story.do(ReturnReceipts())
    of_price, of_second = story.transaction.refunds
    story.do(refunded(of_price, "pending"))
    story.do(refunded(of_second, "uncertain"))
    story.do(chargeback("lost", 60_000))
    story.do(chargeback("lost", number="dispute-2", of=second))
    story.do(refunded(of_price, "failed"))
    story.do(refunded(of_second, "refused"))
    return story


def taken_back_in_naira() -> Story:
    """Money in another currency than the price's is disputed while it waits, then taken back; of another charge too."""
    story = paths.completed(pending())
    naira = charge(story, 30_000, currency=Currency.NGN, processor_id="naira")
    story.do(naira)
    for number, of in (("dispute-1", naira), ("dispute-2", charge(story, processor_id="unheard"))):
        for outcome in ("open", "lost"):
            report = chargeback(outcome, 20_000, number=number, of=of).report
            story.do(RecordChargeback(report=replace(report, currency="NGN")))
    story.do(ReturnReceipts())
    return story


def disputed_late() -> Story:
    """A sale is paid twice; nobody says at first which payment the buyer's bank disputes, then it takes the second."""
    story = paths.revealed(pending())
    story.do(charge(story, 100_000, processor_id="second"))
    story.do(chargeback("open"))
    story.do(chargeback("open", of=charge(story, 100_000, processor_id="second")))
    story.do(ReturnReceipts())
    story.do(chargeback("lost"))
    story.do(ReturnReceipts())
    return story


CHARGEBACKS = (stray_taken_back, disputed_late, taken_back_on_its_way, taken_back_in_naira)
