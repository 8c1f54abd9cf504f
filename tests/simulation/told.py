"""What waits for a person is told to a person: an alert for each reason, and none for what waits no longer."""

from collections import defaultdict
from uuid import UUID

from domain.transaction import Transaction
from domain.transaction.records import DisputeSource
from projections.alert import ALERTS, list_alerts
from projections.payout import PAYOUTS
from projections.refund import REFUNDS
from tests.domain.chart import need
from tests.simulation.world import World

TOLD_BY = {
    "payout_otp": {"payout_otp_required"},
    "payout_failed": {"payout_failed"},
    "payout_reversed": {"payout_reversed", "payout_failed"},
    "refund_needs_attention": {"refund_needs_attention"},
    "refund_failed": {"refund_failed"},
    "refund_cancelled": {"chargeback_lost"},
    "payout_waiting_for_balance": {"balance_insufficient"},
    "refund_waiting_for_balance": {"balance_insufficient"},
    "receipts_in_suspense": {"payment_mismatched"},
    "awaiting_decision": {"inspection_lapsed"},
    "money_still_held": {"chargeback_lost", "admin_refund", "admin_resolve"},
    "awaiting_recovery": {
        "chargeback_lost",
        "admin_refund",
        "admin_resolve",
        "payout_paid_after_all",
        "cancelled_refund_sent",
    },
}
"""How a reason begins, and the alerts of which one must have been raised about that transaction."""
ASKED = """
SELECT reference FROM payouts WHERE waiting_since IS NOT NULL
UNION ALL
SELECT reference FROM refunds WHERE waiting_since IS NOT NULL
"""
UNSENT = ("new", "uncertain")
Told = dict[UUID | None, set[tuple[str, str]]]


async def need_alerts(w: World) -> None:
    """Raise `Wrong` where somebody is waited for whom no alert calls."""
    told = await _read(w)
    for transaction_id in w.transactions:
        t = await w.look(transaction_id)
        kinds = {kind for kind, _ in told[transaction_id]}
        reason = t.stuck_reason or ""
        for beginning, wanted in TOLD_BY.items():
            untold = reason.startswith(beginning) and not wanted & kinds
            need(not untold, "nobody is told", w.label(transaction_id), reason, sorted(kinds))
        silent = _decisions(t) - told[transaction_id]
        need(not silent, "nobody is told of a decision that waits", w.label(transaction_id), silent)


def _decisions(t: Transaction) -> set[tuple[str, str]]:
    """What people, or the buyer's bank, are asked to decide: the alert's kind and subject."""
    kinds = {DisputeSource.PROCESSOR: "chargeback_opened"}
    disputes = {(kinds.get(d.source, "dispute_opened"), str(d.dispute_id)) for d in t.open_disputes}
    return disputes | {("approval_requested", str(request.approval_id)) for request in t.pending_approvals}


async def _read(w: World) -> Told:
    w.fold((ALERTS,))
    told: Told = defaultdict(set)
    for alert in await list_alerts(w.stage.pool, limit=10**6):
        told[alert.transaction_id].add((alert.kind, alert.subject))
    return told


async def need_closed(w: World) -> None:
    """Raise `Wrong` unless a top-up is asked for exactly as long as something waits for it."""
    await w.judge.read(w.stage.pool)
    w.fold((PAYOUTS, REFUNDS))
    async with w.stage.pool.connection() as connection:
        asked = {row[0] for row in await (await connection.execute(ASKED)).fetchall()}
    deals = w.judge.books.deals.values()
    orders = [order for deal in deals for order in (deal.payouts | deal.refunds).items()]
    waiting = {reference for reference, order in orders if order.get("waits") and order["state"] in UNSENT}
    need(asked == waiting, "a top-up is asked for in vain, or not at all", asked ^ waiting)
