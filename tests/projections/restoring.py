"""Payments in stories that the processor has and the log, once restored, did not know; every second one is settled."""

from domain.restore import DiscoverExternalPayment, PaymentKind, external_payment_id
from tests.projections.stories import SYSTEM, Story

REASON = "The transfer was taken up again"


def tell_of_restoring(story: Story, payments: int) -> None:
    """So many payments."""
    for number, kind in zip(range(1, payments + 1), list(PaymentKind) * payments, strict=False):
        # Of this story alone: the stream is derived from it.
        processor_id = str(story.id().int % 10**15)
        command = DiscoverExternalPayment(
            kind=kind,
            reference=f"po-{number:040}",
            processor_id=processor_id,
            transaction_id=story.id() if number % 3 else None,
            currency="KES",
            amount_minor=1_000 + number,
            status="success",
        )
        payment = command.create(external_payment_id(kind, processor_id), story.context(SYSTEM))
        story.keep(payment)
        if number % 2:
            story.act(payment, SYSTEM, lambda payment=payment: payment.settle(REASON))
        story.wait(hours=1)
