"""Every projection there is, in the order in which they are folded."""

from projections.admin_action import ADMIN_ACTIONS
from projections.alert import ALERTS
from projections.approval import APPROVALS
from projections.contract import CONTRACTS
from projections.dispute import DISPUTES
from projections.external_payment import EXTERNAL_PAYMENTS
from projections.ledger import LEDGER
from projections.listing import LISTINGS
from projections.note import TRANSACTION_NOTES
from projections.notification import NOTIFICATIONS
from projections.payout import PAYOUTS
from projections.projection import Projection
from projections.proof import PROOFS
from projections.reconciliation import RECONCILIATIONS
from projections.refund import REFUNDS
from projections.transaction import TRANSACTIONS
from projections.vault import CREDENTIAL_VAULTS

PROJECTIONS: tuple[Projection, ...] = (
    TRANSACTIONS,
    CREDENTIAL_VAULTS,
    LISTINGS,
    PROOFS,
    CONTRACTS,
    PAYOUTS,
    REFUNDS,
    DISPUTES,
    APPROVALS,
    TRANSACTION_NOTES,
    ADMIN_ACTIONS,
    NOTIFICATIONS,
    ALERTS,
    LEDGER,
    RECONCILIATIONS,
    EXTERNAL_PAYMENTS,
)


def find_projection(name: str) -> Projection:
    """Return the projection with this name; raise KeyError."""
    return {projection.name: projection for projection in PROJECTIONS}[name]
