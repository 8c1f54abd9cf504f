"""Every way in which the stand-in can go wrong, all at once: each strikes a share of what it fits."""

from gateways.paystack.sim.faults import Fault, parse_faults

CALLS = (
    "500_before",
    "timeout_before",
    "reset_before",
    "throttle",
    "500_after_commit",
    "accept_then_timeout",
    "reset_after_commit",
    "garbage_after_commit",
    "slow",
)
WAYS = (
    *(f"*:{kind}@0.01" for kind in CALLS),
    "transfer:refuse@0.01",
    "refund:refuse@0.01",
    "transfer:insufficient_balance@0.03",
    "transfer:otp@0.03",
    "transfer:pending@0.03",
    "transfer:fail@0.05",
    "transfer:reversed_after_success@0.03+3600",
    "transfer:abandoned@0.02",
    "transfer:blocked@0.02",
    "transfer:rejected@0.02",
    "transfer:late@0.03+7200",
    "refund:pending@0.03",
    "refund:fail@0.05",
    "refund:needs_attention@0.03",
    "refund:insufficient_balance@0.03",
    "refund:without_note@0.01",
    "checkout:customer_bears_fee@0.05",
    "checkout:processing@0.05+300",
    "checkout:chargeback@0.03+3600",
    "dispute:chargeback_won@0.5+3600",
    "dispute:chargeback_lost@0.5+3600",
    "webhook:duplicate_webhook@0.1+60",
    "webhook:lost_webhook@0.05",
    "webhook:delay_webhook@0.05+7200",
    "webhook:reorder_webhook@0.1+600",
)
"""Not among them: `other_amount`, for how much is paid is the buyer's affair (`nature.money_comes`).

Nor is `fees_unknown`: what a charge has cost that is older than the sweep looks back is left to reconciliation.
"""


def all_at_once() -> list[Fault]:
    """What to give to a stand-in."""
    return parse_faults(",".join(WAYS))
