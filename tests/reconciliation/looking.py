"""A run over two papers as it comes at a time: it reads no further back than a run does."""

from datetime import datetime, timedelta

from reconciliation.books import PADDING
from reconciliation.finding import Window
from reconciliation.match import Outcome, match
from reconciliation.records import Records
from reconciliation.run import EARLIER, LENGTH
from tests.reconciliation.paper import Paper


def reconcile(paper: Paper, now: datetime) -> Outcome:
    """Hold against each other what a run at that time reads of both sides; the totals are of everything."""
    window = Window(since=now - LENGTH, now=now)
    edge = window.since - PADDING - timedelta(hours=1)
    lately = {
        "charges": tuple(each for each in paper.charges if each.created_at >= edge),
        "transfers": tuple(each for each in paper.transfers if each.created_at >= edge),
        "refunds": tuple(each for each in paper.refunds if each.created_at >= edge),
        "settlements": tuple(each for each in paper.settlements if each.settled_at >= edge),
        "entries": tuple(each for each in paper.entries if each.created_at >= edge),
    }
    listed = {each.processor_id for each in lately["settlements"]}
    settled = {charge: settlement for charge, settlement in paper.settled.items() if settlement in listed}
    records = Records()
    records.fold(
        (position, event) for position, event in paper.events if event.timestamp >= window.since - PADDING - EARLIER
    )
    return match(paper.books(**lately, settled_charges=settled), records, paper.totals(), window)
