"""Runs of the reconciliation in stories, one with a difference and one without in turn."""

from datetime import timedelta

from domain.reconciliation import AccountFigure, Difference, DifferenceKind, RecordReconciliation
from tests.projections.stories import SYSTEM, Story

DIFFERENCE = Difference(
    kind=DifferenceKind.AMOUNT,
    subject="transfer",
    reference="po-1",
    processor_id="77",
    transaction_id=None,
    currency="KES",
    ledger_minor=500,
    processor_minor=400,
    sentence="Paystack paid 100 less than the books say.",
    command="escrow reconcile --ask po-1",
)


def tell_of_reconciling(story: Story, runs: int) -> None:
    """So many nights."""
    for night in range(1, runs + 1):
        command = RecordReconciliation(
            since=story.at - timedelta(days=35),
            until=story.at,
            position=night,
            matched=10 * night,
            pending=night,
            figures=(AccountFigure("paystack:balance", "KES", 900, 800, 0, -100),),
            differences=(DIFFERENCE,) * (night % 2 + 1),
        )
        story.keep(command.create(story.id(), story.context(SYSTEM)))
        story.wait(days=1)
